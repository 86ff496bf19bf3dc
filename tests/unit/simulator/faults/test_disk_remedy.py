"""The product's own deed makes room on the small file system."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.act.local.deed import read_arguments
from app.act.local.deeds.free_disk_space import plugin
from app.core.clock import SystemClock
from app.core.host import HostSettings
from simulator.fault import Order
from simulator.stage import Stage
from tests.unit.act.local.disks import Env, make_hand
from tests.unit.simulator.scene import can_mount, wait_for


@pytest.mark.parametrize("kind", ["folder", "tmpfs"])
def test_the_deed_ends_the_fault(
    open_stage: Callable[..., Stage], tmp_path: Path, kind: str
) -> None:
    """The rules of docs/simulator.md let it, and it is a remedy."""
    if kind == "tmpfs" and not can_mount():
        pytest.skip("only root may mount a file system")
    stage = open_stage(disk={"kind": kind})
    place = stage.start(Order("disk", level=95)).target["mountpoint"]
    sizes = {place: {"mb": 8}} if kind == "folder" else {}
    rule = {"root": place, "globs": ["app.log.*"], "age": "content"}
    journal = {"keep_mb": 0, "keep_days": 0}
    host = HostSettings.model_validate({"folders": sizes})
    env = Env([rule], host, journal=journal)
    env.clock = SystemClock()
    deed = plugin(env)
    told: dict[str, str | int] = {"host": "simulator", "path": place}
    said: list[str] = []
    done = deed.do(
        read_arguments(deed.takes, told), make_hand(tmp_path, said.append)
    )
    assert str(done.state) == "succeeded", said
    wait_for(lambda: not stage.running())
    assert [one.ended_by for one in stage.truths.since()] == ["remedy"]
