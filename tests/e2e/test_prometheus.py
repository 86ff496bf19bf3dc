"""Real faults, seen by the real Prometheus, ended by Smokejumper."""

from pathlib import Path

import pytest

from simulator.scorecard import as_json
from tests.e2e.prometheus import NEEDS, Monitoring
from tests.e2e.stack import LANES, ROUNDS, Stack, need

pytestmark = [pytest.mark.real]
ALL = len(LANES) * ROUNDS
PERFECT = {
    "n": ALL,
    "to_fix": ALL,
    "detected": ALL,
    "missed": 0,
    "right_first_action": ALL,
    "wrong_actions": 0,
    "fixed": ALL,
    "false_fixed": 0,
    "escalated": 0,
    "resolved": ALL,
    "outcomes": {"fixed": ALL},
}


def test_each_fault_is_found_and_fixed(tmp_path: Path) -> None:
    """Cpu, memory, disk, service: from the fault to the alert's end."""
    need(NEEDS)
    with (
        Stack(tmp_path / "stack", "simp") as stack,
        Monitoring(tmp_path / "monitoring", stack.stage),
    ):
        stack.play()
        score = stack.score("prometheus")
    summary = as_json(score)["summary"]
    told = (stack.missed, score.model_dump_json(indent=1))
    assert {name: summary[name] for name in PERFECT} == PERFECT, told
    assert {one.fault for one in score.results} == {
        lane.fault for lane in LANES
    }
