"""The keeper: it starts services, and ends them without a trace."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from simulator.ctl import Ask
from simulator.dummy import Spool
from simulator.keeping import Keeper, Pace, State, Ways
from simulator.kept import Place
from simulator.moods import MoodFile
from simulator.problem import Unable, Unknown
from tests.unit.simulator.running import wait_for
from tests.unit.simulator.scene import born_since, our_children

Keep = Callable[..., Keeper]
QUICK = Pace(0.05, 0.2, 60)


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    """Start keepers; they end with the test and leave nothing behind."""
    begun: list[Keeper] = []
    known = our_children()

    def make(*names: str, most: int = 0) -> Keeper:
        """Start one, of shop when nothing is said."""
        folder = tmp_path / "services"
        places = [Place(name, folder) for name in names or ("shop",)]
        ways = Ways(Spool(tmp_path / "disk", 8192, most), pace=QUICK)
        keeper = Keeper(places, ways)
        keeper.start()
        begun.append(keeper)
        return keeper

    yield make
    for keeper in begun:
        keeper.stop()
    left = [path for path in tmp_path.rglob("*.*") if path.is_file()]
    assert left == []
    assert born_since(known) == []


def health(keeper: Keeper, seconds: float = 10) -> int:
    """Return with which status shop answers."""
    port = keeper.look("shop").port
    return Ask("127.0.0.1", port, "/health").send(seconds).status


def is_state(keeper: Keeper, state: State) -> Callable[[], bool]:
    """Return what tells whether shop is in a state."""
    return lambda: keeper.look("shop").state is state


def test_it_starts_all_services(keep: Keep) -> None:
    """Each runs on a port of its own, and says so in its file."""
    keeper = keep("shop", "till")
    shop, till = keeper.look_at_all()
    assert (shop.state, till.state) == (State.RUNNING, State.RUNNING)
    assert shop.port != till.port
    assert health(keeper) == 200


def test_its_process_is_called_as_the_settings_say(tmp_path: Path) -> None:
    """Two simulators of one machine are told apart by it."""
    place = Place("shop", tmp_path / "services", "demo1")
    keeper = Keeper([place], Ways(Spool(tmp_path / "disk", 8192)))
    keeper.start()
    try:
        found = psutil.Process(keeper.look("shop").pid)
        assert found.name() == "demo1-shop"
        assert Path(found.cmdline()[0]).name == "demo1-shop"
    finally:
        keeper.stop()


def test_a_stopped_service_stays_stopped_until_restarted(keep: Keep) -> None:
    """Stopped, it is not started by itself; a restart mends it."""
    keeper = keep()
    port = keeper.look("shop").port
    stopped = keeper.set_mode("shop", "stopped")
    assert (stopped.state, stopped.pid) == (State.STOPPED, 0)
    with pytest.raises(OSError, match="refused"):
        health(keeper)
    mended = keeper.restart("shop")
    assert (mended.state, mended.restarts) == (State.RUNNING, 1)
    assert (mended.port, mended.mode) == (port, "ok")
    assert health(keeper) == 200


def test_a_frozen_service_hangs_until_it_is_thawed(keep: Keep) -> None:
    """Frozen, it listens and does not answer; thawed, it goes on."""
    keeper = keep()
    pid = keeper.set_mode("shop", "frozen").pid
    with pytest.raises(TimeoutError):
        health(keeper, 0.2)
    assert keeper.set_mode("shop", "ok").pid == pid
    assert health(keeper) == 200


def test_a_frozen_service_is_restarted(keep: Keep) -> None:
    """A restart needs no answer of what hangs."""
    keeper = keep()
    pid = keeper.set_mode("shop", "frozen").pid
    assert keeper.restart("shop").pid != pid
    assert health(keeper) == 200


@pytest.mark.parametrize("mode", ["500", "slow"])
def test_a_restart_heals_what_answers_badly(keep: Keep, mode: str) -> None:
    """Errors and slowness are gone with the run that had them."""
    keeper = keep()
    assert keeper.set_mode("shop", mode).mode == mode
    assert keeper.restart("shop").mode == "ok"
    assert health(keeper) == 200


def test_a_restart_does_not_heal_a_crash_loop(keep: Keep) -> None:
    """It crashes again, until its mode is another."""
    keeper = keep()
    keeper.set_mode("shop", "crash")
    wait_for(is_state(keeper, State.CRASHING), "it crashes")
    again = keeper.restart("shop")
    assert again.state is State.CRASHING
    assert "crashes at its start" in again.says
    assert keeper.set_mode("shop", "ok").state is State.RUNNING


def test_what_is_killed_is_started_again(keep: Keep) -> None:
    """A service that somebody killed comes back by itself."""
    keeper = keep()
    pid = keeper.look("shop").pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: keeper.look("shop").pid not in (0, pid), "it is back")
    assert health(keeper) == 200


def test_it_does_not_start_while_the_disk_is_full(
    keep: Keep, tmp_path: Path
) -> None:
    """A restart fails while there is no room, and works by itself after."""
    keeper = keep(most=64 * 1024)
    assert keeper.look("shop").state is State.RUNNING
    full = tmp_path / "disk" / "app.log"
    full.write_bytes(bytes(60 * 1024))
    down = keeper.restart("shop")
    assert down.state is State.CRASHING
    assert "no space left" in down.says
    full.unlink()
    wait_for(is_state(keeper, State.RUNNING), "it runs again")


def test_its_file_says_how_a_service_is(keep: Keep, tmp_path: Path) -> None:
    """Whoever does not ask the keeper reads it, and can change the mode."""
    keeper = keep()
    keeper.look("shop")
    state = tmp_path / "services" / "shop.state"
    assert json.loads(state.read_text())["state"] == "running"
    MoodFile(tmp_path / "services" / "shop.json").set_mode("stopped")
    wait_for(is_state(keeper, State.STOPPED), "the keeper has followed")
    assert json.loads(state.read_text())["mode"] == "stopped"


def test_a_name_that_nobody_keeps_is_refused(keep: Keep) -> None:
    """It says which there are, and nothing is done."""
    with pytest.raises(Unknown, match="There are: shop"):
        keep().restart("till")


def test_a_keeper_that_does_not_run_says_so() -> None:
    """Before its start and after its end nobody waits for it."""
    keeper = Keeper([Place("shop", Path("/nowhere"))], Ways(Spool(Path("/"))))
    with pytest.raises(Unable, match="does not run"):
        keeper.look("shop")
    keeper.stop()


def test_an_unknown_mode_is_refused(keep: Keep) -> None:
    """Nothing is written that the service would not understand."""
    keeper = keep()
    with pytest.raises(Unable, match="none of"):
        keeper.set_mode("shop", "sing")
    assert keeper.look("shop").mode == "ok"


def test_a_folder_that_cannot_be_written_is_a_crash(tmp_path: Path) -> None:
    """The keeper lives on, and says what is wrong."""
    (tmp_path / "services").write_text("in the way")
    keeper = Keeper(
        [Place("shop", tmp_path / "services")], Ways(Spool(tmp_path))
    )
    keeper.start()
    try:
        found = keeper.look("shop")
    finally:
        keeper.stop()
    assert found.state is State.CRASHING
    assert "cannot be started" in found.says


def test_the_pause_grows_to_a_bound() -> None:
    """Each crash doubles it; it ends somewhere."""
    pace = Pace(0.5, 8.0, 10.0)
    assert [pace.pause(n) for n in (0, 1, 2, 3)] == [0.5, 0.5, 1.0, 2.0]
    assert pace.pause(10_000) == 8.0
