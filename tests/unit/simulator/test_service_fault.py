"""The fault "service": a real service is broken, and healed or not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator.ctl import Ask
from simulator.dummy import Mood
from simulator.fault import Order
from simulator.faults.service import LOOP, NO_ROOM
from simulator.house import House
from simulator.moods import MoodFile
from simulator.problem import Conflict, Unable
from simulator.truth import Truth
from tests.unit.simulator.running import wait_for
from tests.unit.simulator.scene import (
    born_since,
    full,
    our_children,
    settings_at,
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Share one house; nothing is left of it."""
    home = tmp_path_factory.mktemp("service") / "sim"
    house = House(settings_at(home))
    known = our_children()
    house.open()
    yield house
    house.close()
    assert born_since(known) == []
    left = {path.name for path in home.rglob("*") if path.is_file()}
    assert left <= {
        ".smokejumper-simulator",
        "journal.jsonl",
        "lock",
        "truth.jsonl",
    }
    assert (home / "journal.jsonl").read_bytes() == b""


def break_it(house: House, shape: str, seconds: int = 60) -> Truth:
    """Begin the fault."""
    options: dict[str, object] = {"shape": shape}
    return house.stage.start(
        Order("service", seconds=seconds, options=options)
    )


def answers(house: House, seconds: float = 10.0) -> bool:
    """Tell whether the service says that it is fine."""
    port = house.keeper.look("shop").port
    try:
        return Ask("127.0.0.1", port, "/health").send(seconds).status == 200
    except OSError:
        return False


def end_of(house: House, truth: Truth) -> Callable[[], str]:
    """Return what tells how a fault ended, empty while it runs."""
    log = house.stage.truths
    return lambda: {one.id: one for one in log.since()}[truth.id].ended_by


@pytest.mark.parametrize("shape", ["stopped", "hang", "errors", "slow"])
def test_a_restart_heals_it(house: House, shape: str) -> None:
    """It is down at once; a restart mends it, and the truth says so."""
    truth = break_it(house, shape)
    assert truth.target == {"host": "simulator", "service": "shop"}
    assert truth.expects == ("restart_service",)
    assert not answers(house, 0.3)
    house.keeper.restart("shop")
    assert answers(house)
    wait_for(lambda: end_of(house, truth)() == "remedy", "it is healed")
    assert house.stage.running() == []


def test_no_restart_heals_a_crash_loop(house: House) -> None:
    """It goes on through a restart, and is over with the fault."""
    truth = break_it(house, LOOP)
    assert truth.expects == ("escalate", "collect_diagnostics")
    assert house.keeper.restart("shop").state == "crashing"
    assert [one.id for one in house.stage.running()] == [truth.id]
    assert not answers(house)
    house.stage.stop("service")
    wait_for(lambda: answers(house), "it is mended")
    assert end_of(house, truth)() == "person"


@pytest.mark.parametrize("shape", ["stopped", "hang"])
def test_it_is_mended_when_its_time_is_over(house: House, shape: str) -> None:
    """Nobody did anything: the simulator itself makes it good."""
    truth = break_it(house, shape, 1)
    wait_for(lambda: end_of(house, truth)() == "time", "its time is over")
    wait_for(lambda: answers(house, 0.5), "it is mended")


def test_it_is_mended_where_nothing_can_be_written(house: House) -> None:
    """The disk with its own files is full: the end needs no room."""
    broken = break_it(house, "stopped")
    skewed = house.stage.start(Order("clock", level=300))
    with full():
        house.stage.stop("clock")
        house.stage.stop("service")
    wait_for(lambda: answers(house, 0.5), "it is mended")
    assert (
        MoodFile(house.settings.home / "services/shop.json").read() == Mood()
    )
    ends = (end_of(house, broken), end_of(house, skewed))
    wait_for(lambda: all(end() for end in ends), "their ends are written")
    break_it(house, "errors")
    house.stage.stop()
    wait_for(lambda: answers(house), "it is mended once more")


def test_without_room_for_its_files_it_says_so(tmp_path: Path) -> None:
    """At the start, with what to do; nothing is left."""
    house = House(settings_at(tmp_path / "sim"))
    known = our_children()
    with full(), pytest.raises(Unable, match="Make room"):
        house.open()
    assert isinstance(house.refusal, Unable)
    assert born_since(known) == []


def test_a_full_disk_keeps_a_restart_from_healing_it(house: House) -> None:
    """Restarted, it cannot start; it is over once there is room again."""
    truth = break_it(house, "stopped")
    house.stage.start(Order("disk", seconds=60))
    down = house.keeper.restart("shop")
    assert down.state == "crashing"
    assert "no space left" in down.says
    assert end_of(house, truth)() == ""
    house.stage.stop("disk")
    wait_for(lambda: end_of(house, truth)() == "remedy", "it has come up")
    assert answers(house)


def test_room_alone_brings_back_what_ended_for_want_of_it(
    house: House,
) -> None:
    """It ends by itself, no restart helps, and it comes back by itself."""
    full = house.stage.start(Order("disk", seconds=60))
    truth = break_it(house, NO_ROOM)
    assert truth.expects == ("free_disk_space",)
    assert not answers(house, 0.3)
    wait_for(
        lambda: "no space left" in house.keeper.look("shop").says,
        "it says why",
    )
    assert house.keeper.restart("shop").state == "crashing"
    assert end_of(house, truth)() == ""
    house.stage.stop("disk")
    assert end_of(house, full)() == "person"
    wait_for(lambda: end_of(house, truth)() == "remedy", "it has come back")
    assert answers(house)
    assert house.stage.running() == []


def test_what_has_room_is_not_down_for_want_of_it(house: House) -> None:
    """It is refused with what to do, and the service goes on."""
    with pytest.raises(Unable, match="has room to write") as caught:
        break_it(house, NO_ROOM)
    assert "begin the fault disk" in caught.value.remedy
    wait_for(lambda: house.keeper.look("shop").mode == "ok", "it is mended")
    assert answers(house)
    assert house.stage.running() == []


def test_it_is_not_broken_twice(house: House) -> None:
    """The second order is refused; the first goes on."""
    break_it(house, "errors")
    with pytest.raises(Conflict):
        break_it(house, "slow")
    house.stage.stop()
    wait_for(lambda: answers(house), "it is mended")


def test_the_services_survive_what_a_fault_left(tmp_path: Path) -> None:
    """A mode that a crash left behind does not hold for the next run."""
    folder = tmp_path / "sim" / "services"
    house = House(settings_at(tmp_path / "sim"))
    house.open()
    house.close()
    folder.mkdir(exist_ok=True)
    (folder / "shop.json").write_text('{"mode": "stopped"}')
    house = House(settings_at(tmp_path / "sim"))
    house.open()
    try:
        assert house.keeper.look("shop").state == "running"
    finally:
        house.close()
