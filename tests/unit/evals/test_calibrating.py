"""A calibration is fitted on labelled alerts, and measured on others."""

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.decide.calibration import FEWEST, Calibration, read_calibrations
from app.models.case import Case
from scripts.evals.calibrating import FOLDS, Known, calibrate, measure
from scripts.evals.running import Told
from scripts.evals.scoring import Prediction
from scripts.evals.truth import Call, Right, Set, Wrong
from scripts.run_evals import app
from tests.models.fake_ollama import DIGEST, FakeOllama, chat
from tests.models.server import Asked, Reply
from tests.unit.evals.making import alert_row, row, write_lines

LOOK = Right("collect_diagnostics", {"host": "a", "topic": "cpu"})
RIGHT = Call("collect_diagnostics", {"host": "a", "topic": "cpu"})
WRONG = Call("escalate", {})


def make_told(size: int, names: int) -> Told:
    """Return a labelled set of some alert names."""
    rows = tuple(row(LOOK, id=str(number)) for number in range(size))
    cases = {
        one.id: Case(source="x", name=f"Alert{int(one.id) % names}")
        for one in rows
    }
    return Told(Set("made", rows, "0123"), cases)


def make_answers(size: int, *, slope: float = 0.4) -> list[Prediction]:
    """Return answers of a model that is surer than it is right."""
    chance = random.Random(7)
    found = []
    for number in range(size):
        raw = chance.uniform(0.02, 0.98)
        odds = slope * math.log(raw / (1 - raw)) - 0.5
        is_right = chance.random() < 1 / (1 + math.exp(-odds))
        found.append(
            Prediction(
                id=str(number),
                action="escalate",
                chosen=RIGHT if is_right else WRONG,
                surety=raw,
                model="llama3.2",
                build="b1",
            )
        )
    return found


def fit(size: int = 2_000, names: int = 40, **more: Any) -> Calibration:
    """Return the calibration of a made set."""
    told = make_told(size, names)
    return calibrate("ollama", [told], [make_answers(size, **more)])


def test_what_is_known_is_found_again() -> None:
    """Slope and shift of the model that was made, and a smaller error."""
    made = fit()
    assert made.slope == pytest.approx(0.4, abs=0.12)
    assert made.shift == pytest.approx(-0.5, abs=0.15)
    assert made.measured.ece_after < 0.06 < made.measured.ece_before
    assert (made.cases, made.names) == (2_000, 40)
    assert (made.model, made.build) == ("llama3.2", "b1")
    assert made.origin == {"made": "0123"}
    assert sum(one.cases for one in made.measured.reliability) == 2_000
    assert made == fit()


def test_figures_are_of_alerts_that_were_held_back() -> None:
    """One name is always right, all others never are."""
    known = [Known("Only", 0.9, is_right=True)] * 100 + [
        Known(f"Alert{name}", 0.9, is_right=False)
        for name in range(5)
        for _ in range(20)
    ]
    seen = measure(known)
    first = seen.reliability[0]
    # Whoever never saw it holds what is always right for always wrong.
    assert (first.cases, first.right) == (100, 1.0)
    assert first.confidence < 0.1
    assert seen.ece_after > 0.5


@pytest.mark.parametrize("size", [0, FEWEST - 1])
def test_too_few_are_refused(size: int) -> None:
    """Below 50 a curve is a guess."""
    with pytest.raises(Wrong, match=f"{size} labelled rows"):
        fit(size, 10)


def test_fifty_are_enough() -> None:
    """The bound itself is allowed."""
    assert fit(FEWEST, 10, slope=2.0).cases == FEWEST


def test_few_names_are_refused() -> None:
    """A hundred tellings of one alert are one alert."""
    with pytest.raises(Wrong, match="4 alert names"):
        fit(200, FOLDS - 1)


def test_a_number_that_says_nothing_stays_unknown() -> None:
    """The surer, the more often wrong: it must not become a confidence."""
    with pytest.raises(Wrong, match="right from wrong"):
        fit(slope=-1.0)


def test_answers_of_two_models_are_no_calibration() -> None:
    """Each has its own meaning."""
    told, answers = make_told(100, 10), make_answers(100)
    answers[3].model = "another"
    with pytest.raises(Wrong, match="another, llama3"):
        calibrate("ollama", [told], [answers])


def test_rows_without_label_or_number_do_not_count() -> None:
    """Neither a hostile twin, nor a resolved alert that nobody was asked."""
    told, answers = make_told(60, 10), make_answers(60)
    for number in range(11):
        answers[number].surety = None
    with pytest.raises(Wrong, match="49 labelled"):
        calibrate("ollama", [told], [answers])


class Sure(FakeOllama):
    """Looks at every host; how sure it is depends on the alert."""

    def answer(self, asked: Asked) -> Reply:
        """Return the call with its probabilities."""
        if asked.path != "/api/chat":
            return super().answer(asked)
        text = asked.body["messages"][1]["content"]
        number = int(text.partition("LoadIsHigh")[2].split()[0].strip('"'))
        name = "collect_diagnostics" if number % 3 else "escalate"
        # It is surer of what the labels call right, but never less than half.
        sure = 0.95 if number % 3 else 0.6
        said = {"host": f"calc-{number}", "topic": "cpu"}
        arguments = said if name == "collect_diagnostics" else {}
        pieces = [
            {"token": '{"name": "', "logprob": -3.0},
            {"token": name, "logprob": math.log(sure)},
            {"token": '", "arguments": ', "logprob": -3.0},
            {"token": json.dumps(arguments) + "}", "logprob": -0.001},
        ]
        whole = "".join(str(one["token"]) for one in pieces)
        return chat(whole, logprobs=pieces)


def make_files(tmp_path: Path, server: FakeOllama) -> tuple[list[str], Path]:
    """Return the arguments that say what is asked, and the file to write."""
    rows = [alert_row(number) for number in range(60)]
    cases = write_lines(tmp_path / "load.jsonl", rows)
    settings = tmp_path / "settings.yaml"
    ollama = {"enabled": True, "url": server.url}
    settings.write_text(json.dumps({"brains": {"ollama": ollama}}))
    words = ["--brain", "ollama", "--set", str(cases)]
    return [*words, "--config", str(settings)], tmp_path / "made.json"


def test_the_command_asks_fits_and_writes(tmp_path: Path) -> None:
    """From labelled rows and a model server to the file of the service."""
    with Sure(chat("")) as server:
        words, to = make_files(tmp_path, server)
        line = ["calibrate", *words, "--to", str(to)]
        dry = CliRunner().invoke(app, [*line, "--dry-run"])
        assert dry.exit_code == 0, dry.output
        assert not to.exists()
        result = CliRunner().invoke(app, line)
    assert result.exit_code == 0, result.output
    assert "ECE" in result.output
    assert "held back" in result.output
    (made,) = read_calibrations(to).entries
    assert (made.brain, made.model, made.build) == (
        "ollama",
        "llama3.2",
        DIGEST,
    )
    assert made.cases == made.names == 60
    assert made.tell(0.95).confidence > 0.8
    assert made.tell(0.6).confidence < 0.3


def test_a_recorded_run_is_enough(tmp_path: Path) -> None:
    """The same calibration without a question; of its own set only."""
    with Sure(chat("")) as server:
        words, to = make_files(tmp_path, server)
        run = CliRunner().invoke(
            app, ["run", *words, "--out", str(tmp_path / "run")]
        )
        assert run.exit_code == 0, run.output
        asked = len(server.asked)
        line = ["calibrate", *words, "--from", str(tmp_path / "run")]
        result = CliRunner().invoke(app, [*line, "--to", str(to)])
        assert result.exit_code == 0, result.output
        assert len(server.asked) == asked
    (made,) = read_calibrations(to).entries
    assert made.cases == 60
    write_lines(tmp_path / "load.jsonl", [alert_row(1)])
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 2
    assert "another set" in result.output
    result = CliRunner().invoke(app, [*line, "--brain", "openai"])
    assert result.exit_code == 2
    assert "holds no predictions" in result.output


def test_too_few_rows_end_with_2(tmp_path: Path) -> None:
    """The command says how many there are, and writes nothing."""
    with Sure(chat("")) as server:
        words, to = make_files(tmp_path, server)
        write_lines(tmp_path / "load.jsonl", [alert_row(1)])
        line = ["calibrate", *words, "--to", str(to)]
        result = CliRunner().invoke(app, line)
    assert result.exit_code == 2
    assert "1 labelled rows" in result.output
    assert not to.exists()
