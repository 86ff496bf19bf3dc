"""The culprit: one, clearly, or none; measured on real processes."""

import os
import threading
import time
from pathlib import Path

import msgspec
import pytest

from app.act.local.hand import Stopped, Unwilling
from app.act.local.runaway.burden import (
    Burden,
    find_program,
    names_of,
    sum_groups,
    watch,
)
from app.act.local.runaway.culprit import (
    Limits,
    all_measures,
    is_usual,
    memory_measures,
    pick,
    recall,
)
from app.core.clock import SystemClock
from app.core.demand import read_work, wanted
from app.core.look.past import Past
from app.core.look.snapshot import TICKS, Proc, Snapshot, read_proc
from app.models.job import JobState
from tests.fakes import FakeClock
from tests.unit.act.local.victims import (
    BUSY,
    LEAK,
    REST,
    SPIN,
    HandOfATest,
    Victim,
)

LIMITS = Limits()
NO_PAST = Past(SystemClock())
ALL = all_measures(LIMITS, NO_PAST)
SECOND = 1_000_000_000


def burden(
    pid: int, cpu: float = 0, memory: float = 0, growth: float = 0
) -> Burden:
    """Return what a process takes."""
    proc = Proc(pid, 1, "worker", "R", 1, 0, 1 << 20, 1)
    return Burden(
        proc=proc,
        given=cpu,
        cpu=cpu,
        memory=memory,
        growth=growth,
        cgroup=f"/g{pid % 2}",
    )


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([burden(1, cpu=99)], "its CPU of 99 % of one core is above 80"),
        (
            [burden(1, cpu=99), burden(2, cpu=30)],
            "its CPU of 99 % of one core is above 80, the next has 30",
        ),
        (
            [burden(1, memory=30, growth=60)],
            "its growing memory of 30 % is above 25",
        ),
        (
            [burden(1, memory=6, growth=900), burden(2, growth=5_000)],
            "its growth of 900 MB/min is above 600, the next has 0",
        ),
        (
            [burden(1, cpu=90, memory=90, growth=60), burden(2, memory=95)],
            "its growing memory of 90 % is above 25, the next has 0",
        ),
    ],
)
def test_the_clear_one_is_the_culprit(found: list[Burden], says: str) -> None:
    """By what it takes most of, wherever it stands in the list."""
    for some in (found, found[::-1]):
        culprit, why = pick(some, ALL, 1.5)
        assert culprit.proc.pid == 1
        assert why == says


@pytest.mark.parametrize(
    ("hours", "share", "expected"),
    [(50, 97, True), (50, 70, False), (0.5, 97, False)],
)
def test_a_whole_life_tells_what_is_usual_while_there_is_no_past(
    hours: float, share: float, expected: bool
) -> None:
    """We may have just begun: an encoder is busy for days, and well."""
    age = hours * 3_600.0
    start = int((time.monotonic() - age) * TICKS)
    proc = msgspec.structs.replace(
        burden(1).proc, start=start, ticks=int(age * share / 100 * TICKS)
    )
    one = msgspec.structs.replace(burden(1, cpu=99), proc=proc)
    assert is_usual(NO_PAST, one) is expected
    said = recall(NO_PAST, one)
    assert ("97 % of one core in all the 2 days" in said) is expected


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], "none of them lived"),
        ([burden(1, cpu=79, memory=24, growth=599)], "no process is above"),
        ([burden(1, memory=4, growth=9_000)], "no process is above"),
        ([burden(1, memory=30)], "no process is above"),
        ([burden(1, memory=90, growth=59)], "no process is above"),
        ([burden(1, cpu=99), burden(2, cpu=98)], "2 processes are above"),
        ([burden(1, cpu=400), burden(2, cpu=85)], "2 processes are above"),
        (
            [burden(1, cpu=99), burden(2, memory=30, growth=60)],
            "2 processes are above",
        ),
        ([burden(1, cpu=99), burden(2, cpu=70)], "two processes look the"),
    ],
)
def test_others_are_for_a_person(found: list[Burden], says: str) -> None:
    """Nobody, several, or not clearly: with the figures."""
    with pytest.raises(Unwilling, match=says) as caught:
        pick(found, ALL, 1.5)
    for one in found:
        assert str(one) in str(caught.value)


def test_memory_alone_can_be_asked_for() -> None:
    """Then whoever spins is not to blame."""
    with pytest.raises(Unwilling, match="no process is above"):
        pick([burden(1, cpu=900)], memory_measures(LIMITS, NO_PAST), 1.5)


@pytest.mark.parametrize(
    ("before", "seconds", "is_one"),
    [
        (0.7, 900, True),  # three parts of ten came within a quarter hour
        (0.9, 900, False),  # it holds what it held
        (0.7, 120, False),  # two minutes are no past
    ],
)
def test_who_has_swollen_holds_too_much(
    before: float, seconds: float, is_one: bool
) -> None:
    """Though it rests at this moment: an hour remembers more than 3 s."""
    clock = FakeClock()
    past = Past(clock)
    held = burden(1, memory=30)
    earlier = msgspec.structs.replace(
        held.proc, rss=int(before * held.proc.rss)
    )
    clock.advance(100)
    past.keep(
        Snapshot(
            monotonic=clock.monotonic(),
            procs={earlier.key: earlier},
            figures={},
        ),
        {},
    )
    clock.advance(seconds)
    measures = memory_measures(LIMITS, past)
    assert (measures[0].share(held) >= 1) is is_one


def test_groups_are_summed() -> None:
    """What each of them takes stands in the output."""
    found = sum_groups([burden(1, cpu=10), burden(3, cpu=20), burden(2)])
    assert found == [
        (
            "cgroup /g0: 1 processes, 0 % of one core, 0.0 % of memory,"
            " growing 0 MB/min"
        ),
        (
            "cgroup /g1: 2 processes, 30 % of one core, 0.0 % of memory,"
            " growing 0 MB/min"
        ),
    ]


@pytest.mark.parametrize(
    ("worked", "waited", "cores"),
    [
        (3.0, 0.0, 1.0),  # it spins, alone
        (0.3, 2.7, 1.0),  # it spins, beside nine others
        (0.9, 0.0, 0.3),  # it rests most of the time
        (0.45, 1.5, 0.3),  # the same, and has to wait
        (0.01, 2.98, 0.0),  # it hardly ran: that says nothing
        (0.0, 0.0, 0.0),
    ],
)
def test_what_a_thread_wanted(
    worked: float, waited: float, cores: float
) -> None:
    """Its work is held against the time that it did not wait."""
    first = {"7": (SECOND, SECOND)}
    last = {
        "7": (int((1 + worked) * SECOND), int((1 + waited) * SECOND)),
        "8": (SECOND * 9, 0),
    }
    assert wanted(first, last, 3.0) == pytest.approx(cores, abs=0.01)


def test_every_thread_is_read() -> None:
    """Not only the first one."""
    started, go_on = threading.Event(), threading.Event()

    def work() -> None:
        """Live until the end of the test."""
        started.set()
        go_on.wait(30)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        started.wait(30)
        found = read_work(os.getpid())
        assert {str(os.getpid()), str(thread.native_id)} <= set(found)
    finally:
        go_on.set()
        thread.join()
    assert read_work(1 << 22) == {}


def test_the_one_that_spins_is_found(tmp_path: Path) -> None:
    """A busy one of the same program is not, however crowded it is."""
    with (
        Victim(tmp_path, "twin-of-a-test", SPIN) as spins,
        Victim(tmp_path, "twin-of-a-test", BUSY) as busy,
        Victim(tmp_path, "crowd-of-a-test", SPIN),
        Victim(tmp_path, "crowd-of-a-test", SPIN),
        Victim(tmp_path, "crowd-of-a-test", SPIN),
    ):
        procs = find_program("twin-of-a-test")
        assert {proc.pid for proc in procs} == {spins.pid, busy.pid}
        found = watch(procs, HandOfATest(tmp_path), 3.0)
        culprit, why = pick(found, ALL, 1.5)
        assert culprit.proc.pid == spins.pid
        assert "its CPU" in why
        assert culprit.identity is not None
        assert culprit.identity.pid == spins.pid
        assert culprit.cpu > culprit.given


def test_two_that_spin_are_for_a_person(tmp_path: Path) -> None:
    """They look the same."""
    with (
        Victim(tmp_path, "same-of-a-test", SPIN),
        Victim(tmp_path, "same-of-a-test", SPIN),
    ):
        procs = find_program("same-of-a-test")
        found = watch(procs, HandOfATest(tmp_path), 2.0)
        with pytest.raises(Unwilling, match="a person must choose"):
            pick(found, ALL, 1.5)


def test_the_one_that_leaks_is_found(tmp_path: Path) -> None:
    """By its growth, long before it holds much."""
    limits = Limits(growth_mb_per_minute=120, growth_floor_percent=0)
    with (
        Victim(tmp_path, "leak-of-a-test", LEAK) as leaks,
        Victim(tmp_path, "leak-of-a-test", REST),
    ):
        procs = find_program("leak-of-a-test")
        found = watch(procs, HandOfATest(tmp_path), 2.0)
        culprit, why = pick(found, memory_measures(limits, NO_PAST), 1.5)
        assert culprit.proc.pid == leaks.pid
        assert "its growth" in why


def test_who_ends_meanwhile_is_no_culprit(tmp_path: Path) -> None:
    """It is gone: nobody needs to end it."""
    with Victim(tmp_path, "gone-of-a-test", SPIN) as victim:
        procs = find_program("gone-of-a-test")
        hand = HandOfATest(tmp_path)
        timer = threading.Timer(0.2, victim.kill)
        timer.start()
        found = watch(procs, hand, 2.0)
        timer.join()
    assert found == []


def test_a_watch_can_be_ended(tmp_path: Path) -> None:
    """By whoever told it to begin."""
    hand = HandOfATest(tmp_path)
    hand.stop_file.touch()
    with pytest.raises(Stopped) as caught:
        watch(find_program("python"), hand, 200.0)
    assert caught.value.state is JobState.ABORTED


def test_a_program_has_several_names(tmp_path: Path) -> None:
    """The kernel's, the one that it was called by, and its file's."""
    name = "a-name-longer-than-fifteen"
    with Victim(tmp_path, name, REST) as victim:
        proc = read_proc(victim.pid)
        assert proc is not None
        exe = Path(f"/proc/{victim.pid}/exe").readlink().name
        assert names_of(proc) == {name, name[:15], exe}
        for one in names_of(proc):
            assert victim.pid in {proc.pid for proc in find_program(one)}
    assert find_program(name) == []


def test_what_was_always_so_is_said() -> None:
    """Whoever was as busy for an hour is perhaps meant to."""
    clock = FakeClock()
    past = Past(clock)
    ticks = 0
    for _ in range(100):
        clock.advance(30)
        ticks += 30 * os.sysconf("SC_CLK_TCK")
        proc = Proc(7, 1, "worker", "R", 1, ticks, 1 << 30, 1)
        past.keep(
            Snapshot(
                monotonic=clock.monotonic(), procs={(7, 1): proc}, figures={}
            ),
            {},
        )
    busy = Burden(proc=proc, given=97, cpu=97, memory=3, growth=0)
    said = recall(past, busy)
    assert "it usually took 100 % of one core" in said
    assert "as busy all that time" in said
    stranger = Proc(8, 1 << 60, "worker", "R", 1, 0, 0, 1)
    assert recall(past, msgspec.structs.replace(busy, proc=stranger)) == ""
    assert recall(Past(SystemClock()), busy) == ""
