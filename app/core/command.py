"""Run a fixed command in a thread: no shell, an end, a little output."""

import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread

import msgspec

from app.core import program as system
from app.core.errors import NotSent, OutgoingFailed

END_SECONDS = 2.0
CHUNK_BYTES = 16_384
LOOK_SECONDS = 0.05


class Said(msgspec.Struct, frozen=True):
    """What came of a command.

    Attributes:
        status: what it ended with; below nothing, the signal that ended it.
        text: what it wrote.
        error: what it wrote about its troubles.
    """

    status: int
    text: str
    error: str


def find_program(name: str) -> str:
    """Return where a program of the system is, or raise NotSent.

    What has a slash is taken as it is written.
    """
    if os.sep in name:
        return name
    path = shutil.which(name, path=system.PLACES)
    if path is None:
        raise NotSent(f"{name} is not on this machine")
    return path


def run_program(
    name: str,
    arguments: Sequence[str],
    seconds: float,
    *,
    keeps_end: bool = False,
) -> Said:
    """Return what comes of a command; nothing that it started is left.

    Args:
        name: the program.
        arguments: what it is told.
        seconds: how long it may take.
        keeps_end: whether the end is kept, in whole lines, of what is too
            long: that of a log is what matters.

    Raises:
        NotSent: it could not be started.
        OutgoingFailed: it takes too long, or says too much.
    """
    until = time.monotonic() + seconds
    running = _begin(name, arguments, subprocess.PIPE)
    try:
        text, error = _read(running, name, until, keeps_end=keeps_end)
        running.wait(max(0.0, until - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired) as late:
        why = f"{name} did not answer in {seconds:g} s"
        raise OutgoingFailed(why) from late
    finally:
        _end(running)
    return Said(
        running.returncode,
        text.decode(errors="replace"),
        error.decode(errors="replace"),
    )


class Starter:
    """A command that may leave a daemon behind, and is never ended by us.

    Its output goes nowhere: a daemon that it starts keeps what it was
    given, and would break or fill it.
    """

    def __init__(self, name: str, arguments: Sequence[str]) -> None:
        """Start it.

        Raises:
            NotSent: it could not be started.
        """
        self._running = _begin(name, arguments, subprocess.DEVNULL)
        self._end = Event()
        # However long it takes, somebody hears how it ends.
        Thread(target=self._hear, daemon=True, name="starter").start()

    @property
    def has_ended(self) -> bool:
        """Tell whether it has."""
        return self._end.is_set()

    def wait(
        self, seconds: float, wait: Callable[[float], None]
    ) -> int | None:
        """Return its status, None when it takes longer: it runs on.

        Args:
            seconds: how long is waited.
            wait: waits for a moment; what it raises ends the waiting.
        """
        until = time.monotonic() + seconds
        while not self._end.wait(LOOK_SECONDS):
            if time.monotonic() >= until:
                return None
            wait(0.0)
        return self._running.returncode

    def _hear(self) -> None:
        """Wait for its end, on a thread of its own."""
        self._running.wait()
        self._end.set()


def _begin(
    name: str, arguments: Sequence[str], output: int
) -> subprocess.Popen[bytes]:
    """Start a program that gets nothing of ours, or raise NotSent."""
    try:
        return subprocess.Popen(  # noqa: S603 fixed words, never a shell
            [find_program(name), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": system.PLACES, "LC_ALL": "C", "LANG": "C"},
            cwd=os.sep,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it cannot be started"
        raise NotSent(f"{name}: {why}") from error


def _read(
    running: subprocess.Popen[bytes],
    name: str,
    until: float,
    *,
    keeps_end: bool,
) -> tuple[bytes, bytes]:
    """Return what it writes until it writes no more, or raise."""
    said: dict[int, bytes] = {}
    with selectors.DefaultSelector() as pipes:
        for pipe in (running.stdout, running.stderr):
            if pipe is not None:
                pipes.register(pipe, selectors.EVENT_READ)
                said[pipe.fileno()] = b""
        while pipes.get_map():
            for key, _ in pipes.select(_left(until)):
                chunk = os.read(key.fd, CHUNK_BYTES)
                said[key.fd] += chunk
                if not chunk:
                    pipes.unregister(key.fd)
                elif keeps_end:
                    # One more than is kept: so it is known that it was cut.
                    said[key.fd] = said[key.fd][-system.MOST_BYTES - 1 :]
            is_much = sum(map(len, said.values())) > system.MOST_BYTES
            if is_much and not keeps_end:
                raise OutgoingFailed(f"{name} says too much")
    text, error = map(_whole_lines, said.values())
    return text, error


def _whole_lines(said: bytes) -> bytes:
    """Return an output; what was cut begins with its first whole line."""
    if len(said) <= system.MOST_BYTES:
        return said
    return said.partition(b"\n")[2]


def _left(until: float) -> float:
    """Return how much time is left, or raise TimeoutError."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _end(running: subprocess.Popen[bytes]) -> None:
    """Leave no process behind, nor one that it started."""
    if running.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
    for pipe in (running.stdout, running.stderr):
        if pipe is not None:
            pipe.close()
    with suppress(subprocess.TimeoutExpired):
        running.wait(END_SECONDS)
