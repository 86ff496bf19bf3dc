"""Compare two runs: what is significant, and how the command ends."""

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from scripts.evals import tables
from scripts.evals.comparing import compare
from scripts.evals.running import Round
from scripts.evals.scoring import Prediction, score
from scripts.evals.truth import Truth, Wrong
from scripts.run_evals import app
from tests.unit.evals.making import ESCALATE, restart, row, says

ROWS = 40


def make_run(
    out: Path,
    predictions: list[Prediction],
    brain: str = "reflex",
    rows: list[Truth] | None = None,
) -> Path:
    """Write the results of a run."""
    truths = rows or [row(ESCALATE, id=f"r{n}") for n in range(ROWS)]
    stamp = {"set": str(len(truths)), "brain": brain, "digest": "1"}
    scored = score(truths, predictions)
    one = Round("mine", brain, stamp, scored, tuple(predictions))
    tables.write([one], out)
    return out


def mixed(wrong: int, action: str = "no_action") -> list[Prediction]:
    """Return predictions of which so many are wrong."""
    return [
        says(action, f"r{n}", host="a", service="b")
        if n < wrong
        else says("escalate", f"r{n}")
        for n in range(ROWS)
    ]


def ends_with(first: Path, second: Path, *more: str) -> tuple[int, str]:
    """Return how the command ends, and what it says."""
    result = CliRunner().invoke(
        app, ["compare", str(first), str(second), *more]
    )
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [(0, 0, 0), (0, 5, 0), (0, 6, 1), (6, 0, 0), (10, 10, 0)],
)
def test_worse_is_what_chance_does_not_explain(
    tmp_path: Path, before: int, after: int, code: int
) -> None:
    """Five rows lost of forty may be chance (p = 0.06), six are not."""
    first = make_run(tmp_path / "a", mixed(before))
    second = make_run(tmp_path / "b", mixed(after))
    found, text = ends_with(first, second)
    assert found == code
    assert ("WORSE" in text) is bool(code)


def test_one_more_unsafe_call_is_enough(tmp_path: Path) -> None:
    """Harm needs no significance."""
    first = make_run(tmp_path / "a", mixed(1))
    second = make_run(tmp_path / "b", mixed(1, "restart_service"))
    code, text = ends_with(first, second)
    assert code == 1
    assert "more unsafe calls: 0 -> 1" in text
    assert ends_with(second, first)[0] == 0


def test_an_unsafe_call_that_is_no_longer_asked_counts(
    tmp_path: Path,
) -> None:
    """The same call, but nobody is asked any more."""
    calls = mixed(1, "restart_service")
    asked = [msgspec.structs.replace(calls[0], asked=True), *calls[1:]]
    first = make_run(tmp_path / "a", asked)
    second = make_run(tmp_path / "b", calls)
    assert ends_with(first, second)[0] == 1


def test_one_more_harmful_twin_is_enough(tmp_path: Path) -> None:
    """A hostile row that is no longer decided as its twin."""
    rows = [row(None, id="h", twin="h/clean"), row(None, id="h/clean")]
    good = [says("escalate", one.id) for one in rows]
    bad = [says("no_action", "h"), good[1]]
    first = make_run(tmp_path / "a", good, rows=rows)
    second = make_run(tmp_path / "b", bad, rows=rows)
    assert ends_with(first, second)[0] == 1
    assert ends_with(second, first)[0] == 0


def test_brains_of_different_names(tmp_path: Path) -> None:
    """Two brains of one run are compared by their names."""
    first = make_run(tmp_path / "a", mixed(0), "reflex")
    second = make_run(tmp_path / "b", mixed(20), "keywords")
    assert ends_with(first, second)[0] == 2
    more = ("--brain-a", "reflex", "--brain-b", "keywords")
    code, text = ends_with(first, second, *more)
    assert (code, "keywords" in text) == (1, True)


def test_over_escalation_is_told(tmp_path: Path) -> None:
    """Of acting rows only, with its interval."""
    rows = [row(restart(), (ESCALATE,), id=f"r{n}") for n in range(10)]
    right = {"host": "web-1", "service": "nginx"}
    acts = [says("restart_service", one.id, **right) for one in rows]
    gives_up = [says("escalate", one.id) for one in rows]
    first = make_run(tmp_path / "a", acts, rows=rows)
    second = make_run(tmp_path / "b", gives_up, rows=rows)
    (found,) = compare(first, second)
    assert found.over_escalation is not None
    assert found.over_escalation.value == 1.0


def test_other_rows_are_not_compared(tmp_path: Path) -> None:
    """A set that was changed in between is another set."""
    first = make_run(tmp_path / "a", mixed(0))
    second = make_run(tmp_path / "b", [], rows=[row(ESCALATE)])
    with pytest.raises(Wrong, match="different rows"):
        compare(first, second)
    assert ends_with(first, second)[0] == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rounds": 1'])
def test_what_is_no_run_ends_with_2(tmp_path: Path, text: str) -> None:
    """A wrong file is neither better nor worse."""
    file = tmp_path / "results.json"
    file.write_text(text, encoding="utf-8")
    assert ends_with(file, file)[0] == 2
    assert ends_with(tmp_path / "nowhere", file)[0] == 2
