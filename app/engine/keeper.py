"""The keeper: one thread that writes about incidents, a turn at a time.

It folds what the inbox took, looks again at what is due, and does what
people ask for, all on one connection: nothing of it waits on the event
loop, and no two turns of one process meet.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from app.core.clock import Clock
from app.core.errors import SmokejumperError, StorageFailed, TooBusy
from app.core.log import get_log
from app.engine.anchor import Anchoring
from app.engine.foldmeters import Meters
from app.engine.line import Call, Line, Work
from app.fold.folding import BATCH, Folder, Turn
from app.store.ledger import Connection, Ledger, Overtaken, part

__all__ = ["Bug", "Keeper", "Meters", "Work"]
# Another process may have written, too: look without being called.
LOOK_SECONDS = 2.0
# While nobody writes and nothing is due, that look needs no turn for so long.
STILL_SECONDS = 10.0
# What is asked for comes in rows: what it leaves to be done is done for all
# of it, so long after the last turn at most.
OWED_SECONDS = 0.25
PAUSE_SECONDS = 1.0
# While senders wait, folding gets a tenth of the time: they come first, and
# what they bring is folded when the storm is over.
RESTS = 9
# And few at once: a receipt waits for the turn that has begun.
FEW = 25
# A turn that folds longer is followed by a smaller one.
LONG_SECONDS = 0.25
# After something came in, more of it is waited for.
GATHER_SECONDS = 0.04
STREAM_SECONDS = 0.5
# So long what a turn looks at besides alerts is left alone after a bug.
FIRST_REST, LONGEST_REST = 2.0, 60.0
# So many calls share one turn, and so one fsync, as long as that is short.
MOST_TOGETHER = 16
TOGETHER_SECONDS = 0.02
T = TypeVar("T")
log = get_log("keeper")


class Bug(Exception):
    """A turn crashed; the log has the trace."""


class Keeper:
    """Owns the writing thread of incidents."""

    def __init__(
        self,
        ledger: Ledger,
        folder: Folder,
        clock: Clock,
        meters: Meters,
        anchoring: Anchoring | None = None,
    ) -> None:
        """Take the way to the store, the rules of folding, and the time."""
        self._ledger = ledger
        self._folder = folder
        self._clock = clock
        self._meters = meters
        self._anchoring = anchoring or Anchoring(None, clock)
        self._line = Line()
        self._signal = threading.Event()
        # Whether alerts came in since the last turn that folds began.
        self._has_news = False
        self._is_door_busy: Callable[[], bool] = bool
        self._limit = BATCH
        self._turned_at = 0.0
        # What the last turn saw, when it found nothing to do.
        self._still: int | None = None
        self._looked_at = float("-inf")
        # Whether calls since the last turn may have left something to it.
        self._is_owed = False
        self._rest = 0.0
        self._rests_until = 0.0
        self._is_open = False
        self._next_due: int | None = None
        self._listeners: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, name="keeper")

    def listen(self, listener: Callable[[], None]) -> None:
        """Call back, on the keeper's thread, when the log has grown."""
        self._listeners.append(listener)

    def give_way(self, is_door_busy: Callable[[], bool]) -> None:
        """Pause between two turns while senders wait for their receipts."""
        self._is_door_busy = is_door_busy

    def start(self) -> None:
        """Start the thread."""
        self._is_open = True
        self._thread.start()

    def stop(self) -> None:
        """Finish the turn and what was asked for, then end the thread."""
        self._is_open = False
        self._signal.set()
        self._line.end()
        if self._thread.is_alive():
            self._thread.join()
        self._ledger.close()

    def wake(self) -> None:
        """Say that something came in; cheap, from any thread."""
        self._has_news = True
        self._signal.set()

    def ask(self, work: Work[T], *, is_urgent: bool = False) -> Future[T]:
        """Run some work in a turn; the future says how it went.

        Args:
            work: what is to be done.
            is_urgent: whether it goes before all that waits, however much
                that is: to stop everything, and nothing else.

        Raises:
            TooBusy: too much is waiting, or the service ends.
        """
        if not self._is_open:
            raise TooBusy("keeper_busy", "The service ends.")
        future = self._line.add(work, is_urgent=is_urgent)
        self._signal.set()
        return future

    def _run(self) -> None:
        """Turn by turn, until told to stop."""
        while self._is_open:
            is_called = self._signal.wait(self._wait_seconds())
            if not is_called and self._is_still():
                continue
            self._signal.clear()
            self._answer_calls()
            self._is_owed = is_called and self._may_owe()
            if self._is_owed:
                continue
            self._gather()
            while self._is_open and self._try_turn():
                self._answer_calls()
        while self._line:
            self._answer_calls()
        self._anchor_end()

    def _gather(self) -> None:
        """Let more come in when the last turn is not long ago.

        A turn costs much the same for one alert and for twenty; one that
        comes alone is folded at once.
        """
        if self._clock.monotonic() - self._turned_at < STREAM_SECONDS:
            self._line.rest(GATHER_SECONDS)
            self._answer_calls()

    def _wait_seconds(self) -> float:
        """Return how long nothing can be due."""
        if self._is_owed:
            since = self._clock.monotonic() - self._looked_at
            return max(OWED_SECONDS - since, 0.01)
        if self._next_due is None:
            return LOOK_SECONDS
        due = (self._next_due - self._clock.now()) / 1e6
        return min(max(due, 0.01), LOOK_SECONDS)

    def _may_owe(self) -> bool:
        """Tell whether a turn can wait: the last was just now, and no news."""
        since = self._clock.monotonic() - self._looked_at
        return not self._has_news and since < OWED_SECONDS

    def _is_still(self) -> bool:
        """Tell whether a turn would find what the last one found: nothing."""
        rested = self._clock.monotonic() - self._looked_at
        due = self._next_due
        is_due = due is not None and due <= self._clock.now()
        is_long = self._is_owed or rested >= STILL_SECONDS
        if self._still is None or is_due or is_long:
            return False
        return self._still == self._ledger.stamp()

    def _answer_calls(self) -> None:
        """Do what was asked for; what waits together shares a turn.

        What is asked for meanwhile waits until alerts were folded: whoever
        acts on incidents asks again and again, and must know what they are.
        """
        self._answer_urgent()
        left = len(self._line)
        while left > 0:
            most = min(left, MOST_TOGETHER)
            left -= most
            calls = self._line.take(most)
            while calls:
                calls = self._answer(calls)
                self._answer_urgent()

    def _answer_urgent(self) -> None:
        """Do what goes before all that waits; each in a turn of its own."""
        while calls := self._line.take_urgent():
            self._answer(calls)

    def _answer(self, calls: list[Call]) -> list[Call]:
        """Answer some calls in one turn; return those that it left over.

        Nobody is answered before the turn is on disk; when that fails, it
        fails for all of them.
        """
        done: list[Call] = []
        do = self._do_alone if len(calls) == 1 else self._do
        error: Exception | None
        try:
            error = self._attempt(partial(do, calls=calls, done=done))
        except SmokejumperError as failure:
            error = failure
        if error is not None:
            for call in calls:
                call.fail(error)
            return []
        for call in done:
            call.answer()
        self._tell()
        return calls[len(done) :]

    def _do_alone(
        self, connection: Connection, calls: list[Call], done: list[Call]
    ) -> None:
        """Do the only call of a turn; what it raises undoes the turn."""
        (call,) = calls
        call.result = call.work(connection)
        done.append(call)

    def _do(
        self, connection: Connection, calls: list[Call], done: list[Call]
    ) -> None:
        """Do calls one by one; what one of them raises undoes it alone."""
        until = self._clock.monotonic() + TOGETHER_SECONDS
        for call in calls:
            is_long = self._line.is_urged or self._clock.monotonic() >= until
            if done and is_long:
                return
            try:
                with part(connection):
                    call.result = call.work(connection)
            except StorageFailed:
                # The database itself: nothing of the turn would hold.
                raise
            except SmokejumperError as error:
                call.error = error
            except Exception as crash:
                log.exception("turn.call_crashed")
                call.error = _bug_of(crash)
            done.append(call)

    def _attempt(self, work: Work[T], *, is_late: bool = False) -> T | Bug:
        """Run some work in a turn; a bug undoes the turn, not the thread."""
        try:
            with self._ledger.turn(is_late=is_late) as connection:
                result = work(connection)
                anchor = self._anchoring.look(connection)
        except SmokejumperError:
            raise
        except Overtaken:
            # Once more, and this time nobody writes in between.
            return self._attempt(work)
        except Exception as crash:
            log.exception("turn.crashed")
            return _bug_of(crash)
        if anchor is not None:
            self._anchoring.keep(anchor)
        return result

    def _anchor_end(self) -> None:
        """Keep where the log ends when nothing more will be written."""
        try:
            with self._ledger.turn() as connection:
                anchor = self._anchoring.look(connection, at_once=True)
        except SmokejumperError as error:
            log.warning("anchor.not_written", error=str(error))
            return
        if anchor is not None:
            self._anchoring.keep(anchor)

    def _try_turn(self) -> bool:
        """Fold once; tell whether there is more to do at once."""
        start = self._looked_at = self._clock.monotonic()
        # Before the turn: what is written during it is then seen.
        stamp, self._still = self._ledger.stamp(), None
        try:
            turn = self._turn()
        except StorageFailed as error:
            self._meters.failures.inc()
            self._meters.is_behind.set(1)
            log.error("fold.failed", error=str(error))
            self._line.rest(PAUSE_SECONDS)
            return False
        took = self._clock.monotonic() - start
        if took > LONG_SECONDS:
            # Whoever acts must be able to keep what is his.
            self._limit = max(FEW, self._limit // 4)
        self._next_due = turn.next_due
        self._meters.is_behind.set(turn.is_full or self._rest > 0)
        self._meters.waiting.set(turn.waiting)
        self._meters.last_turn.set(self._clock.now() / 1e6)
        if turn.alerts:
            self._turned_at = self._clock.monotonic()
            self._meters.alerts.inc(turn.alerts)
            self._meters.seconds.observe(took)
        if turn.entries:
            self._meters.entries.inc(turn.entries)
            self._tell()
        if not (turn.alerts or turn.entries or turn.waiting or self._rest):
            self._still = stamp
        if turn.is_full and self._is_door_busy():
            # Whoever waits for a receipt comes first.
            self._line.rest(took * RESTS)
        return turn.is_full

    def _turn(self) -> Turn:
        """Fold a batch; what crashes is narrowed down and passed by."""
        has_news, self._has_news = self._has_news, False
        while True:
            limit = self._limit
            if has_news or self._is_door_busy():
                limit = min(limit, FEW)
            is_resting = self._clock.monotonic() < self._rests_until
            if not is_resting:
                fold = partial(self._folder.fold, limit=limit)
                turn = self._attempt(fold, is_late=True)
                if not isinstance(turn, Bug):
                    self._rest = 0.0
                    return self._widen(turn)
            turn = self._attempt(partial(self._folder.fold_only, limit=limit))
            if not isinstance(turn, Bug):
                if not is_resting:
                    self._look_besides()
                return self._widen(turn)
            if limit == 1:
                self._meters.skipped.inc()
                why = str(turn)
                return self._sure(partial(self._folder.skip, why=why))
            self._limit = limit // 2

    def _widen(self, turn: Turn) -> Turn:
        """Return a turn that went well; the next may be larger."""
        self._limit = min(BATCH, 2 * self._limit)
        return turn

    def _look_besides(self) -> None:
        """Put off the due incidents that crash when settled alone.

        When none does, it is something else that a turn looks at besides
        alerts: that is left alone for a while, and longer each time.
        """
        is_found = False
        for number in self._sure(self._folder.find_due):
            work = partial(self._folder.settle_one, number=number)
            if isinstance(self._attempt(work), Bug):
                is_found = True
                self._sure(partial(self._folder.postpone, number=number))
        if is_found:
            return
        self._rest = min(LONGEST_REST, max(FIRST_REST, 2 * self._rest))
        self._rests_until = self._clock.monotonic() + self._rest
        log.error("turn.only_alerts", pause_seconds=self._rest)

    def _sure(self, work: Work[T]) -> T:
        """Run some work that must not crash; if it does, wait."""
        result = self._attempt(work)
        if isinstance(result, Bug):
            raise StorageFailed(f"a bug: {result}")
        return result

    def _tell(self) -> None:
        """Tell whoever listens that the log has grown."""
        for listener in self._listeners:
            listener()


def _bug_of(crash: Exception) -> Bug:
    """Return what is told of a crash."""
    # What the driver says is told by its own name.
    cause = getattr(crash, "orig", None) or crash
    return Bug(type(cause).__name__)
