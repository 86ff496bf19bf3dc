"""Samples: what the machine did since the last look at it.

All processes by one line of /proc each; more is read of the few that take
most only. Nothing here asks a disk, so nothing of it hangs with one.
"""

import os
import re
import time
from collections.abc import Iterable
from heapq import nlargest
from pathlib import PurePath

import msgspec

from app.core.brief import brief
from app.core.demand import Work, read_work, wanted
from app.core.look.counters import read_counters
from app.core.look.details import read_command
from app.core.look.ours import is_ours
from app.core.look.past import share_of
from app.core.look.snapshot import Key, Proc, Snapshot, take_quick

# Of so many processes more is known than their line.
TOP = 20
# What the kernel keeps of a name.
COMM_CHARS = 15
NAME_CHARS = 100
INTERPRETER = re.compile(
    r"python[\d.]*|node|java|perl|ruby|php[\d.]*|bash|sh|dash|busybox"
)
PROGRAM = re.compile(r"[A-Za-z0-9][\w.@:+-]{0,99}", re.ASCII)
# On a machine that is busier, processes wait for a core: then what they
# want is more than what they get.
CROWDED = 85.0
LEAST_SHARE = 5.0
MOST_THREADS = 64


class Known(msgspec.Struct, frozen=True):
    """What is known of a process beside its line.

    Attributes:
        comm: what the kernel called it when this was read.
        name: its program's name.
        is_ours: whether it is of this service.
    """

    comm: str
    name: str
    is_ours: bool


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The machine at one moment, and since the one before.

    Attributes:
        at: when, in microseconds since 1970.
        snapshot: its processes and totals.
        counters: what was counted by then.
        rises: how much each counter rose in a second.
        shares: what each process took, in percent of one core.
        wants: of some, what they would have taken had they not had to wait.
        works: what the threads of those have done.
        known: more of those that take most.
        offset: what the wall clock is ahead of the time since the start.
    """

    at: int
    snapshot: Snapshot
    counters: dict[str, float] = {}
    rises: dict[str, float] = {}
    shares: dict[Key, float] = {}
    wants: dict[Key, float] = {}
    works: dict[Key, Work] = {}
    known: dict[Key, Known] = {}
    offset: float = 0.0

    @property
    def monotonic(self) -> float:
        """Return when it was, on the clock that never jumps."""
        return self.snapshot.monotonic

    @property
    def cores(self) -> int:
        """Return how many cores there are."""
        count = sum(name.startswith("core.") for name in self.counters)
        return count or os.cpu_count() or 1

    def taken(self, key: Key) -> float:
        """Return what a process took, or wanted, in percent of one core."""
        return max(self.shares.get(key, 0.0), self.wants.get(key, 0.0))

    def name(self, proc: Proc) -> str:
        """Return a program's name."""
        known = self.known.get(proc.key)
        return known.name if known else proc.name

    def top(self) -> list[Key]:
        """Return those of which more is known, the busiest first."""
        return sorted(self.known, key=lambda key: -self.taken(key))


def sample(before: Sample | None, now: int) -> Sample:
    """Return the machine as it is now, or raise OutgoingFailed.

    Args:
        before: the last one; without it nothing is known of what moves.
        now: the present moment.
    """
    snapshot = take_quick(before.snapshot if before else None)
    counters = read_counters()
    offset = time.time() - _since_start()
    if before is None:
        return Sample(
            at=now,
            snapshot=snapshot,
            counters=counters,
            works={},
            known=_know(_largest(snapshot, {}), snapshot, {}),
            offset=offset,
        )
    seconds = max(1e-3, snapshot.monotonic - before.monotonic)
    shares = _read_shares(snapshot, before.snapshot, seconds)
    works = _read_works(snapshot, shares)
    return Sample(
        at=now,
        snapshot=snapshot,
        counters=counters,
        rises={
            name: (value - before.counters[name]) / seconds
            for name, value in counters.items()
            if value >= before.counters.get(name, float("inf"))
        },
        shares=shares,
        wants={
            key: 100.0 * wanted(before.works[key], work, seconds)
            for key, work in works.items()
            if key in before.works
        },
        works=works,
        known=_know(_largest(snapshot, shares), snapshot, before.known),
        offset=offset,
    )


def _read_shares(
    now: Snapshot, before: Snapshot, seconds: float
) -> dict[Key, float]:
    """Return what each process took since then; those that sleep are many."""
    shares = {}
    for key, proc in now.procs.items():
        if proc.is_kernel:
            continue
        earlier = before.procs.get(key)
        is_still = earlier is not None and earlier.ticks == proc.ticks
        shares[key] = 0.0 if is_still else share_of(proc, before, seconds)
    return shares


def _since_start() -> float:
    """Return seconds since the machine began; those asleep count."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def _largest(snapshot: Snapshot, shares: dict[Key, float]) -> set[Key]:
    """Return the processes that take most time, or memory."""
    procs = snapshot.procs
    busy = nlargest(TOP, shares, key=shares.__getitem__)
    held = nlargest(TOP, procs, key=lambda key: procs[key].rss)
    return {key for key in (*busy, *held) if not procs[key].is_kernel}


def _read_works(
    snapshot: Snapshot, shares: dict[Key, float]
) -> dict[Key, Work]:
    """Return what the threads of those did that may have to wait."""
    if snapshot.figures.get("cpu_percent", 0.0) < CROWDED:
        return {}
    busy = nlargest(TOP, shares, key=shares.__getitem__)
    return {
        key: read_work(key[0])
        for key in busy
        if shares[key] >= LEAST_SHARE
        and snapshot.procs[key].threads <= MOST_THREADS
    }


def _know(
    keys: Iterable[Key], snapshot: Snapshot, before: dict[Key, Known]
) -> dict[Key, Known]:
    """Return more of some processes; what is known is not read again."""
    found = {}
    parents: dict[int, int] = {}
    for key in keys:
        proc = snapshot.procs[key]
        known = before.get(key)
        if known is None or known.comm != proc.name:
            parents = parents or {
                pid: one.parent for (pid, _), one in snapshot.procs.items()
            }
            ours = is_ours(proc.pid, parents)
            known = Known(proc.name, _name(proc), ours)
        found[key] = known
    return found


def _name(proc: Proc) -> str:
    """Return a program's name, all of it where the kernel cut it.

    Of what an interpreter runs, the name that it was called by.
    """
    name = proc.name
    is_plain = INTERPRETER.fullmatch(name) is not None
    if len(name) >= COMM_CHARS or is_plain:
        called = PurePath("".join(read_command(proc.pid)[:1])).name
        is_named = is_plain and PROGRAM.fullmatch(called) is not None
        name = called if is_named or called.startswith(name) else name
    # Whoever runs it may have called it anything.
    return brief(name, NAME_CHARS) or str(proc.pid)
