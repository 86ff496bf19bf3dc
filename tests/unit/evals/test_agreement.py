"""Our scorer against the one that the labelled sets came with.

That one is no part of this repository; where it is not there, the readings
made by hand in test_scoring.py stand alone.
"""

import importlib.util
import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from scripts.evals.scoring import Prediction, Score, score
from scripts.evals.twins import read_set

REPOSITORY = Path(__file__).parents[3]
DATA = Path(os.environ.get("TEST_DATA", REPOSITORY.parent / "shared/data"))
pytestmark = pytest.mark.skipif(
    not (DATA / "score.py").is_file(),
    reason="set TEST_DATA to the folder that holds score.py",
)
# Files whose rows have a twin instead of a label.
UNLABELLED = ("attacks", "twins")
HOSTS = ("web-1", "10.0.0.7:9100", "*", "", None, "db.example.org", 7)


def their_score(predictions: Any, truths: Any) -> Any:
    """Return what the other scorer says."""
    spec = importlib.util.spec_from_file_location("score", DATA / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.score(predictions, truths)


def guess(truth: Any, chance: Random) -> dict[str, Any]:
    """Return a prediction: right, acceptable, spoiled or invented."""
    options = [truth["expected"], *truth["acceptable"]]
    kind = chance.randrange(5)
    call = chance.choice(options) if kind < 3 else truth["expected"]
    action = call["action"]
    arguments = {
        name: chance.choice(call.get("accept_args", {}).get(name) or [value])
        for name, value in call["arguments"].items()
    }
    if kind == 2 and arguments:
        arguments[chance.choice(list(arguments))] = chance.choice(HOSTS)
    if kind == 3:
        action = chance.choice(
            ("free_memory", "restart_service", "escalate", "dance")
        )
        arguments = {"host": chance.choice(HOSTS), "service": "nginx"}
    if kind == 4 and truth.get("forbidden_values"):
        bad = chance.choice(truth["forbidden_values"])
        arguments = {"host": bad, "service": bad, "topic": bad}
    found = {
        "id": truth["id"],
        "action": action,
        "arguments": arguments,
        "asked": chance.random() < 0.3,
    }
    if chance.random() < 0.8:
        found["confidence"] = round(chance.random(), chance.choice((1, 3)))
    return found


def same(theirs: Any, ours: Any) -> bool:
    """Tell whether a rate of theirs is one of ours, with its interval."""
    interval = theirs["rate_ci95"]
    if interval is None:
        return (theirs["k"], theirs["n"]) == (ours.k, ours.n)
    return interval == pytest.approx([ours.rate, ours.low, ours.high]) and (
        theirs["k"],
        theirs["n"],
    ) == (ours.k, ours.n)


def check_rates(theirs: Any, ours: Score) -> None:
    """Compare every share."""
    unsafe, over = theirs["unsafe"], theirs["over_escalation"]
    pairs = {
        "fs": (theirs["function_accuracy"]["strict"], ours.function_strict),
        "fa": (
            theirs["function_accuracy"]["accepted"],
            ours.function_accepted,
        ),
        "es": (theirs["exact_accuracy"]["strict"], ours.exact_strict),
        "ea": (theirs["exact_accuracy"]["accepted"], ours.exact_accepted),
        "unsafe": (unsafe["of_all"], ours.unsafe),
        "worst": (
            unsafe["of_all_forbidden_or_wrong_target"],
            ours.unsafe_forbidden_or_target,
        ),
        "acting": (unsafe["of_acting_calls"], ours.unsafe_of_acting),
        "unasked": (unsafe["not_asked"], ours.unsafe_not_asked),
        "asked": (theirs["asked"], ours.asked),
        "over": (over["where_acting_is_expected"], ours.over_escalation),
        "any": (
            over["where_escalate_is_not_expected"],
            ours.over_escalation_any,
        ),
        "none": (
            over["where_escalate_is_not_even_acceptable"],
            ours.over_escalation_not_acceptable,
        ),
        "hostile": (
            theirs["hostile"]["exact_accepted"],
            ours.hostile_accepted,
        ),
    }
    assert [name for name, two in pairs.items() if not same(*two)] == []


def check_counts(theirs: Any, ours: Score) -> None:
    """Compare every count, and the calibration."""
    hostile = theirs["hostile"]
    assert theirs["missing"] == ours.missing
    assert theirs["unsafe"]["kinds"] == ours.kinds
    assert theirs["unsafe"]["ids"] == ours.unsafe_ids
    assert hostile["of_these_acting"] == ours.hostile_acting
    assert hostile["of_these_acting_not_asked"] == (
        ours.hostile_acting_not_asked
    )
    assert hostile["carrying_a_forbidden_value"] == ours.hostile_forbidden
    for name, found in theirs["per_action"].items():
        mine = ours.per_action.get(name)
        if mine is not None:
            assert found["right"] == mine.right
            assert found["unsafe_predictions"] == mine.unsafe
    for name, mine_ in (("strict", ours.strict), ("accepted", ours.accepted)):
        assert mine_ is not None
        assert theirs["confidence"][name]["ece10"] == pytest.approx(mine_.ece)
        for share, part in theirs["confidence"][name]["selective"].items():
            found_ = mine_.selective[f"{share}%"]
            assert part["accuracy"] == pytest.approx(found_)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ours_too", [False, True])
def test_both_scorers_agree(seed: int, ours_too: bool, tmp_path: Path) -> None:
    """Whatever is predicted, on their rows and on ours."""
    files = [DATA / "dev150.jsonl"]
    if ours_too:
        cases = REPOSITORY / "tests" / "evals" / "cases"
        files = [f for f in cases.glob("*.jsonl") if f.stem not in UNLABELLED]
    lines = [ln for f in files for ln in f.read_text("utf-8").splitlines()]
    truths = [json.loads(line) for line in lines]
    chance = Random(seed)
    predictions = [guess(t, chance) for t in truths if chance.random() < 0.95]
    both = tmp_path / "both.jsonl"
    both.write_text("\n".join(lines), encoding="utf-8")
    found = score(
        read_set(both).rows, [Prediction(**one) for one in predictions]
    ).score
    theirs = their_score(predictions, truths)
    check_rates(theirs, found)
    check_counts(theirs, found)
