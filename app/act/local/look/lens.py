"""The lens: what a probe looks through: files, the past, and a window."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from app.act.local.look.aside import Aside
from app.core.errors import OutgoingFailed
from app.core.host import HostSettings
from app.core.look.amounts import size, span
from app.core.look.commands import show_command
from app.core.look.counters import MOST_BYTES, read_counters, read_text
from app.core.look.ours import MARK, is_our_group, is_our_program, is_us
from app.core.look.past import Past, share_of
from app.core.look.snapshot import (
    Key,
    Proc,
    Snapshot,
    age_of,
    take,
)

# Beside the window itself: reading takes a moment on a loaded machine.
WINDOW_EXTRA_SECONDS = 6.0
COMMAND_BYTES = 4_096
MOST_PROCS = 4_000
T = TypeVar("T")


class Window(msgspec.Struct, frozen=True):
    """What happened between two looks.

    Attributes:
        seconds: how long it was.
        now: the machine at the end.
        counters: what was counted by then.
        rises: how much each counter rose in a second.
        shares: what each process took, in percent of one core.
        since: the machine at its beginning.
    """

    seconds: float
    now: Snapshot
    counters: dict[str, float]
    rises: dict[str, float]
    shares: dict[Key, float]
    since: Snapshot

    def rate(self, name: str, of: str = "") -> float | None:
        """Return how fast a counter rose; as a share of another's, in %."""
        rise = self.rises.get(name)
        if rise is None or not of:
            return rise
        whole = self.rises.get(of, 0.0)
        return 100.0 * rise / whole if whole > 0 else None

    def devices(self, what: str) -> Iterator[str]:
        """Yield which devices have a counter."""
        for name in self.rises:
            kind, _, device = name.partition(":")
            if kind == what and device:
                yield device


class Lens:
    """What all probes of one round look through; from any thread.

    Attributes:
        past: how this machine was.
        host: what is said about it.
        root: where /proc and /sys are.
        service: the service that the alert is about, or empty; it is set
            before any probe looks.
    """

    def __init__(
        self,
        past: Past,
        host: HostSettings,
        *,
        window_seconds: float = 2.0,
        seconds: float = 20.0,
        root: Path = Path("/"),
    ) -> None:
        """Begin to watch.

        Args:
            past: how this machine was.
            host: what is said about it.
            window_seconds: how long is watched what moves.
            seconds: how long all of it may take.
            root: where /proc and /sys are.
        """
        self.past = past
        self.host = host
        self.root = root
        self.service = ""
        self._until = time.monotonic() + seconds
        self._seconds = window_seconds
        self._window = Aside("window", self._watch)

    @property
    def seconds_left(self) -> float:
        """Return how long the round may still take."""
        return max(0.0, self._until - time.monotonic())

    def window(self) -> Window:
        """Return what happened meanwhile, or raise one of KNOWN; waits."""
        patience = self._seconds + WINDOW_EXTRA_SECONDS
        return self._window.get(min(self.seconds_left, patience))

    def _watch(self) -> Window:
        """Look twice."""
        since, before = take(), read_counters(self.root)
        time.sleep(self._seconds)
        now, after = take(since), read_counters(self.root)
        seconds = max(now.monotonic - since.monotonic, 1e-3)
        rises = {
            name: (value - before[name]) / seconds
            for name, value in after.items()
            if name in before and value >= before[name]
        }
        shares = {
            key: share_of(proc, since, seconds)
            for key, proc in now.procs.items()
            if key in since.procs or since.age(proc) <= 0
        }
        return Window(seconds, now, after, rises, shares, since)

    def text(self, path: str, most: int = MOST_BYTES) -> str:
        """Return the beginning of a file, or raise OSError."""
        return read_text(self.root / path, most)

    def folder(self, path: str, most: int = 1_000) -> list[str]:
        """Return some names of a folder, or raise OSError."""
        with os.scandir(self.root / path) as found:
            names = [one.name for one in islice(found, most)]
        return sorted(names)

    def all_of(
        self, calls: Mapping[str, Callable[[], T]], seconds: float
    ) -> Iterator[tuple[str, T | Exception]]:
        """Yield what calls say that may hang, all begun at once.

        Args:
            calls: the calls, by what is looked at.
            seconds: how long all of them are waited for.
        """
        until = time.monotonic() + min(seconds, self.seconds_left)
        begun: dict[str, Aside[T] | OutgoingFailed] = {}
        for key, call in calls.items():
            try:
                begun[key] = Aside(key, call)
            except OutgoingFailed as error:
                begun[key] = error
        for key, one in begun.items():
            if isinstance(one, OutgoingFailed):
                yield key, one
                continue
            try:
                yield key, one.get(until - time.monotonic())
            except (OutgoingFailed, OSError, ValueError, LookupError) as error:
                yield key, error

    def command(self, proc: Proc) -> str:
        """Return a process's command line without secrets."""
        with suppress(OSError):
            text = self.text(f"proc/{proc.pid}/cmdline", COMMAND_BYTES)
            words = text.rstrip("\0").split("\0")
            # The last word may be the half of a secret.
            kept = words[:-1] if len(text) >= COMMAND_BYTES else words
            if any(kept):
                return show_command(kept)
        return f"({proc.name})"

    def who(self, proc: Proc) -> str:
        """Return whose a process is, how old, and whether it is ours."""
        age = f"for {span(age_of(proc))}"
        with suppress(OSError):
            uid = (self.root / f"proc/{proc.pid}").stat().st_uid
            age = f"{self._user(uid)}, {age}"
        return age + self.mark(proc)

    def is_ours(self, proc: Proc) -> bool:
        """Tell whether a process is of this service."""
        if is_us(proc.pid, proc.parent):
            return True
        with suppress(OSError):
            text = self.text(f"proc/{proc.pid}/cmdline", COMMAND_BYTES)
            if is_our_program(text.split("\0")):
                return True
            group = self.text(f"proc/{proc.pid}/cgroup")
            return is_our_group(group, self.text(f"proc/{os.getpid()}/cgroup"))
        return False

    def mark(self, proc: Proc) -> str:
        """Return what follows a process that is ours; else nothing."""
        return MARK if self.is_ours(proc) else ""

    def describe(self, proc: Proc, share: float) -> str:
        """Return a process as one line of a table."""
        return (
            f"{proc} {share:.0f} % of a core, {size(proc.rss)},"
            f" {proc.threads} threads, {proc.state}, {self.who(proc)}:"
            f" {self.command(proc)}"
        )

    def _user(self, uid: int) -> str:
        """Return a local user's name; nobody else is asked: it may hang."""
        with suppress(OSError):
            for line in self.text("etc/passwd").splitlines():
                words = line.split(":")
                if len(words) > 2 and words[2] == str(uid):
                    return words[0]
        return f"uid {uid}"
