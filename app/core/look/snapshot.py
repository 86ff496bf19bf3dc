"""The snapshot: all processes and totals of this machine at one moment.

One line of /proc for each process and nothing else: what costs more is read
for the few that matter, by details.py.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec
import psutil

from app.core.errors import OutgoingFailed
from app.core.look.totals import (
    Totals,
    read_figures,
    read_memory,
    read_quick_figures,
    read_totals,
)

PROC = "/proc"
IS_LINUX = sys.platform == "linux"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# A line of /proc/PID/stat is a third of this at most.
STAT_BYTES = 2_048
# Flag of a process that is a part of the kernel.
KERNEL_FLAG = 0x00200000
# Where things stand in the line, counted from behind the name.
STATE, PARENT, FLAGS, USER, SYSTEM = 0, 1, 6, 11, 12
THREADS, START, RSS = 17, 19, 21
Key = tuple[int, int]


class Proc(msgspec.Struct, frozen=True, gc=False):
    """One process, as a line of /proc says it.

    Attributes:
        pid: its number, which others get after it.
        start: when it began, in clock ticks since the machine did: with the
            number it is one process for ever.
        name: what the kernel calls it.
        state: one letter: R, S, D, Z, T ...
        parent: its parent's number.
        ticks: the time it has worked, in clock ticks.
        rss: the memory it holds, in bytes.
        threads: how many it has.
        is_kernel: whether it is a thread of the kernel.
    """

    pid: int
    start: int
    name: str
    state: str
    parent: int
    ticks: int
    rss: int
    threads: int
    is_kernel: bool = False

    @property
    def key(self) -> Key:
        """Return what it is known by."""
        return self.pid, self.start

    @property
    def is_over(self) -> bool:
        """Tell whether it has ended, and only its parent does not know.

        One whose first thread has ended looks the same, and works on.
        """
        return self.state in "ZX" and self.threads <= 1

    def __str__(self) -> str:
        """Return it in a line of an output."""
        return f"{self.name}[{self.pid}]"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """This machine at one moment.

    Attributes:
        monotonic: when, on the clock that never jumps.
        procs: its processes, by number and start.
        figures: totals by name: cpu_percent, memory_percent, swap_percent,
            load1, io_wait_percent, disk_percent:/var ... as far as known.
        totals: what all cores did since the machine began.
        memory_bytes: how much memory there is.
        ahead: how far the clock by which a process began is ahead of
            monotonic: on Linux the time that the machine slept.
    """

    monotonic: float
    procs: dict[Key, Proc]
    figures: dict[str, float]
    totals: Totals = Totals()
    memory_bytes: int = 0
    ahead: float = 0.0

    def age(self, proc: Proc) -> float:
        """Return how long ago a process began, in seconds."""
        return self.monotonic + self.ahead - proc.start / TICKS


def take(before: Snapshot | None = None) -> Snapshot:
    """Return the machine as it is now.

    Args:
        before: an earlier one: cpu_percent and io_wait_percent are of the
            time since; without it they are not known.

    Raises:
        OutgoingFailed: the machine does not show its processes.
    """
    return _take(before, read_figures)


def take_quick(before: Snapshot | None = None) -> Snapshot:
    """Return the machine as it is now, without its disks, or raise as take.

    Args:
        before: an earlier one, as with take.
    """
    return _take(before, read_quick_figures)


def _take(
    before: Snapshot | None,
    read: Callable[[Totals | None], dict[str, float]],
) -> Snapshot:
    """Return the machine as it is now, with the figures that are read."""
    totals = read_totals()
    since = totals.since(before.totals) if before is not None else None
    return Snapshot(
        monotonic=time.monotonic(),
        procs=read_procs(),
        figures=read(since),
        totals=totals,
        memory_bytes=read_memory(),
        ahead=read_ahead(),
    )


def read_ahead() -> float:
    """Return how far the clock by which processes began is ahead.

    The kernel counts what the machine slept as well; psutil tells moments.
    """
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    now = time.time() if boot is None else time.clock_gettime(boot)
    return now - time.monotonic()


def age_of(proc: Proc) -> float:
    """Return how long ago a process began, in seconds, as it is now."""
    return time.monotonic() + read_ahead() - proc.start / TICKS


def read_procs() -> dict[Key, Proc]:
    """Return all processes, or raise OutgoingFailed."""
    if not IS_LINUX:
        return ask_psutil()
    try:
        with os.scandir(PROC) as found:
            pids = [one.name for one in found if one.name.isdigit()]
    except OSError as error:
        text = f"{PROC} cannot be read: {error.strerror}"
        raise OutgoingFailed(text) from error
    procs = {}
    for pid in pids:
        try:
            file = os.open(f"{PROC}/{pid}/stat", os.O_RDONLY)
        except OSError:
            continue
        try:
            proc = parse(os.read(file, STAT_BYTES))
        # It may end between the two calls.
        except (OSError, ValueError, IndexError):
            continue
        finally:
            os.close(file)
        procs[proc.pid, proc.start] = proc
    if not procs:
        raise OutgoingFailed(f"{PROC} shows no process")
    return procs


def read_proc(pid: int) -> Proc | None:
    """Return one process, None when it is gone or not shown."""
    if not IS_LINUX:
        return next((p for k, p in ask_psutil().items() if k[0] == pid), None)
    try:
        file = os.open(f"{PROC}/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        return parse(os.read(file, STAT_BYTES))
    except (OSError, ValueError, IndexError):
        return None
    finally:
        os.close(file)


def parse(line: bytes) -> Proc:
    """Return a process out of its line in /proc/PID/stat.

    Its name may hold blanks, brackets and whole false lines: the last
    bracket ends it.

    Raises:
        ValueError, IndexError: it is no such line.
    """
    opened = line.index(b"(")
    closed = line.rindex(b")")
    rest = line[closed + 2 :].split(None, RSS + 1)
    return Proc(
        int(line[:opened]),
        int(rest[START]),
        line[opened + 1 : closed].decode("utf-8", "replace"),
        rest[STATE].decode("ascii", "replace"),
        int(rest[PARENT]),
        int(rest[USER]) + int(rest[SYSTEM]),
        int(rest[RSS]) * PAGE_BYTES,
        int(rest[THREADS]),
        int(rest[FLAGS]) & KERNEL_FLAG != 0,
    )


def ask_psutil() -> dict[Key, Proc]:
    """Return all processes where there is no /proc: ten times slower."""
    procs = {}
    for one in psutil.process_iter():
        with suppress(psutil.Error), one.oneshot():
            times, start = one.cpu_times(), int(one.create_time() * TICKS)
            procs[one.pid, start] = Proc(
                one.pid,
                start,
                one.name(),
                one.status()[:1].upper(),
                one.ppid(),
                int((times.user + times.system) * TICKS),
                one.memory_info().rss,
                one.num_threads(),
            )
    return procs
