"""The past: what was usual, who grew, and that it stays small."""

import asyncio
import tracemalloc
from contextlib import suppress

import msgspec
import pytest

from app.core.clock import SystemClock
from app.core.errors import OutgoingFailed
from app.core.look import past as module
from app.core.look.past import MOST_MOMENTS, TOP, Past, Usual
from app.core.look.snapshot import Snapshot, take
from tests.fakes import FakeClock
from tests.unit.act.local.rounds import MB, make_proc, make_snapshot
from tests.unit.act.local.victims import LEAK, Victim, wait_for

MINUTE = 60.0


def make_past(clock: FakeClock, count: int = 60, **figures: float) -> Past:
    """Return a past in which a machine was the same, each minute."""
    past = Past(clock)
    for _ in range(count):
        past.keep(make_snapshot(clock.monotonic(), (), figures), {})
        clock.advance(MINUTE)
    return past


def test_what_a_figure_usually_was() -> None:
    """The median, what it seldom exceeds, and how far back that goes."""
    clock = FakeClock()
    past = Past(clock)
    for number in range(21):
        snapshot = make_snapshot(
            clock.monotonic(), (), {"load1": float(number)}
        )
        past.keep(snapshot, {})
        clock.advance(MINUTE)
    assert past.usual("load1") == Usual(10.0, 19.0, 21 * MINUTE, 21)
    assert past.usual("never-heard-of") is None


def test_one_look_is_not_what_is_usual() -> None:
    """Two looks at least make something usual; none is no past."""
    clock = FakeClock()
    past = Past(clock)
    assert past.seconds == 0.0
    past.keep(make_snapshot(clock.monotonic(), (), {"load1": 1.0}), {})
    assert past.usual("load1") is None


def test_it_goes_back_an_hour_and_no_further() -> None:
    """What is older is let go."""
    clock = FakeClock()
    past = make_past(clock, MOST_MOMENTS + 50, load1=1.0)
    found = past.usual("load1")
    assert found is not None
    assert found.count == MOST_MOMENTS
    assert past.seconds == MOST_MOMENTS * MINUTE


def test_a_counter_has_a_usual_rate_and_a_share() -> None:
    """Rates are of a second; a share is of what another counter rose."""
    clock = FakeClock()
    past = Past(clock)
    for number in range(5):
        counters = {"busy": 3.0 * number, "all": 12.0 * number}
        past.keep(make_snapshot(clock.monotonic()), counters)
        clock.advance(30)
    rate, share = past.rate("busy"), past.rate("busy", "all")
    assert rate is not None
    assert share is not None
    assert rate.median == pytest.approx(0.1)
    assert share.median == pytest.approx(25.0)
    assert past.rate("never-heard-of") is None


def test_a_counter_that_began_anew_says_nothing() -> None:
    """A module that was loaded again makes no rate below nothing."""
    clock = FakeClock()
    past = Past(clock)
    for count in (100.0, 200.0, 0.0, 100.0):
        past.keep(make_snapshot(clock.monotonic()), {"drops": count})
        clock.advance(100)
    rate = past.rate("drops")
    assert rate is not None
    assert (rate.median, rate.count) == (1.0, 2)


def test_counters_of_each_core_are_not_kept() -> None:
    """They would be the most of it on a large machine."""
    clock = FakeClock()
    past = Past(clock)
    for number in range(3):
        counters = {"core.0_s": float(number), "forks": float(number)}
        past.keep(make_snapshot(clock.monotonic()), counters)
        clock.advance(1)
    assert past.rate("core.0_s") is None
    assert past.rate("forks") is not None


def test_how_much_a_figure_has_grown() -> None:
    """Against the oldest moment within the time that is asked for."""
    clock = FakeClock()
    past = Past(clock)
    for number in range(60):
        figures = {"disk_percent:/var": 40.0 + number}
        past.keep(make_snapshot(clock.monotonic(), (), figures), {"n": number})
        clock.advance(MINUTE)
    grown = past.grown("disk_percent:/var", 100.0, 600.0)
    assert grown is not None
    assert (grown.more, grown.seconds) == (10.0, 600.0)
    counted = past.grown("n", 60.0, 600.0)
    assert counted is not None
    assert counted.more == 10.0
    assert past.grown("disk_percent:/srv", 1.0) is None


def test_what_a_process_usually_takes() -> None:
    """Its share of a core from one moment to the next."""
    clock = FakeClock()
    past = Past(clock)
    for number in range(11):
        worker = make_proc(7, seconds=15.0 * number)
        past.keep(make_snapshot(clock.monotonic(), [worker]), {})
        clock.advance(30)
    found = past.usual_share(make_proc(7))
    assert found is not None
    assert found.median == pytest.approx(50.0)
    assert found.show(str) == "50.0 (median of the past 5 min)"


def test_what_began_after_the_machine_slept_has_a_past() -> None:
    """The kernel counts the night in its beginning; our clock does not."""
    clock, night = FakeClock(), 28_800.0
    past = Past(clock)
    clock.advance(MINUTE)
    start = clock.monotonic() + night
    for number in range(11):
        worker = make_proc(7, seconds=15.0 * number, start=start)
        here = make_snapshot(clock.monotonic(), [worker])
        past.keep(msgspec.structs.replace(here, ahead=night), {})
        clock.advance(30)
    found = past.usual_share(make_proc(7, start=start))
    assert found is not None
    assert found.median == pytest.approx(50.0)


def test_who_was_not_among_the_largest_took_no_more_than_they() -> None:
    """Only the largest are kept; the others are bounded by the next one."""
    clock = FakeClock()
    past = Past(clock)
    for number in range(3):
        procs = [
            make_proc(pid, seconds=pid * number * 0.1, rss=pid * MB)
            for pid in range(1, 100)
        ]
        past.keep(make_snapshot(clock.monotonic(), procs), {})
        clock.advance(30)
    small = make_proc(5, rss=500 * MB)
    grown, share = past.swollen(small), past.usual_share(small)
    assert grown is not None
    assert grown.is_least
    assert grown.more == (500 - (99 - TOP)) * MB
    assert share is not None
    assert share.median == pytest.approx((99 - TOP) * 0.1 / 30 * 100, rel=0.1)


def test_a_process_is_compared_with_itself_only() -> None:
    """One that began later, or under a number of old, was not there."""
    clock = FakeClock(1_000_000_000)
    past = Past(clock)
    old = make_proc(7, rss=900 * MB, start=1.0)
    for _ in range(10):
        past.keep(make_snapshot(clock.monotonic(), [old]), {})
        clock.advance(MINUTE)
    young = make_proc(7, rss=100 * MB, start=clock.monotonic() - 90)
    past.keep(make_snapshot(clock.monotonic() - 30, [young]), {})
    grown = past.swollen(make_proc(7, rss=300 * MB, start=young.start / 100))
    assert grown is not None
    assert grown.seconds <= 90
    unborn = make_proc(8, start=clock.monotonic() + 1)
    assert past.swollen(unborn) is None
    assert past.usual_share(unborn) is None


def test_a_real_leak_is_found_against_real_snapshots(
    leaker: Victim,
) -> None:
    """What a process holds more is known to the megabyte."""
    past = Past(SystemClock())

    def rss() -> int:
        """Return what it holds, and keep the moment."""
        snapshot = take()
        past.keep(snapshot, {})
        procs = snapshot.procs.values()
        return next(p.rss for p in procs if p.pid == leaker.pid)

    first = rss()
    wait_for(lambda: rss() > first + 20 * MB)
    now = take().procs
    proc = next(p for p in now.values() if p.pid == leaker.pid)
    grown = past.swollen(proc)
    assert grown is not None
    assert grown.more >= 20 * MB or grown.is_least


@pytest.fixture(name="leaker")
def _victim(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Return a process that leaks."""
    with Victim(tmp_path_factory.mktemp("leak"), "leaker", LEAK) as victim:
        yield victim


def test_an_hour_of_a_large_machine_is_small() -> None:
    """700 processes, 100 counters, 120 moments: 3 MB at most."""
    clock = FakeClock()
    past = Past(clock)
    tracemalloc.start()
    for number in range(MOST_MOMENTS):
        procs = [
            make_proc(pid, seconds=(pid % 90) * number, rss=pid * MB)
            for pid in range(700)
        ]
        counters = {f"count:{n}": n * 1.5 + number for n in range(100)}
        figures = {f"figure{n}": n * 1.5 + number for n in range(20)}
        past.keep(make_snapshot(clock.monotonic(), procs, figures), counters)
        clock.advance(30)
        del procs, counters, figures
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 3_000_000


async def keep_for(past: Past, is_enough: asyncio.Event) -> None:
    """Let the past run until something is so."""
    running = asyncio.create_task(past.run())
    async with asyncio.timeout(20):
        await is_enough.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def test_it_goes_on_when_the_machine_does_not_say_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A look that fails is a gap, and no end."""
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.001)
    calls: list[Snapshot | None] = []

    async def scene() -> Past:
        """Fail twice, then look for real."""
        is_enough = asyncio.Event()
        loop = asyncio.get_running_loop()

        def look(before: Snapshot | None) -> Snapshot:
            """Fail twice."""
            calls.append(before)
            if len(calls) <= 2:
                raise OutgoingFailed("/proc cannot be read")
            if len(calls) > 6:
                loop.call_soon_threadsafe(is_enough.set)
            return take(before)

        past = Past(SystemClock(), look)
        await keep_for(past, is_enough)
        return past

    past = asyncio.run(scene())
    found = past.usual("memory_percent")
    assert found is not None
    assert 0 < found.median < 100
    # Each look gets the one before, so that shares of time are known.
    assert calls[0] is calls[1] is calls[2] is None
    assert calls[4] is not None
