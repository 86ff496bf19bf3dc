"""The environment of a program that is not ours: what it needs, no more.

Ansible Runner writes the environment of a play on disk, and a task may show
it. So the secrets of the service, which stand in its environment, stay here.
"""

import os
from collections.abc import Iterable

KEPT = frozenset({"PATH", "HOME", "USER", "LANG", "TMPDIR", "SSH_AUTH_SOCK"})
# Settings of Ansible itself, and what a language is made of.
BEGINNINGS = ("LC_", "ANSIBLE_")


def small_environment(names: Iterable[str]) -> dict[str, str]:
    """Return the little that is passed on, and what is named besides."""
    wanted = KEPT.union(names)
    return {
        name: text
        for name, text in os.environ.items()
        if name in wanted or name.startswith(BEGINNINGS)
    }
