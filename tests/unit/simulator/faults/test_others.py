"""Files, zombies, writing and clocks: seen for real, and gone again."""

import json
import resource
from pathlib import Path

import psutil
import pytest

from simulator.fault import Order
from simulator.problem import Unable
from simulator.stage import Stage
from tests.unit.simulator.scene import (
    MB,
    files_below,
    processes,
    settings_at,
    wait_for,
)


def test_files_are_held_open_near_the_limit(stage: Stage) -> None:
    """A monitor that compares with the limit sees it too."""
    stage.start(Order("files", level=400))
    (child,) = processes("sim-files")
    count = child.num_fds()
    soft, _ = child.rlimit(psutil.RLIMIT_NOFILE)
    assert count >= 400
    assert soft * 0.9 < count < soft


def test_more_files_than_a_process_may_have_are_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how many there may be."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 200))
    with pytest.raises(Unable, match="may hold 200 files") as caught:
        stage.start(Order("files", level=137))
    assert "136 at most" in caught.value.remedy
    assert stage.start(Order("files", level=136))


def zombies() -> int:
    """Return how many zombies its process has."""
    found = [
        one for parent in processes("sim-zombies") for one in parent.children()
    ]
    return sum(one.status() == psutil.STATUS_ZOMBIE for one in found)


def test_zombies_are_there_and_reaped_at_the_end(stage: Stage) -> None:
    """None is left for pid 1."""
    stage.start(Order("zombies", level=12))
    # Each is born alive, under the name of its parent: it has ended by now.
    assert zombies() == 12
    stage.stop()
    assert zombies() == 0


def test_zombies_go_with_a_polite_signal(stage: Stage) -> None:
    """As a remedy would send it."""
    stage.start(Order("zombies", level=12))
    (child,) = processes("sim-zombies")
    found = child.children()
    child.terminate()
    wait_for(lambda: not stage.running())
    # Who takes them over (init) lets them go when its turn comes.
    wait_for(lambda: not any(one.is_running() for one in found))


def test_writing_goes_on_in_a_file_of_a_bounded_size(
    stage: Stage, home: Path
) -> None:
    """It has no name, so nothing of it can be left behind."""
    stage.start(Order("io", level=50))
    (child,) = processes("sim-io")
    assert files_below(home) == set()
    wait_for(lambda: child.io_counters().write_chars > 12 * MB)
    (file,) = (
        path
        for path in Path(f"/proc/{child.pid}/fd").iterdir()
        if "io.bin" in str(path.readlink())
    )
    assert file.stat().st_size <= 8 * MB


def test_no_step_is_larger_than_the_file_may_be(
    stage: Stage, home: Path
) -> None:
    """50 MB each time, into 8: it begins anew as often as it must."""
    stage.start(Order("io", level=500))
    (child,) = processes("sim-io")
    wait_for(lambda: child.io_counters().write_chars > 60 * MB)
    (file,) = (
        path
        for path in Path(f"/proc/{child.pid}/fd").iterdir()
        if "io.bin" in str(path.readlink())
    )
    assert file.stat().st_size <= 8 * MB
    assert files_below(home) == set()


def test_only_a_service_has_a_wrong_clock(stage: Stage, home: Path) -> None:
    """It is told so by its file, and told the right time again."""
    begun = stage.start(Order("clock", level=-300))
    path = home / "services" / "shop.json"
    said = json.loads(path.read_text())
    assert said == {"mode": "ok", "skew_seconds": -300}
    assert begun.target == {"host": "simulator", "service": "shop"}
    stage.stop()
    assert not path.exists()


def test_how_a_service_is_otherwise_stays(stage: Stage, home: Path) -> None:
    """Its mode is another fault's."""
    path = home / "services" / "shop.json"
    path.parent.mkdir()
    path.write_text('{"mode": "slow", "skew_seconds": 0}')
    stage.start(Order("clock", level=60))
    assert json.loads(path.read_text()) == {"mode": "slow", "skew_seconds": 60}
    stage.stop()
    assert json.loads(path.read_text()) == {"mode": "slow", "skew_seconds": 0}
    path.unlink()


def test_a_clock_that_somebody_set_right_is_over(
    stage: Stage, home: Path
) -> None:
    """That is a remedy."""
    stage.start(Order("clock", level=60))
    path = home / "services" / "shop.json"
    path.write_text('{"mode": "ok", "skew_seconds": 0}')
    wait_for(lambda: not stage.running())
    assert [one.ended_by for one in stage.truths.since()] == ["remedy"]


def test_a_right_clock_is_no_fault(stage: Stage) -> None:
    """Nothing would be wrong."""
    with pytest.raises(Unable, match="0 seconds off is right") as caught:
        stage.start(Order("clock", level=0))
    assert caught.value.field == "level"


def test_without_a_service_no_clock_can_be_wrong(home: Path) -> None:
    """The settings may have none."""
    with Stage(settings_at(home, services=[])) as stage:
        with pytest.raises(Unable, match="no service whose clock"):
            stage.start(Order("clock"))
        with pytest.raises(Unable, match="no service whose clock"):
            stage.start(Order("clock", level=5))
