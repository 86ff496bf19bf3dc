"""The machine that we run on: read in threads, each with an end.

A file system that hangs holds a thread for ever: there are a few of them,
and none of them is waited for when the service ends.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import PurePath
from threading import Lock, Thread
from typing import TypeVar

import msgspec
import psutil

from app.core.demand import Work, read_work, wanted
from app.core.errors import OutgoingFailed

SECONDS = 8.0
MOST_LOOKS = 8
SAMPLE_SECONDS = 1.0
MB = 1_048_576
T = TypeVar("T")


class Looks:
    """Counts the threads that look at the machine now."""

    def __init__(self, most: int) -> None:
        """Take how many there may be."""
        self._left = most
        self._lock = Lock()

    def begin(self) -> bool:
        """Take a place, or tell that there is none."""
        with self._lock:
            if not self._left:
                return False
            self._left -= 1
            return True

    def end(self) -> None:
        """Give a place back."""
        with self._lock:
            self._left += 1


LOOKS = Looks(MOST_LOOKS)


async def look(
    call: Callable[[], T], seconds: float = SECONDS, looks: Looks = LOOKS
) -> T:
    """Return what a call says that may hang.

    Raises:
        OutgoingFailed: it failed, or hangs, or too many others do.
    """
    if not looks.begin():
        raise OutgoingFailed("earlier readings of this machine hang")
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        """Call, in a thread of its own; a bug ends it after its answer."""
        told = partial(_fail, answer, OutgoingFailed("a bug: see the log"))
        try:
            told = partial(_tell, answer, call())
        except OutgoingFailed as error:
            told = partial(_fail, answer, error)
        except (psutil.Error, OSError) as error:
            told = partial(_fail, answer, OutgoingFailed(_why(error)))
        finally:
            looks.end()
            # The loop may be closed by now: then nobody waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(told)

    Thread(target=work, name="look", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError as error:
        text = f"this machine did not say it in {seconds:g} s"
        raise OutgoingFailed(text) from error


def _tell(answer: "asyncio.Future[T]", value: T) -> None:
    """Hand over what came out, if anybody still waits."""
    if not answer.done():
        answer.set_result(value)


def _fail(answer: "asyncio.Future[T]", error: OutgoingFailed) -> None:
    """Hand over why nothing came out, if anybody still waits."""
    if not answer.done():
        answer.set_exception(error)


def _why(error: psutil.Error | OSError) -> str:
    """Return in a line why the machine does not say it."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"{type(error).__name__}: {error}"[:200]


def read_cpu(seconds: float = SAMPLE_SECONDS) -> float:
    """Return how busy all cores are, in percent of their time."""
    return float(psutil.cpu_percent(interval=seconds))


def read_memory() -> float:
    """Return how much memory is used, in percent; caches are free."""
    return float(psutil.virtual_memory().percent)


def read_disk(path: str) -> float:
    """Return how much of a file system is used, in percent."""
    return float(psutil.disk_usage(path).percent)


class Burden(msgspec.Struct, frozen=True):
    """What all processes of one program take.

    Attributes:
        count: how many there are.
        cpu: what they would have taken of one core, in percent, had they
            not had to wait for it.
        memory: their memory, in percent of the machine's.
        growth: how much more of it they held at the end than at the
            beginning, in MB a minute; those that shrank do not count.
    """

    count: int = 0
    cpu: float = 0.0
    memory: float = 0.0
    growth: float = 0.0

    def __str__(self) -> str:
        """Return it as one line for people."""
        if not self.count:
            return "no process"
        return (
            f"{self.count} running, {self.cpu:.0f} % of one core,"
            f" {self.memory:.1f} % of memory, growing {self.growth:.0f} MB/min"
        )


def weigh_program(name: str, seconds: float = SAMPLE_SECONDS) -> Burden:
    """Return what the processes of a program take, watched for a while.

    Raises:
        OutgoingFailed: we are not shown the processes of others.
    """
    if os.name == "posix" and not psutil.pid_exists(1):
        raise OutgoingFailed("the processes of others cannot be seen")
    found = list(_processes(name))
    began = time.monotonic()
    earlier = {one.pid: _Spent.of(one) for one in found}
    time.sleep(seconds if found else 0.0)
    lasted = max(time.monotonic() - began, 1e-6)
    cores = memory = growth = 0.0
    count = 0
    for one in found:
        first, last = earlier[one.pid], _Spent.of(one)
        if first is None or last is None:
            continue
        count += 1
        cores += last.cores_since(first, lasted)
        memory += _memory_of(one)
        growth += max(0, last.held - first.held) / MB / lasted * 60
    return Burden(count, 100.0 * cores, memory, growth)


class _Spent(msgspec.Struct, frozen=True):
    """What a process has worked so far.

    Attributes:
        seconds: in all.
        work: by thread, with the time that it waited for a core; empty
            where the kernel does not say it.
        held: the memory that it holds, in bytes.
    """

    seconds: float
    work: Work
    held: int

    @classmethod
    def of(cls, one: psutil.Process) -> "_Spent | None":
        """Return what a process has worked, None when it is gone."""
        seconds = _seconds_of(one)
        if seconds is None:
            return None
        return cls(seconds, read_work(one.pid), _held_by(one))

    def cores_since(self, first: "_Spent", lasted: float) -> float:
        """Return how many cores it wanted since an earlier look.

        Whoever spins on a crowded machine gets a part of a core only, and
        is no calmer for that.
        """
        got = (self.seconds - first.seconds) / lasted
        return max(got, wanted(first.work, self.work, lasted))


def _processes(name: str) -> Iterator[psutil.Process]:
    """Yield the processes of a program."""
    for one in psutil.process_iter(["name", "cmdline"]):
        said = one.info["cmdline"] or [""]
        if name in (one.info["name"], PurePath(said[0]).name):
            yield one


def _seconds_of(one: psutil.Process) -> float | None:
    """Return what a process has worked so far, None when it is gone."""
    try:
        if not one.is_running():
            return None
        times = one.cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system)


def _held_by(one: psutil.Process) -> int:
    """Return what a process holds, in bytes; nothing when it is gone."""
    try:
        return int(one.memory_info().rss)
    except psutil.Error:
        return 0


def _memory_of(one: psutil.Process) -> float:
    """Return what a process holds, in percent; nothing when it is gone."""
    try:
        return float(one.memory_percent())
    except psutil.Error:
        return 0.0
