"""Ours: the processes of this service, so that none of them is a culprit.

Whoever looks takes time and memory too; who reads of it must know.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import PurePath

MARK = " (this is us)"
SERVICE = ".service"
# What our units are called, and the modules and scripts that they run.
PREFIX = "smokejumper"
_HANDS = ["-m", "app.act.local"]
_SERVE = ("main.py", "serve")


def is_our_program(words: Sequence[str]) -> bool:
    """Tell whether a command line is that of the service or its hands."""
    if len(words) < 3 or words[0] != sys.executable:
        return False
    script = PurePath(words[1]).name
    return list(words[1:3]) == _HANDS or (script, words[2]) == _SERVE


def is_our_group(said: str, own: str) -> bool:
    """Tell whether a process is of our service, or of our other one.

    Args:
        said: its /proc/PID/cgroup.
        own: ours.
    """
    services = _services(said)
    if services & _services(own):
        return True
    return any(PurePath(one).name.startswith(PREFIX) for one in services)


def is_us(pid: int, parent: int) -> bool:
    """Tell whether a process is this one, or begun by it."""
    return os.getpid() in (pid, parent)


def _services(said: str) -> set[str]:
    """Return the services that a process is of.

    A session, or the root of a container, is shared with strangers.
    """
    paths = (line.split(":", 2)[-1] for line in said.splitlines())
    return {path for path in paths if path.endswith(SERVICE)}
