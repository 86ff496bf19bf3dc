"""Find plug-ins: one file of a folder is one plug-in.

A file without ``plugin``, or one that cannot be imported, stops start-up
with its name: a plug-in that is silently skipped would be worse than none.
"""

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Any

from app.core.errors import ConfigError, ConfigProblem

Factory = Callable[[Any], Any]


def scan(package: ModuleType) -> dict[str, Factory]:
    """Return the ``plugin`` function of each file of a package, by name.

    Underscores of a file name are dashes in the plug-in's name.
    """
    found = {}
    problems = []
    for module in pkgutil.iter_modules(package.__path__):
        path = f"{package.__name__}.{module.name}"
        try:
            factory = importlib.import_module(path).plugin
        except (ImportError, AttributeError) as error:
            remedy = "Install what it imports, or give it plugin(env)."
            problems.append(ConfigProblem(path, path, str(error), remedy))
        else:
            found[module.name.replace("_", "-")] = factory
    if problems:
        raise ConfigError(problems)
    return found
