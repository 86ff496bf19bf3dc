"""Burdens: what each of some processes takes, watched for a while.

What a process got of a core says little on a crowded machine: one that spins
gets a third of it then, as does one that rests most of its time. So its time
is held against the time that it did not have to wait for a core: whoever
spins wanted all of that, however many others were there.
"""

import time
from collections.abc import Iterable
from pathlib import PurePath

import msgspec

from app.act.local.hand import Hand, Unwilling
from app.act.local.runaway.identity import Identity, identify
from app.core.brief import brief
from app.core.demand import Work, read_work, wanted
from app.core.errors import OutgoingFailed
from app.core.look.details import (
    name_cgroup,
    read_command,
    read_exe,
    read_text,
)
from app.core.look.snapshot import TICKS, Proc, read_proc, read_procs
from app.core.look.totals import read_memory

MB = 1_048_576
DELETED = " (deleted)"


class Burden(msgspec.Struct, frozen=True, kw_only=True):
    """What one process took while it was watched.

    Attributes:
        proc: the process at the end of it.
        given: what it got, in percent of one core.
        cpu: what it would have got had it not waited for a core.
        memory: what it holds, in percent of the machine's memory.
        growth: how fast it grew, in MB a minute, in the slower half.
        cgroup: the control group that it is in.
        is_stuck: whether it was in uninterruptible sleep at each look.
        identity: who it was when it began, None when we are not shown it.
    """

    proc: Proc
    given: float
    cpu: float
    memory: float
    growth: float
    cgroup: str = ""
    is_stuck: bool = False
    identity: Identity | None = None

    def __str__(self) -> str:
        """Return it in a line of an output."""
        cpu = f"{self.cpu:.0f} % of one core"
        if self.given < 0.9 * self.cpu:
            cpu += f" wanted ({self.given:.0f} % given)"
        held = f"{self.proc.rss / MB:.0f} MB = {self.memory:.1f} % of memory"
        stuck = ", in uninterruptible sleep" if self.is_stuck else ""
        return (
            f"{brief(str(self.proc))}: {cpu}, {held},"
            f" growing {self.growth:.0f} MB/min{stuck}"
        )


class _Look(msgspec.Struct, frozen=True):
    """One process at one moment of the watch."""

    at: float
    proc: Proc
    work: Work


def find_program(name: str) -> list[Proc]:
    """Return the processes of a program.

    By what the kernel calls them, or how they were called, or their file.

    Raises:
        OutgoingFailed: we are not shown the processes of others.
    """
    return [proc for proc in find_all() if name in names_of(proc)]


def find_all() -> list[Proc]:
    """Return all processes that are no part of the kernel, nor over.

    Raises:
        OutgoingFailed: we are not shown the processes of others.
    """
    procs = read_procs()
    if not any(pid == 1 for pid, _ in procs):
        raise OutgoingFailed("the processes of others cannot be seen")
    return [
        proc
        for proc in procs.values()
        if not proc.is_kernel and not proc.is_over
    ]


def names_of(proc: Proc) -> set[str]:
    """Return the names that a process goes by."""
    called = read_command(proc.pid)[:1]
    paths = (*called, read_exe(proc.pid).removesuffix(DELETED))
    return {proc.name, *(PurePath(path).name for path in paths if path)}


def watch(procs: Iterable[Proc], hand: Hand, seconds: float) -> list[Burden]:
    """Return what processes take that live through the watch.

    Raises:
        Stopped: the deed must end.
    """
    began = [_look(proc) for proc in procs]
    known = {one.proc.key: _identify(one.proc) for one in began}
    hand.wait(seconds / 2)
    middle = {one.proc.key: _look_again(one.proc) for one in began}
    hand.wait(seconds / 2)
    memory = read_memory()
    found = []
    for first in began:
        key = first.proc.key
        half, last = middle[key], _look_again(first.proc)
        if half is not None and last is not None:
            found.append(_weigh((first, half, last), known[key], memory))
    return found


def _look(proc: Proc) -> _Look:
    """Return a process with the work of its threads."""
    return _Look(time.monotonic(), proc, read_work(proc.pid))


def _look_again(proc: Proc) -> _Look | None:
    """Return the same process now, None when it is gone."""
    now = read_proc(proc.pid)
    if now is None or now.key != proc.key or now.is_over:
        return None
    return _look(now)


def _identify(proc: Proc) -> Identity | None:
    """Return who a process is, None when that is not shown."""
    try:
        found = identify(proc.pid)
    except Unwilling:
        return None
    return found if found is not None and found.key == proc.key else None


def _weigh(
    looks: tuple[_Look, _Look, _Look], known: Identity | None, memory: int
) -> Burden:
    """Return what a process took between three looks."""
    first, half, last = looks
    lasted = max(last.at - first.at, 1e-6)
    ticks = last.proc.ticks - first.proc.ticks
    given = 100.0 * ticks / TICKS / lasted
    asked = wanted(first.work, last.work, lasted)
    return Burden(
        proc=last.proc,
        given=given,
        cpu=max(given, 100.0 * asked),
        memory=100.0 * last.proc.rss / max(memory, 1),
        growth=min(_growth(first, half), _growth(half, last)),
        cgroup=name_cgroup(read_text(last.proc.pid, "cgroup")),
        is_stuck=all(one.proc.state == "D" for one in looks),
        identity=known,
    )


def _growth(first: _Look, last: _Look) -> float:
    """Return how fast a process grew between two looks, in MB a minute."""
    lasted = max(last.at - first.at, 1e-6)
    return (last.proc.rss - first.proc.rss) / MB / lasted * 60


def sum_groups(found: Iterable[Burden]) -> list[str]:
    """Return what each control group takes, in lines of an output."""
    groups: dict[str, list[Burden]] = {}
    for one in found:
        groups.setdefault(one.cgroup, []).append(one)
    return [
        f"cgroup {brief(name) or 'unknown'}: {len(some)} processes,"
        f" {sum(one.cpu for one in some):.0f} % of one core,"
        f" {sum(one.memory for one in some):.1f} % of memory,"
        f" growing {sum(one.growth for one in some):.0f} MB/min"
        for name, some in sorted(groups.items())
    ]
