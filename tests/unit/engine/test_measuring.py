"""What is never measured is unknown: on the job, the decision, in the log."""

import msgspec
import pytest

from app.engine.measuring import Measuring, readings_of
from app.models.action import Catalogue
from app.models.decision_tables import DecisionRow
from app.models.job import JobState
from app.models.tables import EntryRow
from app.models.verdict import Judgement, Reading
from app.verify.judging import conclude
from tests.unit.engine.theatre import CATALOGUE, Theatre


@pytest.fixture(params=[JobState.SUCCEEDED, JobState.FAILED])
def measured(request: pytest.FixtureRequest, theatre: Theatre) -> Theatre:
    """Return a stage on which a job has ended and is measured."""
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    theatre.robot.end_all(request.param)
    assert theatre.play(5).stage == "verifying"
    return theatre


def assert_unknown(theatre: Theatre) -> None:
    """Each who is asked says so, and the log tells it once."""
    assert theatre.job().verdict == "unknown"
    assert theatre.rows(DecisionRow)[-1].verdict == "unknown"
    (line,) = (
        row for row in theatre.rows(EntryRow) if row.kind == "verdict.given"
    )
    assert line.summary.startswith("unknown: ")
    # No check said so.
    assert line.actor == "pipeline"
    body = msgspec.json.decode(line.body)
    assert (body["job"], body["verdict"]) == (theatre.job().id, "unknown")


def test_what_is_not_measured_in_time(measured: Theatre) -> None:
    """People have it at its deadline, whatever had been hoped for."""
    measured.clock.advance(3_601)
    assert measured.go().stage == "escalated"
    assert_unknown(measured)


def test_what_nothing_says_how_to_measure_any_more(
    measured: Theatre,
) -> None:
    """Somebody took the check out of the catalogue meanwhile."""
    without = Catalogue(
        tuple(
            one.model_copy(update={"check": None}) for one in CATALOGUE.specs
        )
    )
    measuring = Measuring(
        measured.moves, without, conclude, measured.proposing
    )
    reading = Reading(
        at=measured.clock.now(), check="health", judgement=Judgement.GOOD
    )
    (mission,) = measured.claim() or [measured.mission()]
    moved = measured.turn(lambda c: measuring.take(c, mission, reading))
    assert moved.stage == "escalated"
    assert_unknown(measured)


@pytest.mark.parametrize("end", [JobState.SUCCEEDED, JobState.FAILED])
def test_one_end_of_a_change_is_no_proof_of_it(
    theatre: Theatre, end: JobState
) -> None:
    """The check had no value before, is good after, and the alert goes on."""
    theatre.read_alerts()
    number = theatre.fire("web-01")
    theatre.decide(number, "mend")
    theatre.health.value = None
    theatre.go()
    theatre.health.value = 1.0
    theatre.robot.end_all(end)
    assert theatre.play(300).stage == "deciding"
    assert theatre.incident(number).firing
    assert theatre.job().verdict == "not_fixed"
    (before,) = readings_of(theatre.job().before)
    assert before.says == "1 still firing (health cannot say: )"
    after = readings_of(theatre.job().after)
    assert {one.check for one in after} == {"alert_is_over"}
    assert "health was not measured before" in after[-1].says


def test_the_end_of_the_alert_is_the_other_end(theatre: Theatre) -> None:
    """Then it is known to have helped, whatever the check had not seen."""
    theatre.read_alerts()
    number = theatre.fire("web-01")
    theatre.decide(number, "mend")
    theatre.health.value = None
    theatre.go()
    theatre.health.value = 1.0
    theatre.robot.end_all()
    theatre.play(5)
    theatre.end("web-01")
    assert theatre.play(60).end == "fixed"
    assert theatre.job().verdict == "fixed"
