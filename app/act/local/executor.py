"""The executor: does typed deeds, each key once, and keeps what came of it."""

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from typing import Any

import msgspec
import psutil

from app.act.local.deed import Deed, Done, read_arguments
from app.act.local.hand import Hand, Stopped, Unwilling
from app.act.local.journal import End, Journal, write_all
from app.core.brief import LONG, brief
from app.core.errors import NotAccepted, NotHere, OutgoingFailed
from app.core.log import get_log
from app.models.job import JobState, Order, Progress
from app.models.menu import Arguments

BUG = "a bug ended it: nobody knows how far it came"
NO_OUTPUT = "nothing was done: its output cannot be written"
# What is told to end at the very end has so long to do so.
LAST_SECONDS = 2.0
# A daemon that was ended is started within that time, or never by us.
OWED_SECONDS = 75.0
PIECE_SECONDS = 0.05
HANGS = "it hangs: nobody knows how far it came, or whether it goes on"
# So long after its time it is given up, and so many may be.
LATE_SECONDS = 30.0
MOST_LOST = 8
log = get_log("local")


class Executor:
    """Does what it is told, if it is one of its deeds; from any thread."""

    def __init__(
        self,
        deeds: Mapping[str, Deed],
        journal: Journal,
        most: int,
        is_here: Callable[[str], bool],
    ) -> None:
        """Take what may be done here, where it is written, and how many.

        Args:
            deeds: what may be done here, by its name.
            journal: where it is written what was started.
            most: so many are done at once.
            is_here: tells whether a host's name is this machine's own.
        """
        self._deeds = deeds
        self._journal = journal
        self._most = most
        self._is_here = is_here
        self._change = Condition()
        self._is_open = True
        # What is about to be written down as started.
        self._starting: set[str] = set()
        # Until when each may run, on the clock that never jumps.
        self._running: dict[str, float] = {}
        # What was given up, and whose threads are not back.
        self._lost: set[str] = set()
        # How jobs ended that could not be written down yet.
        self._unwritten: dict[str, tuple[End, int]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return what may be done here."""
        return tuple(self._deeds)

    def start(self, order: Order, by: float = math.inf) -> Progress:
        """Start a job, or say how far it is when it was started before.

        Args:
            order: which job.
            by: on the clock that never jumps: from then on nobody waits for
                an answer, and nothing is started.

        Raises:
            NotAccepted: it was certainly not started.
        """
        self._give_up()
        found = self._look(order)
        if found is not None:
            return found
        deed = self._deeds.get(order.name)
        if deed is None:
            raise NotAccepted(
                f"{order.name} is not allowed on this machine: see"
                " backends.local.allow"
            )
        arguments = read_arguments(deed.takes, _told(deed, order))
        host = str(order.arguments.get("host", ""))
        if _takes(deed, "host") and not self._is_here(host):
            raise NotAccepted(
                f"{host[:100]!r} is no name of this machine: if it is,"
                " list it in host.names"
            )
        with self._place(order.key):
            # That may take long: who asks for the job meanwhile must know.
            self.repay()
            if time.monotonic() > by:
                raise NotAccepted("it came too late", may_retry=True)
            lock = self._journal.open(order)
            if lock is not None:
                self._set_off(deed, arguments, order, lock)
                return Progress(reference=f"local:{order.key}")
        return self.watch(order)

    def watch(self, order: Order) -> Progress:
        """Return how a job goes on, or raise NotHere for none."""
        found = self.find(order)
        if found is None:
            raise NotHere("it was never started here")
        return found

    def abort(self, order: Order) -> Progress:
        """Tell a job to end, or raise OutgoingFailed."""
        self._journal.stop(order.key)
        return self.watch(order)

    def find(self, order: Order) -> Progress | None:
        """Return a job by its key, or None when it was never started.

        Raises:
            OutgoingFailed: it may be started at this moment.
        """
        with self._change:
            if order.key in self._starting:
                raise OutgoingFailed("it is about to be started")
        self._give_up()
        return self._look(order)

    def close(self, seconds: float) -> bool:
        """Take no new orders; tell whether all that runs came to its end.

        Args:
            seconds: so long it may go on; then it is told to end.
        """
        with self._change:
            self._is_open = False
            if self._change.wait_for(self._is_idle, seconds):
                return True
            left = tuple(self._running)
        for key in left:
            log.warning("deed.cut_short", key=key)
            with suppress(OutgoingFailed):
                self._journal.stop(key)
        with self._change:
            is_over = self._change.wait_for(self._is_idle, LAST_SECONDS)
            # What has ended a daemon must start it before we end.
            until = time.monotonic() + OWED_SECONDS
            while self._owes() and time.monotonic() < until:
                self._change.wait(PIECE_SECONDS)
            return is_over or self._is_idle()

    def repay(self) -> None:
        """Start what was left ended by jobs whose doers died."""
        with suppress(OSError):
            self._journal.repay()

    def _owes(self) -> bool:
        """Tell whether a job has ended a daemon and not started it yet."""
        return any(map(self._journal.owes, (*self._running, *self._lost)))

    def _give_up(self) -> None:
        """Give up what hangs: its end is told, and its place is free.

        Its thread cannot be ended. Should it come back, the next look of
        its hand ends it, as its time is over.
        """
        now = time.monotonic()
        with self._change:
            late = [key for key, end in self._running.items() if end <= now]
        for key in late:
            if not self._write_end(key, End(JobState.UNKNOWN, HANGS)):
                continue
            with self._change:
                if self._running.pop(key, None) is None:
                    continue
                self._lost.add(key)
                self._change.notify_all()
            log.error("deed.hangs", key=key)

    def _is_idle(self) -> bool:
        """Tell whether nothing is done, and nothing is about to be."""
        return not self._running and not self._starting

    def _look(self, order: Order) -> Progress | None:
        """Return a job out of the journal, or None for none."""
        kept = self._unwritten.get(order.key)
        if kept is None:
            return self._journal.find(order.key, order.cursor)
        end, lock = kept
        if self._write_end(order.key, end):
            with self._change:
                if self._unwritten.pop(order.key, None):
                    os.close(lock)
        return self._journal.find(order.key, order.cursor, end)

    @contextmanager
    def _place(self, key: str) -> Iterator[None]:
        """Lend a place to start a job in, or raise NotAccepted for none."""
        with self._change:
            if not self._is_open:
                why = "the executor is about to end"
                raise NotAccepted(why, may_retry=True)
            if key in self._starting:
                raise OutgoingFailed("it is about to be started")
            if len(self._lost) >= MOST_LOST:
                why = f"{len(self._lost)} earlier jobs hang on this machine"
                raise NotAccepted(why, may_retry=True)
            if len(self._running) + len(self._starting) >= self._most:
                why = "as much is done on this machine as may be at once"
                raise NotAccepted(why, may_retry=True)
            self._starting.add(key)
        try:
            yield
        finally:
            with self._change:
                self._starting.discard(key)
                self._change.notify_all()

    def _set_off(
        self, deed: Deed, arguments: Any, order: Order, lock: int
    ) -> None:
        """Let a thread do it, or raise NotAccepted when there is none."""
        with self._change:
            until = time.monotonic() + order.seconds + LATE_SECONDS
            self._running[order.key] = until
        work = Thread(
            target=self._work,
            args=(deed, arguments, order, lock),
            name=order.name,
            daemon=True,
        )
        try:
            work.start()
        except RuntimeError as error:
            self._journal.withdraw(order.key, lock)
            self._finish(order.key)
            why = "this machine has no thread left for it"
            raise NotAccepted(why, may_retry=True) from error

    def _finish(self, key: str) -> None:
        """Give a place back."""
        with self._change:
            self._running.pop(key, None)
            self._lost.discard(key)
            self._change.notify_all()

    def _work(
        self, deed: Deed, arguments: Any, order: Order, lock: int
    ) -> None:
        """Do it, and write down how it ended; on a thread of its own."""
        end = End(JobState.UNKNOWN, BUG)
        try:
            end = self._do(deed, arguments, order)
        except Exception:
            # It is told as unknown; what it was is for the developer.
            log.exception("deed.crashed", key=order.key, deed=order.name)
        finally:
            self._settle(order.key, end, lock)

    def _settle(self, key: str, end: End, lock: int) -> None:
        """Write down how a job ended, or keep it until that is possible."""
        if self._write_end(key, end):
            os.close(lock)
        else:
            with self._change:
                self._unwritten[key] = end, lock
        self._finish(key)

    def _do(self, deed: Deed, arguments: Any, order: Order) -> End:
        """Return how a deed ended that has somewhere to write to."""
        stop_file = self._journal.stop_file(order.key)
        try:
            with self._journal.writing(order.key) as file:
                hand = Hand(
                    order.key,
                    order.seconds,
                    _writer(file),
                    stop_file,
                    order.bounds,
                )
                return _do(deed, arguments, hand)
        except OSError as error:
            why = f"{NO_OUTPUT}: {error.strerror}"
            return End(JobState.FAILED, why)

    def _write_end(self, key: str, end: End) -> bool:
        """Write down how a job ended; tell whether that was possible."""
        try:
            self._journal.end(key, end)
        except OSError as error:
            log.warning("deed.not_written", key=key, error=error.strerror)
            return False
        return True


def _told(deed: Deed, order: Order) -> Arguments:
    """Return what a deed is told: of the hints only those that it takes."""
    hints = order.known_hints
    known = {k: v for k, v in hints.items() if _takes(deed, k)}
    return known | order.arguments


def _takes(deed: Deed, name: str) -> bool:
    """Tell whether a deed takes an argument of this name."""
    fields = msgspec.structs.fields(deed.takes)
    return any(one.name == name for one in fields)


def _do(deed: Deed, arguments: Any, hand: Hand) -> End:
    """Return how a deed ended."""
    try:
        done = deed.do(arguments, hand)
    except Stopped as error:
        return End(error.state, brief(str(error), LONG))
    except (Unwilling, OutgoingFailed, psutil.Error, OSError) as error:
        why = str(error) or type(error).__name__
        done = Done(why, JobState.FAILED)
    reason = brief(done.reason, LONG)
    if reason:
        hand.say(reason)
    return End(done.state, reason)


def _writer(file: int) -> Callable[[str], None]:
    """Return what writes a text, whatever its signs are.

    A full disk stops no deed: the deed may be what makes room on it.
    """

    def write(text: str) -> None:
        """Write it, or lose it."""
        try:
            write_all(file, text.encode(errors="replace"))
        except OSError as error:
            log.warning("deed.output_lost", error=error.strerror)

    return write
