"""Which process stands out, and which is only busy."""

import pytest

from app.core.look.past import Past
from app.core.look.snapshot import TICKS, Proc
from app.watch.settings import ProcessCpu, ProcessMemory, WatchSettings
from app.watch.suspects import Burners, Leaks, Suspect
from tests.fakes import FakeClock
from tests.unit.watch.making import BOOT, MB, make_proc, make_sample

LIMITS = ProcessCpu(limit=80, lower=40, most=2)
GROWTH = ProcessMemory(
    limit=60, for_seconds=4, floor_percent=1, young_seconds=5
)


def burners(ignore: tuple[str, ...] = (), past: Past | None = None) -> Burners:
    """Return who knows what is busy."""
    may_name = WatchSettings(ignore=ignore).may_name
    return Burners(LIMITS, may_name, past or Past(FakeClock()))


def test_the_one_that_spins_stands_out() -> None:
    """One new process takes a core, and others take little."""
    spin, calm = make_proc(7, "spin"), make_proc(8, "calm")
    who = burners()
    found = who.weigh(make_sample({spin: 97.0, calm: 30.0}))
    assert [(one.name, one.value) for one in found] == [("spin", 97.0)]
    assert who.stand_out(found) == {"spin"}
    assert not found[0].is_usual


def test_on_a_crowded_machine_it_is_what_it_wants() -> None:
    """It gets a third of a core, and would take all of it."""
    spin = make_proc(7, "spin")
    who = burners()
    crowded = make_sample({spin: 33.0}, wants={spin.key: 99.0})
    assert who.stand_out(who.weigh(crowded)) == {"spin"}


def test_it_lasts_until_it_is_below_the_lower_limit() -> None:
    """Between the limits it is busy, and does not stand out."""
    spin = make_proc(7, "spin")
    who = burners()
    assert who.weigh(make_sample({spin: 60.0})) == []
    who.weigh(make_sample({spin: 90.0}))
    (found,) = who.weigh(make_sample({spin: 60.0}))
    assert who.stand_out([found]) == set()
    assert who.weigh(make_sample({spin: 39.0})) == []
    assert who.weigh(make_sample({spin: 60.0})) == []


def test_spread_load_names_nobody() -> None:
    """Many programs at once are a busy machine."""
    some = {make_proc(pid, f"job-{pid}"): 95.0 for pid in range(10, 13)}
    who = burners()
    found = who.weigh(make_sample(some))
    assert len(found) == 3
    assert who.stand_out(found) == set()


@pytest.mark.parametrize(("count", "is_named"), [(4, True), (5, False)])
def test_many_of_one_program_are_its_way_to_work(
    count: int, *, is_named: bool
) -> None:
    """Some processes of one program are one suspect, a crowd is none."""
    some = {make_proc(pid, "cc"): 95.0 for pid in range(10, 10 + count)}
    who = burners()
    (found,) = who.weigh(make_sample(some))
    assert len(found.procs) == count
    assert who.stand_out([found]) == ({"cc"} if is_named else set())


def test_what_was_always_as_busy_is_well() -> None:
    """Its past says that this is what it is for."""
    proc = make_proc(7, "encoder", age=1_000.0)
    clock = FakeClock()
    clock.moment = int(BOOT * 1e6)
    past = Past(clock)
    for number in range(12):
        at = BOOT - 600 + 30 * number
        then = Proc(
            proc.pid, proc.start, "encoder", "R", 1,
            int(0.95 * 30 * number * TICKS), 10 * MB, 1,
        )  # fmt: skip
        past.keep(make_sample({then: 0.0}, at=at).snapshot, {})
    who = burners(past=past)
    (found,) = who.weigh(make_sample({proc: 96.0}))
    assert found.is_usual
    assert found.usual is not None
    assert round(found.usual.median) == 95
    assert who.stand_out([found]) == set()


def test_what_was_busy_all_its_long_life_is_well() -> None:
    """The watch has just begun; the process has not."""
    hours, minutes = 3_600 * 5.0, 60 * 20.0
    old = make_proc(7, "old", age=hours, ticks=int(0.9 * hours * TICKS))
    young = make_proc(8, "new", age=minutes, ticks=int(minutes * TICKS))
    lazy = make_proc(9, "lazy", age=hours, ticks=int(0.01 * hours * TICKS))
    who = burners()
    found = who.weigh(make_sample(dict.fromkeys((old, young, lazy), 95.0)))
    assert {one.name: one.is_usual for one in found} == {
        "old": True,
        "new": False,
        "lazy": False,
    }
    assert who.stand_out(found) == {"new", "lazy"}


def test_how_it_is_while_it_goes_on_is_not_its_past() -> None:
    """What has been busy since it was too much does not become usual."""
    spin = make_proc(7, "spin")
    clock = FakeClock()
    clock.moment = int(BOOT * 1e6)
    past = Past(clock)
    who = burners(past=past)
    for number in range(40):
        at = BOOT + 30 * number
        then = Proc(
            7, spin.start, "spin", "R", 1, 30 * number * TICKS, 10 * MB, 1
        )
        clock.moment = int(at * 1e6)
        sample = make_sample({then: 99.0}, at=at)
        past.keep(sample.snapshot, {})
        (found,) = who.weigh(sample)
        assert not found.is_usual


def test_we_and_the_ignored_are_never_named() -> None:
    """Our own work and that of model servers is no runaway."""
    ours, model = make_proc(7, "python"), make_proc(8, "ollama-runner")
    sample = make_sample({ours: 99.0, model: 99.0}, ours=frozenset({7}))
    assert burners(("ollama*",)).weigh(sample) == []


def leak(
    who: Leaks,
    sizes: list[int],
    age: float = 60.0,
    *,
    ours: bool = False,
    slept: float = 0.0,
) -> list[tuple[Suspect, bool, bool]]:
    """Return what is said last of a process of these sizes, in MB."""
    found: list[tuple[Suspect, bool, bool]] = []
    for number, mb in enumerate(sizes):
        at = BOOT + number
        proc = make_proc(
            7, "leaky", at=at + slept, age=age + number, rss=mb * MB
        )
        known = frozenset({7}) if ours else frozenset()
        sample = make_sample({proc: 0.0}, at=at, ours=known, slept=slept)
        found = who.weigh(sample)
    return found


def leaks() -> Leaks:
    """Return who knows what grows."""
    return Leaks(GROWTH, WatchSettings().may_name, Past(FakeClock()))


def test_what_grows_fast_and_is_large_leaks() -> None:
    """2 MB a second on a machine of 10 GB, and more than 1 % of it."""
    ((found, begins, lasts),) = leak(leaks(), [200, 202, 204, 206])
    assert (begins, lasts) == (True, True)
    assert round(found.value) == 120


@pytest.mark.parametrize(
    ("sizes", "age"),
    [
        ([200, 200, 200, 200], 60.0),
        ([20, 22, 24, 26], 60.0),
        ([200, 202, 204, 206], 0.0),
        ([206, 204, 202, 200], 60.0),
    ],
    ids=["still", "small", "young", "shrinks"],
)
def test_what_does_not_leak(sizes: list[int], age: float) -> None:
    """One that does not grow, or is small, or has just begun."""
    assert leak(leaks(), sizes, age) == []


def test_what_began_after_the_machine_slept_leaks_too() -> None:
    """Its age is its own: a night asleep does not make it young."""
    ((found, begins, _),) = leak(leaks(), [200, 202, 204], slept=28_800.0)
    assert begins
    assert round(found.age) == 62


def test_what_has_leaked_lasts_while_it_holds_it() -> None:
    """It has stopped to grow; it is over when it gives it back."""
    who = leaks()
    sizes = [200, 300, 400, 400, 400, 400, 400]
    ((_, begins, lasts),) = leak(who, sizes)
    assert (begins, lasts) == (False, True)
    assert leak(leaks(), [*sizes, 200]) == []


def test_our_own_growth_is_not_told() -> None:
    """We are not to be ended."""
    assert leak(leaks(), [200, 300, 400], ours=True) == []


def test_only_those_that_are_listed_are_named() -> None:
    """A site may want to hear of a few programs, and of no other."""
    settings = WatchSettings(programs=("php*", "java"), ignore=("php-fpm",))
    names = ["php-cgi", "java", "php-fpm", "spin"]
    assert [one for one in names if settings.may_name(one)] == names[:2]
    assert WatchSettings().may_name("spin")
