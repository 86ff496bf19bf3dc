"""Real faults, seen by the real Zabbix, ended by Smokejumper."""

import pytest

from scripts.demo.stage import TMPFS
from tests.e2e.stack import LANES, ROUNDS, Stack
from tests.e2e.zabbix import Monitoring

pytestmark = [pytest.mark.real]


def test_each_fault_is_found_and_fixed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Cpu, memory, disk, service: from the fault to the problem's end."""
    # A short name: the server makes sockets in it.
    folder = tmp_path_factory.mktemp("z")
    stack = Stack(folder / "stack", "simz")
    # An agent sees no folder with a size of its own, which is all that a
    # disk is where nobody may mount.
    has_disk = stack.stage.disk_kind == TMPFS
    lanes = tuple(one for one in LANES if has_disk or one.fault != "disk")
    monitoring = Monitoring(folder / "m", stack.stage)
    with stack, monitoring:
        stack.play(lanes)
        score = stack.score("zabbix")
    told = score.model_dump_json(indent=1)
    assert stack.missed == [], told
    assert len(score.results) == len(lanes) * ROUNDS, told
    for result in score.results:
        assert not result.is_missed, told
        assert result.is_right_first, told
        assert result.wrong_actions == (), told
        assert not result.is_false_fixed, told
        assert result.is_fixed, told
        assert result.resolved_seconds is not None, told
    assert score.stray_actions == (), told
