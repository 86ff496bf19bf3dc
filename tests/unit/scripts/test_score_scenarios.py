"""Scorecards of scenarios: what is asked for, and a line of the table."""

from datetime import UTC, datetime

import pytest

from scripts import score_scenarios
from simulator.results import Score


def test_a_scenario_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is played, and those that there are are told."""
    words = ["score_scenarios", "flapping", "no-such-thing"]
    monkeypatch.setattr("sys.argv", words)
    assert score_scenarios.main() == 2
    said = capsys.readouterr().out
    assert "no scenario 'no-such-thing'" in said
    assert "flapping" in said


def test_a_line_has_a_cell_for_each_column() -> None:
    """With a link to its card, and how the play ended."""
    empty = Score(
        read_at=datetime(2026, 11, 21, 2, 14, tzinfo=UTC), results=()
    )
    cells = score_scenarios.line("flapping", {"ended": "done"}, empty)
    assert cells.startswith("| [flapping](flapping.svg) | done | 0 |")
    assert cells.count("|") == len(score_scenarios.COLUMNS) + 3
    late = score_scenarios.line("flapping", {"ended": ""}, empty)
    assert "| late |" in late
