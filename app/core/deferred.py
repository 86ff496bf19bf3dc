"""Packages that are loaded when they are first used.

Some packages are needed by some settings only: a database that is no file,
a provider who signs people in. Each costs megabytes and a part of a second
at every start, so a module names such a package as ``Deferred`` instead of
importing it. Beside it stands the true import under ``TYPE_CHECKING``: the
types are checked as ever, and so are the rules of who may import what.
"""

from importlib import import_module
from typing import Any


class Deferred:
    """Stands for a module, and loads it when something of it is wanted."""

    def __init__(self, name: str) -> None:
        """Take the name of the module."""
        self._name = name

    def __getattr__(self, name: str) -> Any:
        """Return something of the module, which is loaded by then."""
        found = getattr(import_module(self._name), name)
        # From now on it is found without coming here.
        setattr(self, name, found)
        return found
