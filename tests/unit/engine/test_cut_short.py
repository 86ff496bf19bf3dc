"""What was ended before its end is measured as well: it may have done harm."""

from app.engine.stopping import Stop
from app.models.decision_tables import DecisionRow
from app.models.job import JobState, Progress
from app.models.tables import EntryRow
from app.store.outputs import read_output
from tests.unit.engine.theatre import Theatre

STOP = Stop(author="ana", reason="wrong host")


def start(theatre: Theatre) -> None:
    """Let something be wrong, and a job run for it."""
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    assert theatre.job().state == JobState.STARTED


def end(theatre: Theatre) -> None:
    """Let a person end the job."""
    number = theatre.job().id
    theatre.turn(lambda c: theatre.stopping.abort(c, number, STOP))


def story(theatre: Theatre) -> tuple[str, str, str, str]:
    """Return how the job and its mission ended."""
    mission, job = theatre.mission(), theatre.job()
    return (job.state, job.verdict, mission.stage, mission.end)


def test_what_a_person_ended_never_could_help(theatre: Theatre) -> None:
    """Two readings are the evidence; nobody says that it did not help."""
    start(theatre)
    end(theatre)
    assert theatre.play(5).stage == "verifying"
    theatre.play(20)
    assert story(theatre) == ("aborted", "unknown", "escalated", "escalated")
    line = theatre.rows(EntryRow)[-2]
    assert line.kind == "verdict.given"
    assert line.summary.startswith("unknown: the job was ended: ")
    assert theatre.rows(DecisionRow)[-1].verdict == "unknown"


def start_brief(theatre: Theatre) -> None:
    """Let a job run that ends with its problem, and let that be over."""
    theatre.decide(theatre.fire("web-01"), "brief")
    theatre.go()
    assert theatre.job().state == JobState.STARTED
    theatre.end("web-01")


def test_what_ended_with_its_problem_wakes_nobody(theatre: Theatre) -> None:
    """As declared; it did no harm, and nothing is wrong any more."""
    start_brief(theatre)
    theatre.health.value = 1.0
    theatre.play(60)
    assert story(theatre) == ("aborted", "unknown", "closed", "resolved")


def test_what_ended_with_its_problem_may_have_done_harm(
    theatre: Theatre,
) -> None:
    """The alert is over, and what is measured is bad."""
    start_brief(theatre)
    theatre.play(60)
    assert story(theatre) == ("aborted", "unknown", "escalated", "escalated")


def test_a_person_who_ends_it_is_told_what_came_of_it(
    theatre: Theatre,
) -> None:
    """Also when the problem is over by then: it was their word."""
    start(theatre)
    end(theatre)
    theatre.end("web-01")
    theatre.health.value = 1.0
    theatre.play(60)
    assert story(theatre) == ("aborted", "unknown", "escalated", "escalated")


def test_what_had_its_time_did_not_help(theatre: Theatre) -> None:
    """And nothing else is tried: it may be at work still."""
    start(theatre)
    theatre.play(120)
    assert theatre.robot.aborts
    assert story(theatre) == ("aborted", "not_fixed", "escalated", "escalated")
    assert len(theatre.rows(DecisionRow)) == 1


def test_what_it_wrote_last_is_kept(theatre: Theatre) -> None:
    """Of what does not end, that may say why."""
    start(theatre)
    theatre.robot.is_stubborn = True
    theatre.clock.advance(120)
    theatre.robot.running[theatre.job().key] = Progress(
        reference=theatre.job().key, output="waits for a lock\n", cursor="1"
    )
    theatre.go()
    job = theatre.job()
    assert job.state == "timed_out"
    found = theatre.turn(lambda c: read_output(c, job.id, 0, 100))
    assert found == ("waits for a lock\n", job.output_bytes)


def test_what_does_not_end_did_not_help_either(theatre: Theatre) -> None:
    """It is told to end, and goes on; that is timed out."""
    start(theatre)
    theatre.robot.is_stubborn = True
    theatre.play(120)
    assert story(theatre) == (
        "timed_out",
        "not_fixed",
        "escalated",
        "escalated",
    )


def test_harm_of_what_was_ended_is_taken_back(theatre: Theatre) -> None:
    """It is worse than before: the declared undo runs."""
    theatre.health.value = 0.5
    start(theatre)
    theatre.health.value = 0.1
    end(theatre)
    theatre.play(25)
    assert theatre.job().action == "unmend"
    assert theatre.rows(DecisionRow)[-1].brain == "undo"
    assert theatre.rows(DecisionRow)[0].verdict == "not_fixed"


def test_what_had_its_time_and_is_good_is_fixed(theatre: Theatre) -> None:
    """That it was measured counts, and not what a backend says."""
    start(theatre)
    theatre.health.value = 1.0
    theatre.play(120)
    assert story(theatre) == ("aborted", "fixed", "closed", "fixed")


def test_what_a_person_ended_is_never_called_fixed(theatre: Theatre) -> None:
    """It may have helped; whoever ended it hears what is measured."""
    start(theatre)
    theatre.health.value = 1.0
    end(theatre)
    theatre.play(25)
    assert story(theatre) == ("aborted", "unknown", "escalated", "escalated")


def test_what_cannot_be_measured_stays_unknown(theatre: Theatre) -> None:
    """Though it had its time."""
    start(theatre)
    theatre.health.value = None
    theatre.play(120)
    assert story(theatre) == ("aborted", "unknown", "escalated", "escalated")


def test_harm_that_shows_late_is_seen_twice(theatre: Theatre) -> None:
    """The first reading comes at once; then it becomes worse."""
    theatre.health.value = 0.5
    start(theatre)
    end(theatre)
    theatre.play(3)
    theatre.health.value = 0.1
    theatre.play(40)
    assert theatre.job().action == "unmend"
    assert theatre.rows(DecisionRow)[0].verdict == "not_fixed"


def test_harm_of_what_failed_is_seen_twice(theatre: Theatre) -> None:
    """As of what was ended."""
    theatre.health.value = 0.5
    start(theatre)
    theatre.robot.end_all(JobState.FAILED)
    theatre.play(3)
    theatre.health.value = 0.1
    theatre.play(40)
    assert theatre.job().action == "unmend"


def test_harm_of_what_may_be_at_work_goes_to_people(theatre: Theatre) -> None:
    """It does not end, and holds its target: an undo would wait for that."""
    theatre.health.value = 0.5
    start(theatre)
    theatre.robot.is_stubborn = True
    theatre.health.value = 0.1
    theatre.play(100)
    assert story(theatre) == (
        "timed_out",
        "not_fixed",
        "escalated",
        "escalated",
    )
    assert "worse" in theatre.mission().reason
    assert len(theatre.rows(DecisionRow)) == 1
