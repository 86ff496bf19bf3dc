"""Ours: the processes of this service, so that none of them is a culprit.

Whoever looks takes time and memory too; who reads of it must know.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from app.core.look.details import read_command, read_text

MARK = " (this is us)"
SERVICE = ".service"
# What our units are called, and the modules and scripts that they run.
PREFIX = "smokejumper"
_HANDS = ["-m", "app.act.local"]
_COMMANDS = (("main.py", "serve"), ("main.py", "watch"))


def is_our_program(words: Sequence[str]) -> bool:
    """Tell whether a command line is that of the service or its hands."""
    if len(words) < 3 or words[0] != sys.executable:
        return False
    script = PurePath(words[1]).name
    return list(words[1:3]) == _HANDS or (script, words[2]) in _COMMANDS


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


def is_ours(pid: int, parents: Mapping[int, int]) -> bool:
    """Tell whether a process is of this service, or descends from it.

    Args:
        pid: the process.
        parents: the parent of each process.
    """
    own, one = os.getpid(), pid
    # A number may be another's by now: no way up is longer than all.
    for _ in range(len(parents) + 1):
        if one == own:
            return True
        if one not in parents:
            break
        one = parents[one]
    if is_our_program(read_command(pid)):
        return True
    return is_our_group(read_text(pid, "cgroup"), read_text(own, "cgroup"))


def _services(said: str) -> set[str]:
    """Return the services that a process is of.

    A session, or the root of a container, is shared with strangers.
    """
    paths = (line.split(":", 2)[-1] for line in said.splitlines())
    return {path for path in paths if path.endswith(SERVICE)}
