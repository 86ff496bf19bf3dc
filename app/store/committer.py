"""Group commit: many deliveries, one fsync, answered together.

The event loop hands filings over and is called back with the receipts; one
writer thread takes whatever has gathered and commits it at once. While one
commit is on its way to the disk the next batch gathers: no timer is needed,
and a lone delivery waits for one commit only.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from queue import Empty, SimpleQueue
from typing import Protocol

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.core.clock import Clock
from app.core.errors import RowRefused, StorageFailed, TooBusy
from app.core.log import get_log
from app.models.delivery import Filing, Flaw, Parsed, Receipt

LOOK_SECONDS = 0.5
NOT_STORABLE = (Flaw("not_storable", "$", "the database cannot hold it"),)
MOST_AT_ONCE = 500
# After a batch of so many, more are waited for: see Committer._linger.
BUSY = 4
LINGER_SECONDS = 0.001
LINGER_TURNS = 8
# With more than so many in line everything else gives way.
CROWD = 16
Done = Callable[[Receipt | StorageFailed], None]
Answers = Iterator[tuple["Waiting", Receipt | StorageFailed]]
log = get_log("store")


class Writer(Protocol):
    """What the writer thread needs of the inbox.

    Attributes:
        was_quick: the last batch took one statement, which the event loop
            hardly notices: then a larger batch is not worth a wait.
    """

    was_quick: bool

    def write(self, filings: Sequence[Filing]) -> list[Receipt]:
        """Return once all are on disk, in order; all of them or none."""

    def probe(self, now: int) -> None:
        """Return once a row was really written and read back."""

    def close(self) -> None:
        """Give back the connection."""


class Bounds(msgspec.Struct, frozen=True):
    """How much may wait for the disk, and for how long."""

    deliveries: int
    size: int
    seconds: float


class Waiting(msgspec.Struct):
    """One delivery, or one probe without a filing, and who is called."""

    filing: Filing | None
    size: int
    since: float
    done: Done
    is_answered: bool = False
    has_left: bool = False


class Meters:
    """What the disk side of the inbox tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the meters part of a registry."""
        self.commit = Histogram(
            "smokejumper_commit_seconds",
            "Time of one group commit, from the first statement to the disk",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
            registry=registry,
        )
        self.batch = Histogram(
            "smokejumper_commit_deliveries",
            "Deliveries in one group commit",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
            registry=registry,
        )
        self.lag = Gauge(
            "smokejumper_commit_lag_seconds",
            "How long the oldest delivery without an answer has waited",
            registry=registry,
        )
        self.failures = Counter(
            "smokejumper_commit_failures",
            "Group commits that the database did not take",
            registry=registry,
        )
        self.queue = Gauge(
            "smokejumper_queue_deliveries",
            "Deliveries that wait for their commit",
            registry=registry,
        )
        self.queue_bytes = Gauge(
            "smokejumper_queue_bytes",
            "Bytes of the deliveries that wait for their commit",
            registry=registry,
        )


class Committer:
    """Owns the writer thread and the bounded queue in front of it."""

    def __init__(
        self, inbox: Writer, bounds: Bounds, clock: Clock, meters: Meters
    ) -> None:
        """Take the inbox, the bounds of the queue, and the time."""
        self._inbox = inbox
        self._bounds = bounds
        self._clock = clock
        self._meters = meters
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._unanswered: deque[Waiting] = deque()
        self._deliveries = 0
        self._size = 0
        self._open = False
        self._listener: Callable[[], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="committer")
        meters.lag.set_function(self._lag)
        meters.queue.set_function(lambda: self._deliveries)
        meters.queue_bytes.set_function(lambda: self._size)

    def start(self) -> None:
        """Start the writer thread; call it on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._thread.start()
        self._look()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call back, on the writer thread, when a batch is on disk."""
        self._listener = listener

    async def stop(self) -> None:
        """Commit what waits, then end the thread."""
        self._open = False
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._inbox.close()

    def submit(self, filing: Filing, done: Done) -> None:
        """Call back when it is on disk or failed, or raise TooBusy at once."""
        size = len(filing.delivery.body)
        if (
            self._deliveries >= self._bounds.deliveries
            or self._size + size > self._bounds.size
        ):
            raise TooBusy("queue_full", "Too many deliveries wait for disk.")
        self._enqueue(filing, size, done)

    def is_busy(self) -> bool:
        """Tell, from any thread, whether many wait for a receipt."""
        return self._deliveries > CROWD

    async def probe(self) -> None:
        """Return when a row was really written and read back."""
        future = asyncio.get_running_loop().create_future()

        def done(result: Receipt | StorageFailed) -> None:
            """Wake whoever asked, unless he has gone."""
            if not future.done():
                future.set_result(result)

        self._enqueue(None, 0, done)
        result = await future
        if isinstance(result, StorageFailed):
            raise result

    def _enqueue(self, filing: Filing | None, size: int, done: Done) -> None:
        """Put one more into the queue of the writer thread."""
        if not self._open:
            raise TooBusy("stopping", "The service is shutting down.")
        self._deliveries += 1
        self._size += size
        since = self._clock.monotonic()
        waiting = Waiting(filing, size, since, done)
        self._unanswered.append(waiting)
        self._queue.put(waiting)

    def _look(self) -> None:
        """Answer those whom the disk keeps waiting; it may never come back.

        They stay in the count until the writer thread is rid of them: what
        hangs must not grow.
        """
        if self._open and self._loop is not None:
            self._loop.call_later(LOOK_SECONDS, self._look)
        error = StorageFailed("the disk does not answer in time")
        while self._oldest_age() > self._bounds.seconds:
            late = self._unanswered.popleft()
            late.is_answered = True
            late.done(error)

    def _oldest_age(self) -> float:
        """Return how long the oldest without an answer has waited."""
        self._forget_answered()
        if not self._unanswered:
            return 0.0
        return self._clock.monotonic() - self._unanswered[0].since

    def _forget_answered(self) -> None:
        """Drop those who were answered from the front of the line."""
        waiting = self._unanswered
        while waiting and waiting[0].is_answered:
            waiting.popleft()

    def _lag(self) -> float:
        """Return the same for the metrics, which ask from another thread."""
        try:
            oldest = self._unanswered[0]
        except IndexError:
            return 0.0
        if oldest.is_answered:
            return 0.0
        return self._clock.monotonic() - oldest.since

    def _run(self) -> None:
        """Take what has gathered and commit it, until the end is queued."""
        was_busy = is_over = False
        while not is_over and (first := self._queue.get()) is not None:
            if was_busy and not self._inbox.was_quick:
                self._linger()
            batch = [first]
            is_over = self._take_more(batch)
            self._try_commit(batch)
            was_busy = len(batch) >= BUSY

    def _linger(self) -> None:
        """Wait as long as more keeps coming, some milliseconds at most.

        Under load one large commit costs less than two small ones, and the
        event loop works undisturbed meanwhile. Alone, nobody waits.
        """
        size = self._queue.qsize()
        for _ in range(LINGER_TURNS):
            time.sleep(LINGER_SECONDS)
            grown = self._queue.qsize()
            if grown == size:
                return
            size = grown

    def _take_more(self, batch: list[Waiting]) -> bool:
        """Add what waits to a batch; tell whether the end was queued."""
        while len(batch) < MOST_AT_ONCE:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if item is None:
                return True
            batch.append(item)
        return False

    def _try_commit(self, batch: list[Waiting]) -> None:
        """Commit a batch; a bug fails the batch, never the thread."""
        try:
            self._commit(batch)
        except Exception as bug:
            error = StorageFailed(f"a bug: {type(bug).__name__}")
            log.exception("batch.crashed", count=len(batch))
            self._fail(batch, error)

    def _commit(self, batch: list[Waiting]) -> None:
        """Commit a batch and answer everybody in it."""
        start = self._clock.monotonic()
        # The queue is in the order of coming: the late ones stand first.
        too_early = start - self._bounds.seconds
        count = sum(waiting.since < too_early for waiting in batch)
        if count:
            error = StorageFailed("the disk is too slow for what comes in")
            self._fail(batch[:count], error)
            batch = batch[count:]
        probes = [w for w in batch if w.filing is None]
        filed = [w for w in batch if w.filing is not None]
        if probes:
            self._probe(probes)
        if filed:
            self._write(filed, start)

    def _probe(self, probes: list[Waiting]) -> None:
        """Write and read one row for all who ask whether that works."""
        try:
            self._inbox.probe(self._clock.now())
        except StorageFailed as error:
            self._fail(probes, error)
            return
        self._answer(zip(probes, repeat(Receipt(delivery=0)), strict=False))

    def _write(self, batch: list[Waiting], start: float) -> None:
        """Write filings and hand out the receipts, or the one failure."""
        filings = [w.filing for w in batch if w.filing is not None]
        try:
            receipts = self._inbox.write(filings)
        except RowRefused as error:
            self._isolate(batch, start, error)
            return
        except StorageFailed as error:
            self._meters.failures.inc()
            log.error("batch.failed", count=len(batch), error=str(error))
            self._fail(batch, error)
            return
        self._answer(zip(batch, receipts, strict=True))
        if self._listener is not None:
            self._listener()
        self._meters.commit.observe(self._clock.monotonic() - start)
        self._meters.batch.observe(len(batch))
        _report(filings, receipts)

    def _isolate(
        self, batch: list[Waiting], start: float, error: RowRefused
    ) -> None:
        """Write each alone; what cannot be stored is kept in quarantine."""
        if len(batch) > 1:
            for waiting in batch:
                self._write([waiting], start)
            return
        (waiting,) = batch
        log.error("delivery.not_storable", error=str(error))
        filing = waiting.filing
        if filing is None or filing.parsed.unparsed == NOT_STORABLE:
            self._fail(batch, error)
            return
        parsed = Parsed(unparsed=NOT_STORABLE)
        waiting.filing = Filing(filing.delivery, filing.key, parsed)
        self._write(batch, start)

    def _fail(self, batch: list[Waiting], error: StorageFailed) -> None:
        """Tell all of a batch that nothing of it is promised."""
        self._answer(zip(batch, repeat(error), strict=False))

    def _answer(self, answers: Answers) -> None:
        """Hand answers out on the event loop, where they are awaited."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._hand_out, answers)

    def _hand_out(self, answers: Answers) -> None:
        """Give each its answer, once; a bug in one spoils no other."""
        try:
            for waiting, result in answers:
                self._leave(waiting)
                if not waiting.is_answered:
                    waiting.is_answered = True
                    waiting.done(result)
        finally:
            self._forget_answered()
            # Nothing is left after the loop's own end, only after an error.
            rest = list(answers)
            if rest:
                self._answer(iter(rest))

    def _leave(self, waiting: Waiting) -> None:
        """Take one out of the count, once: the writer is rid of it."""
        if not waiting.has_left:
            waiting.has_left = True
            waiting.filing = None
            self._deliveries -= 1
            self._size -= waiting.size


def _report(filings: Sequence[Filing], receipts: Sequence[Receipt]) -> None:
    """Log a batch in one line: alone it names the delivery, else the range."""
    log.info(
        "deliveries.committed",
        deliveries=[receipt.delivery for receipt in receipts],
        sources=sorted({filing.delivery.source for filing in filings}),
        accepted=sum(receipt.accepted for receipt in receipts),
        repeated=sum(receipt.repeated for receipt in receipts),
        rejected=sum(receipt.rejected for receipt in receipts),
        unparsed=sum(receipt.unparsed for receipt in receipts),
    )
