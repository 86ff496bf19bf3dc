"""Many deliveries share a commit; each gets its own answer, once."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence

import pytest
from prometheus_client import CollectorRegistry

from app.core.errors import RowRefused, StorageFailed, TooBusy
from app.models.delivery import Filing, Receipt
from app.store.committer import Bounds, Committer, Meters
from tests.fakes import FakeClock, FakeWriter, make_alert, make_filing

Answer = Receipt | StorageFailed
BOUNDS = Bounds(deliveries=10, size=1_000, seconds=5.0)


class Desk:
    """A committer with its parts at hand, and the answers it gave."""

    def __init__(self, bounds: Bounds = BOUNDS) -> None:
        self.writer = FakeWriter()
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        meters = Meters(self.registry)
        self.committer = Committer(self.writer, bounds, self.clock, meters)

    def submit(self, body: bytes = b"{}") -> "asyncio.Future[Answer]":
        """Hand one delivery in; return its answer to come."""
        future: asyncio.Future[Answer]
        future = asyncio.get_running_loop().create_future()
        filing = make_filing(make_alert(), body=body)
        self.committer.submit(filing, future.set_result)
        return future


def run(desk: Desk, work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run work between the start and the stop of a committer."""

    async def whole() -> None:
        """Start, work, stop."""
        desk.committer.start()
        try:
            await asyncio.wait_for(work(), 10)
        finally:
            await desk.committer.stop()

    asyncio.run(whole())


def test_what_gathers_during_a_commit_shares_the_next() -> None:
    """The first goes alone, the others together."""
    desk = Desk()
    is_writing, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        """Keep the first commit open until the others have come."""
        is_writing.set()
        go_on.wait(5)

    desk.writer.before_write = hold

    async def work() -> None:
        """Send one, then three while it is being written."""
        first = desk.submit()
        await asyncio.to_thread(is_writing.wait, 5)
        others = [desk.submit() for _ in range(3)]
        go_on.set()
        await asyncio.gather(first, *others)

    run(desk, work)
    assert [len(batch) for batch in desk.writer.batches] == [1, 3]


def test_a_failed_commit_fails_its_own_batch_only() -> None:
    """The next one is tried anew."""
    desk = Desk()
    desk.writer.failures = [StorageFailed("disk full")]

    async def work() -> None:
        """Send one that fails, then one that does not."""
        assert isinstance(await desk.submit(), StorageFailed)
        assert isinstance(await desk.submit(), Receipt)

    run(desk, work)
    name = "smokejumper_commit_failures_total"
    assert desk.registry.get_sample_value(name) == 1


def test_a_bug_fails_the_batch_and_not_the_thread() -> None:
    """Nobody waits for ever for a thread that died."""
    desk = Desk()
    desk.writer.failures = [ZeroDivisionError()]

    async def work() -> None:
        """Send one into the bug, then one after it."""
        assert isinstance(await desk.submit(), StorageFailed)
        assert isinstance(await desk.submit(), Receipt)

    run(desk, work)


def test_one_bad_row_does_not_fail_its_neighbours() -> None:
    """A batch with one is written one by one; the bad one is kept raw."""
    desk = Desk()
    bad = make_filing(make_alert("bad"), body=b"bad")

    class Picky(FakeWriter):
        """Holds everything but alerts named bad."""

        def write(self, filings: Sequence[Filing]) -> list[Receipt]:
            """Refuse a batch with such an alert."""
            for filing in filings:
                if any(a.fingerprint == "bad" for a in filing.parsed.alerts):
                    raise RowRefused("too large")
            return super().write(filings)

    desk.writer = Picky()
    meters = Meters(CollectorRegistry())
    desk.committer = Committer(desk.writer, BOUNDS, desk.clock, meters)
    is_writing, hold = threading.Event(), threading.Event()

    def wait() -> None:
        """Keep the first commit open until the others have come."""
        is_writing.set()
        hold.wait(5)

    desk.writer.before_write = wait

    async def work() -> None:
        """Send one, then two good ones around a bad one."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        first = desk.submit(b"1")
        await asyncio.to_thread(is_writing.wait, 5)
        two = desk.submit(b"2")
        desk.committer.submit(bad, future.set_result)
        three = desk.submit(b"3")
        hold.set()
        results = await asyncio.gather(first, two, future, three)
        assert all(isinstance(result, Receipt) for result in results)

    run(desk, work)
    written = [f for batch in desk.writer.batches for f in batch]
    bodies = [f.delivery.body for f in written]
    assert bodies == [b"1", b"2", b"bad", b"3"]
    assert [
        f.parsed.unparsed[0].reason for f in written if f.parsed.unparsed
    ] == ["not_storable"]


def test_over_the_bounds_it_says_so_at_once() -> None:
    """Too many, or too large: refused before anything is queued."""
    desk = Desk(Bounds(deliveries=2, size=100, seconds=5.0))
    hold = threading.Event()
    desk.writer.before_write = lambda: hold.wait(5)

    async def work() -> None:
        """Fill the queue to its bounds."""
        with pytest.raises(TooBusy):
            desk.submit(b"x" * 101)
        kept = [desk.submit(b"a"), desk.submit(b"b")]
        with pytest.raises(TooBusy) as caught:
            desk.submit(b"c")
        assert caught.value.status == 503
        hold.set()
        await asyncio.gather(*kept)
        assert isinstance(await desk.submit(b"d"), Receipt)

    run(desk, work)


def test_what_waited_too_long_is_not_written() -> None:
    """Its sender has given up by now and will come again."""
    desk = Desk()
    is_writing, hold = threading.Event(), threading.Event()

    def wait() -> None:
        """Keep the first commit open."""
        is_writing.set()
        hold.wait(5)

    desk.writer.before_write = wait

    async def work() -> None:
        """Let time pass while the second waits behind the first."""
        first = desk.submit(b"a")
        await asyncio.to_thread(is_writing.wait, 5)
        second = desk.submit(b"b")
        desk.clock.advance(6)
        hold.set()
        assert isinstance(await first, Receipt)
        assert isinstance(await second, StorageFailed)

    run(desk, work)
    written = [f.delivery.body for b in desk.writer.batches for f in b]
    assert b"b" not in written


def test_the_end_commits_what_waits() -> None:
    """A polite stop loses nothing, and takes nothing more."""
    desk = Desk()
    kept: list[asyncio.Future[Answer]] = []

    async def work() -> None:
        """Hand some in and leave at once."""
        kept.extend(desk.submit() for _ in range(5))

    run(desk, work)
    assert sum(map(len, desk.writer.batches)) == 5
    assert desk.writer.closed

    async def late() -> None:
        """Come after the end."""
        with pytest.raises(TooBusy):
            desk.submit()

    asyncio.run(late())


def test_one_broken_answer_does_not_keep_the_others_waiting() -> None:
    """Whoever comes after a callback with a bug is still answered."""
    desk = Desk()
    hold = threading.Event()
    desk.writer.before_write = lambda: hold.wait(5)

    async def work() -> None:
        """Hand in one whose callback fails, and one behind it."""
        loop = asyncio.get_running_loop()
        crashes: list[object] = []
        loop.set_exception_handler(lambda _, c: crashes.append(c["exception"]))

        def broken(_: Answer) -> None:
            """Fail."""
            raise LookupError

        desk.committer.submit(make_filing(body=b"1"), broken)
        good = desk.submit(b"2")
        hold.set()
        assert isinstance(await good, Receipt)
        assert [type(crash) for crash in crashes] == [LookupError]

    run(desk, work)


def test_the_probe_tells_of_a_broken_disk() -> None:
    """Readiness fails when writing fails, and recovers with it."""
    desk = Desk()
    desk.writer.failures = [StorageFailed("read-only")]

    async def work() -> None:
        """Ask twice."""
        with pytest.raises(StorageFailed, match="read-only"):
            await desk.committer.probe()
        await desk.committer.probe()

    run(desk, work)


def test_a_disk_that_hangs_does_not_hang_the_senders() -> None:
    """They are answered in time, and the lag is told meanwhile."""
    desk = Desk()
    is_writing, hold = threading.Event(), threading.Event()

    def wait() -> None:
        """Hang until the senders were answered."""
        is_writing.set()
        hold.wait(10)

    desk.writer.before_write = wait
    lags: list[float | None] = []

    async def work() -> None:
        """Send one, let time pass while it hangs, and let go."""
        stuck = desk.submit()
        await asyncio.to_thread(is_writing.wait, 5)
        desk.clock.advance(6)
        name = "smokejumper_commit_lag_seconds"
        lags.append(desk.registry.get_sample_value(name))
        assert isinstance(await stuck, StorageFailed)
        hold.set()
        assert isinstance(await desk.submit(), Receipt)

    run(desk, work)
    assert lags == [6.0]
