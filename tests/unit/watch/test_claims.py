"""What one look says is too much, and in which words."""

from typing import Any

import msgspec
import pytest

from app.core.look.past import Past
from app.watch.claims import QUICK, Around, Claimant
from app.watch.places import Files
from app.watch.rules import Claim
from app.watch.sampling import Sample
from app.watch.services import Health
from app.watch.settings import Thresholds, WatchSettings
from app.watch.wording import DESCRIPTION_CHARS, clean
from tests.fakes import FakeClock
from tests.unit.watch.making import GB, make_proc, make_sample

# Thresholds that are off say nothing.
CALM = make_sample({make_proc(7, "calm"): 1.0})


def claimant(**thresholds: Any) -> Claimant:
    """Return who says what is too much."""
    settings = WatchSettings(thresholds=Thresholds(**thresholds))
    return Claimant(settings, Past(FakeClock()))


def begun(sample: Sample, around: Around | None = None) -> dict[str, Claim]:
    """Return what one look says is too much, by the alert's name."""
    claims = claimant().claims(sample, around or Around())
    return {one.name: one for one in claims if one.begins}


def test_a_calm_machine_says_nothing() -> None:
    """Everything was looked at, and nothing is too much."""
    around = Around(
        disks={"/": 20.0},
        sensors={"cpu/0": 40.0},
        files={},
        services={"shop": Health(is_up=True, says="it is well")},
    )
    assert begun(CALM, around) == {}
    assert set(around.known) > set(QUICK)
    assert set(Around().known) == set(QUICK)


@pytest.mark.parametrize(
    ("sample", "around", "name", "labels"),
    [
        (make_sample({}, memory_percent=95.0), {}, "HostHighMemory", {}),
        (make_sample({}, swap_percent=85.0), {}, "HostSwapHigh", {}),
        (make_sample({}, cpu=99.0), {}, "HostHighCpuLoad", {}),
        (make_sample({}, load1=9.0), {}, "HostHighCpuLoad", {}),
        (
            make_sample({make_proc(7, "spin"): 99.0}, cpu=99.0),
            {},
            "ProcessRunaway",
            {"process": "spin"},
        ),
        (
            make_sample(
                {make_proc(n, "dead", state="Z"): 0.0 for n in range(100)}
            ),
            {},
            "TooManyZombies",
            {},
        ),
        (
            msgspec.structs.replace(
                CALM, rises={"pressure.memory.some_s": 0.3}
            ),
            {},
            "HostPressure",
            {"kind": "memory"},
        ),
        (
            msgspec.structs.replace(
                CALM, rises={"net.errors:eth0": 10.0, "net.drops:eth0": 45.0}
            ),
            {},
            "HostNetworkErrors",
            {"interface": "eth0"},
        ),
        (
            CALM,
            {"disks": {"/": 50.0, "/var": 97.0}},
            "HostOutOfDiskSpace",
            {"mountpoint": "/var"},
        ),
        (
            CALM,
            {"sensors": {"core/1": 99.0}},
            "HostTemperatureHigh",
            {"sensor": "core/1"},
        ),
        (
            CALM,
            {"files": {make_proc(7, "calm").key: Files(990, 1_000)}},
            "TooManyOpenFiles",
            {"process": "calm"},
        ),
        (
            CALM,
            {"services": {"shop": Health(is_up=False, says="it is down")}},
            "ServiceDown",
            {"service": "shop"},
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_each_alert_has_its_name_and_labels(
    sample: Sample,
    around: dict[str, Any],
    name: str,
    labels: dict[str, str],
) -> None:
    """And it is the only one; its text is whole and bounded."""
    found = begun(sample, Around(**around))
    assert list(found) == [name]
    assert dict(found[name].labels) == labels
    text = found[name].tell(12.0)
    assert "12 s" in text.description
    assert text.summary
    assert len(text.description) <= DESCRIPTION_CHARS


def test_open_files_of_those_that_may_be_named_are_told() -> None:
    """Who lists programs is told of no other one."""
    own, other = make_proc(7, "sim-files"), make_proc(8, "browser")
    sample = make_sample({own: 1.0, other: 1.0})
    full = Files(990, 1_000)
    around = Around(files={own.key: full, other.key: full})
    settings = WatchSettings(programs=("sim-*",))
    claims = Claimant(settings, Past(FakeClock())).claims(sample, around)
    named = {one.labels["process"] for one in claims if one.begins}
    assert named == {"sim-files"}


def test_a_busy_machine_says_that_nobody_stands_out() -> None:
    """Spread load is told without a process, and who makes it."""
    some = {make_proc(n, f"job-{n}"): 95.0 for n in range(10, 14)}
    found = begun(make_sample(some, cpu=99.0))
    assert list(found) == ["HostHighCpuLoad"]
    said = found["HostHighCpuLoad"].tell(60.0).description
    assert "no single process stands out" in said
    assert "the load is spread over job-1" in said
    assert "and 1 more" in said


def test_a_runaway_is_told_with_its_evidence() -> None:
    """Which process, whose, how old, how long, and the others."""
    spin = make_proc(999_999_999, "spin", age=30.0)
    other = make_proc(999_999_998, "other", age=30.0)
    sample = make_sample({spin: 99.0, other: 91.0}, cpu=97.0)
    who = claimant()
    claims = who.claims(sample, Around())
    first = next(one for one in claims if one.labels.get("process") == "spin")
    said = first.tell(4.0)
    assert said.summary == "spin takes 99 % of a core"
    for part in (
        "process 999999999 of user unknown",
        "begun 30 s ago",
        "99 % of one core for 4 s",
        "before: nothing is known, it is new",
        "others that are busy: other 91 %",
        "all 2 cores: 97 % busy",
    ):
        assert part in said.description


def test_a_leak_is_told_with_its_growth() -> None:
    """How much it holds, and how fast that grows."""
    who = claimant(process_memory={"for_seconds": 4, "young_seconds": 0})
    for number in range(3):
        at = 100_000.0 + number
        rss = GB + number * 10_000_000
        proc = make_proc(7, "leaky", at=at, age=60.0 + number, rss=rss)
        claims = who.claims(make_sample({proc: 1.0}, at=at), Around())
    (found,) = (one for one in claims if one.begins)
    assert found.name == "ProcessMemoryLeak"
    said = found.tell(4.0).description
    assert "holds 1.1 GB (10 % of the memory)" in said
    assert "572 MB a minute" in said


def test_the_clock_that_was_moved_is_told() -> None:
    """From the first look on; asleep is not moved."""
    who = claimant()
    assert not [one for one in who.claims(CALM, Around()) if one.begins]
    moved = msgspec.structs.replace(CALM, offset=-30.0)
    (found,) = (one for one in who.claims(moved, Around()) if one.begins)
    assert found.name == "ClockSkew"
    assert "it was set back" in found.tell(1.0).description


def test_what_is_off_is_not_looked_at() -> None:
    """A threshold that is not enabled claims nothing."""
    who = claimant(memory={"enabled": False}, cpu={"enabled": False})
    sample = make_sample({}, memory_percent=99.0, cpu=99.0)
    assert not [one for one in who.claims(sample, Around()) if one.begins]


def test_no_secret_is_told() -> None:
    """What looks like one is hidden, wherever it stands."""
    text = clean("token=abcdef123456", "ran with --password=hunter2 now")
    assert "abcdef123456" not in text.summary
    assert "hunter2" not in text.description


def test_what_could_not_be_looked_at_stays_as_it_is() -> None:
    """A disk and a service are there, and nobody knows how they are."""
    around = Around(disks={"/srv": None}, services={"shop": None})
    found = {
        one.name: one
        for one in claimant().claims(CALM, around)
        if one.labels in ({"mountpoint": "/srv"}, {"service": "shop"})
    }
    assert set(found) == {"HostOutOfDiskSpace", "ServiceDown"}
    assert not any(one.begins for one in found.values())
    assert all(one.lasts for one in found.values())


@pytest.mark.parametrize(
    ("cpu", "load", "lasts"),
    [(1.0, 7.0, True), (1.0, 1.0, False), (99.0, 1.0, False)],
)
def test_a_busy_machine_is_judged_by_what_is_looked_at(
    cpu: float, load: float, *, lasts: bool
) -> None:
    """Its load lies between the limits; its cores nobody asks for."""
    said = claimant(cpu={"enabled": False}, load={"limit": 4, "lower": 3})
    sample = make_sample({}, cpu=cpu, load1=load)
    (one,) = (
        claim
        for claim in said.claims(sample, Around())
        if claim.name == "HostHighCpuLoad"
    )
    assert (one.begins, one.lasts) == (False, lasts)


def test_a_clock_that_was_set_right_is_the_time_after_an_hour() -> None:
    """It was moved once, and stays there: that does not go on for ever."""
    said = claimant()

    def skewed(at: float, offset: float) -> bool:
        """Tell whether it is said at a moment."""
        sample = msgspec.structs.replace(make_sample({}, at=at), offset=offset)
        found = said.claims(sample, Around())
        return any(o.begins for o in found if o.name == "ClockSkew")

    assert not skewed(0.0, 50.0)
    assert not skewed(2_000.0, 50.0)
    assert skewed(2_002.0, 80.0)
    assert skewed(5_598.0, 80.0)
    assert not skewed(5_601.0, 80.0)
    assert skewed(5_603.0, 50.0)


def test_a_program_named_before_a_restart_is_no_usual_one() -> None:
    """It has been busy for hours by now: it is the same alert yet."""
    spin = make_proc(7, "spin", age=7_200.0, ticks=720_000)
    for is_resumed in (False, True):
        said = claimant()
        if is_resumed:
            said.resume("ProcessRunaway", {"process": "spin"})
        found = said.claims(make_sample({spin: 99.0}), Around())
        runaway = [o for o in found if o.name == "ProcessRunaway"]
        assert [one.lasts for one in runaway] == [True] * is_resumed
