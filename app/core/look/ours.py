"""Ours: the processes of this service, so that none of them is a culprit.

Whoever looks takes time and memory too; who reads of it must know.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from app.core.home import HOME
from app.core.look.details import read_command, read_text
from app.core.look.snapshot import PROC

MARK = " (this is us)"
SERVICE = ".service"
# What our units are called, and the modules and scripts that they run.
PREFIX = "smokejumper"
_HANDS = ["-m", "app.act.local"]
_COMMANDS = (("main.py", "serve"), ("main.py", "watch"))
# Our own process for each play of Ansible, which leaves whoever began it.
_PLAY = "play_one.py"


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


def is_of_ours(pid: int, parents: Mapping[int, int]) -> bool:
    """Tell whether a process is part of this service, whoever began it.

    The service and its hands may be two processes, another node and the
    watch may run beside them, and a play of Ansible goes on by itself.

    Args:
        pid: the process.
        parents: the parent of each process.
    """
    one = pid
    for _ in range(len(parents) + 1):
        if _runs_us(one):
            return True
        one = parents.get(one, 0)
        if one <= 1:
            break
    return False


def _runs_us(pid: int) -> bool:
    """Tell whether a process runs one of our programs, however called."""
    words = read_command(pid)
    for at, word in enumerate(words[1:], start=1):
        if word == "-m":
            return list(words[at : at + 2]) == _HANDS
        if not word.startswith("-"):
            return PurePath(word).name == _PLAY or _is_main(pid, word)
    return False


def _is_main(pid: int, script: str) -> bool:
    """Tell whether a process runs our main.py, and not somebody else's."""
    if PurePath(script).name != "main.py":
        return False
    try:
        folder = Path(f"{PROC}/{pid}/cwd").readlink()
        return (folder / script).samefile(HOME / "main.py")
    except OSError:
        return False


def _services(said: str) -> set[str]:
    """Return the services that a process is of.

    A session, or the root of a container, is shared with strangers.
    """
    paths = (line.split(":", 2)[-1] for line in said.splitlines())
    return {path for path in paths if path.endswith(SERVICE)}
