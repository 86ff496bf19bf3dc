"""A small file system is really full, and empty again afterwards."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.fault import Order
from simulator.problem import Refused, Unable
from simulator.stage import Stage
from tests.unit.simulator.scene import can_mount, processes, wait_for

OpenStage = Callable[..., Stage]
WEEK_SECONDS = 7 * 86_400


@pytest.fixture(params=["folder", "tmpfs"])
def stage(request: pytest.FixtureRequest, open_stage: OpenStage) -> Stage:
    """Open a stage with each kind of small disk."""
    if request.param == "tmpfs" and not can_mount():
        pytest.skip("only root may mount a file system")
    return open_stage(disk={"kind": request.param})


def percent(stage: Stage) -> float:
    """Return how full it is, as a monitor sees it."""
    path = stage.settings.disk_path
    if stage.settings.disk.kind == "tmpfs":
        found = os.statvfs(path)
        return 100 - 100 * found.f_bavail / found.f_blocks
    used = sum(one.stat().st_blocks for one in path.iterdir()) * 512
    return 100 * used / (8 * 1024 * 1024)


def logs(stage: Stage) -> list[Path]:
    """Return the rotated logs, the oldest first."""
    found = stage.settings.disk_path.glob("app.log.*")
    return sorted(found, key=lambda path: path.stat().st_mtime)


def test_it_is_as_full_as_asked_for(stage: Stage) -> None:
    """And its own labels say where."""
    path = stage.settings.disk_path
    begun = stage.start(Order("disk", level=95, seconds=60))
    assert 94 < percent(stage) < 97
    assert begun.target == {"host": "simulator", "mountpoint": str(path)}
    assert begun.expects == ("free_disk_space",)
    stage.stop()
    assert percent(stage) < 2
    assert list(path.iterdir()) == []


def test_its_logs_look_like_a_rotation_of_weeks(stage: Stage) -> None:
    """Each older than a week, but for the one that is written now."""
    stage.start(Order("disk"))
    now = time.time()
    found = logs(stage)
    assert [path.name for path in found] == [
        f"app.log.{number}" for number in range(9, 0, -1)
    ]
    assert all(now - p.stat().st_mtime > WEEK_SECONDS for p in found)
    newest = stage.settings.disk_path / "app.log"
    assert now - newest.stat().st_mtime < WEEK_SECONDS
    assert newest.read_bytes().startswith(b"2026-")


def test_room_made_by_somebody_else_ends_it(stage: Stage) -> None:
    """As soon as there is enough; the rest is cleaned up then."""
    stage.start(Order("disk", level=95))
    oldest, *others = logs(stage)
    oldest.unlink()
    assert percent(stage) > 80
    assert [one.fault for one in stage.running()] == ["disk"]
    for path in others[:2]:
        path.unlink()
    wait_for(lambda: not stage.running())
    assert [one.ended_by for one in stage.truths.since()] == ["remedy"]
    assert percent(stage) < 2


def test_all_of_it_can_be_full(stage: Stage) -> None:
    """Then nobody else can write there."""
    stage.start(Order("disk", level=100))
    assert percent(stage) >= 99


def test_one_log_is_held_open(stage: Stage) -> None:
    """Whoever holds it is known by a name; its end alone is no room."""
    order = Order("disk", level=90, options={"shape": "one_log"})
    begun = stage.start(order)
    assert begun.expects == ("free_disk_space", "escalate")
    (holder,) = processes("sim-disk")
    path = stage.settings.disk_path / "app.log"
    assert str(path) in {one.path for one in holder.open_files()}
    assert 89 < percent(stage) < 92
    holder.kill()
    wait_for(lambda: not processes("sim-disk"))
    assert [one.fault for one in stage.running()] == ["disk"]
    path.unlink()
    wait_for(lambda: not stage.running())


def test_a_held_log_gives_no_room_back_when_it_is_removed(
    open_stage: OpenStage,
) -> None:
    """Only when its holder is gone, as on any file system."""
    if not can_mount():
        pytest.skip("only root may mount a file system")
    stage = open_stage(disk={"kind": "tmpfs"})
    stage.start(Order("disk", level=90, options={"shape": "one_log"}))
    (stage.settings.disk_path / "app.log").unlink()
    assert percent(stage) > 89
    assert [one.fault for one in stage.running()] == ["disk"]
    processes("sim-disk")[0].kill()
    wait_for(lambda: not stage.running())
    assert [one.ended_by for one in stage.truths.since()] == ["remedy"]


def test_one_that_is_unmounted_is_over_and_not_filled_again(
    open_stage: OpenStage,
) -> None:
    """What lies below the mount is a disk of the machine."""
    if not can_mount():
        pytest.skip("only root may mount a file system")
    stage = open_stage(disk={"kind": "tmpfs"})
    path = stage.settings.disk_path
    stage.start(Order("disk", level=90))
    subprocess.run(["umount", str(path)], timeout=60, check=True)
    wait_for(lambda: not stage.running())
    assert [one.ended_by for one in stage.truths.since()] == ["remedy"]
    with pytest.raises(Unable, match="somebody unmounted"):
        stage.start(Order("disk", level=90))
    assert list(path.iterdir()) == []


def test_one_log_can_grow(stage: Stage) -> None:
    """It is a fault from its first byte, until it is full and after."""
    options = {"shape": "one_log", "within": 1}
    stage.start(Order("disk", level=95, options=options))
    assert [one.fault for one in stage.running()] == ["disk"]
    wait_for(lambda: percent(stage) > 94)
    assert [one.fault for one in stage.running()] == ["disk"]


def test_one_that_is_ended_while_it_grows_is_over(stage: Stage) -> None:
    """There is room still."""
    options = {"shape": "one_log", "within": 600}
    stage.start(Order("disk", options=options))
    processes("sim-disk")[0].kill()
    wait_for(lambda: not stage.running())
    assert [one.ended_by for one in stage.truths.since()] == ["remedy"]


def test_old_logs_do_not_grow(stage: Stage) -> None:
    """An option that would do nothing is refused."""
    with pytest.raises(Refused, match="there at once") as caught:
        stage.start(Order("disk", options={"within": 5}))
    assert caught.value.field == "options.within"
    assert list(stage.settings.disk_path.iterdir()) == []


def test_a_level_that_is_no_fault_is_refused(stage: Stage) -> None:
    """It must be more than what counts as fixed."""
    with pytest.raises(Refused, match="81 to 100"):
        stage.start(Order("disk", level=80))


def test_what_others_have_there_stays(stage: Stage) -> None:
    """It counts as used, and is nobody's to remove."""
    path = stage.settings.disk_path / "shop.spool"
    path.write_bytes(b"x" * 1024 * 1024)
    stage.start(Order("disk", level=90))
    assert 89 < percent(stage) < 92
    stage.stop()
    assert [one.name for one in path.parent.iterdir()] == ["shop.spool"]
    path.unlink()


def test_a_disk_that_others_filled_is_over_when_they_leave(
    stage: Stage,
) -> None:
    """More is there already than was asked for: nothing is added."""
    path = stage.settings.disk_path / "theirs"
    path.write_bytes(b"x" * (7 * 1024 * 1024 + 512 * 1024))
    stage.start(Order("disk", level=90))
    assert 92 < percent(stage) < 96
    path.unlink()
    wait_for(lambda: not stage.running())
