"""A mission goes the way that the pipeline tells, on both databases."""

import pytest

from app.core.errors import NotAccepted, OutgoingFailed, Refused
from app.engine.plans import Observed
from app.engine.quieting import hand_over
from app.engine.stopping import Stop
from app.models.approval import Answer
from app.models.case import Case
from app.models.decision_tables import DecisionRow
from app.models.inventory import Thing
from app.models.job import JobState
from app.models.mission_tables import MissionRow
from app.store.missions import Fenced
from tests.unit.engine.theatre import Theatre


def start(theatre: Theatre, action: str = "mend") -> int:
    """Let something be wrong, and a job run for it; return the incident."""
    number = theatre.fire("web-01")
    theatre.decide(number, action)
    theatre.go()
    assert theatre.job().state == JobState.STARTED
    return number


def verdict_of(theatre: Theatre) -> str:
    """Return the verdict of the newest decision."""
    return str(theatre.rows(DecisionRow)[-1].verdict)


def case_of(theatre: Theatre, number: int) -> Case:
    """Return what a brain is shown now."""
    file = theatre.turn(lambda c: theatre.casework.open_file(c, number))
    assert file is not None
    return file.case


def test_what_helped_is_fixed_only_once_it_held(theatre: Theatre) -> None:
    """A backend's success is no verdict: what is measured is."""
    start(theatre)
    theatre.robot.end_all()
    assert theatre.play(5).stage == "verifying"
    theatre.health.value = 1.0
    assert theatre.play(10).stage == "verifying"
    mission = theatre.play(40)
    assert (mission.stage, mission.end) == ("closed", "fixed")
    assert verdict_of(theatre) == theatre.job().verdict == "fixed"
    assert theatre.kinds()[-3:] == [
        "job.ended",
        "verdict.given",
        "mission.closed",
    ]
    assert list(theatre.robot.starts.values()) == [1]


def test_what_was_before_an_action_does_not_count_after_it(
    theatre: Theatre,
) -> None:
    """Whoever measures is told since when it counts; before it, nothing."""
    start(theatre)
    assert {one.since for one in theatre.health.subjects} == {0}
    theatre.health.subjects.clear()
    theatre.robot.end_all()
    theatre.play(5)
    ended = theatre.job().ended_at
    assert ended
    assert {one.since for one in theatre.health.subjects} == {ended}


def test_what_did_not_help_is_excluded_and_people_get_it(
    theatre: Theatre,
) -> None:
    """The second round chooses anew; after the last one people have it."""
    number = start(theatre)
    theatre.robot.end_all()
    mission = theatre.play(100)
    assert (mission.stage, mission.round) == ("deciding", 1)
    assert verdict_of(theatre) == "not_fixed"
    happening = case_of(theatre, number).history[0]
    assert (happening.action, happening.verdict) == ("mend", "not_fixed")
    theatre.decide(number, "other")
    theatre.go()
    theatre.robot.end_all()
    mission = theatre.play(100)
    assert (mission.stage, mission.round) == ("escalated", 2)
    assert sum(theatre.robot.starts.values()) == 2


def test_what_made_it_worse_is_taken_back(theatre: Theatre) -> None:
    """The declared undo runs as a decision of its own, then people look."""
    theatre.health.value = 0.5
    start(theatre)
    theatre.robot.end_all()
    theatre.health.value = 0.1
    theatre.play(25)
    assert theatre.job().action == "unmend"
    assert theatre.rows(DecisionRow)[-1].brain == "undo"
    theatre.robot.end_all()
    theatre.health.value = 0.5
    mission = theatre.play(120)
    assert mission.stage == "escalated"
    assert [r.action for r in theatre.rows(DecisionRow)] == ["mend", "unmend"]


def test_what_cannot_be_measured_is_unknown(theatre: Theatre) -> None:
    """And people get it; the alert's own state was not there either."""
    start(theatre)
    theatre.robot.end_all()
    theatre.health.value = None
    mission = theatre.play(200)
    assert (mission.stage, verdict_of(theatre)) == ("escalated", "unknown")


def test_a_lost_answer_is_looked_up_by_the_key(theatre: Theatre) -> None:
    """The job runs: it is followed, and never sent again."""
    theatre.robot.loses_answer = True
    start(theatre)
    assert theatre.job().reference == theatre.job().key
    theatre.robot.end_all()
    theatre.play(5)
    assert theatre.job().state == "succeeded"
    assert list(theatre.robot.starts.values()) == [1]


@pytest.mark.parametrize("knows_keys", [True, False])
def test_what_nobody_knows_is_unknown(
    theatre: Theatre, *, knows_keys: bool
) -> None:
    """It is not sent again, whatever the backend says of the key."""
    theatre.robot.loses_answer = True
    theatre.robot.knows_keys = knows_keys
    theatre.robot.finds = False
    theatre.decide(theatre.fire("web-01"), "mend")
    mission = theatre.go()
    assert mission.stage == "escalated"
    assert theatre.job().state == "unknown"
    assert verdict_of(theatre) == "unknown"
    assert list(theatre.robot.starts.values()) == [1]


def test_what_is_idempotent_is_sent_again(theatre: Theatre) -> None:
    """With the same key."""
    theatre.robot.failures = [OutgoingFailed("reset")]
    start(theatre, "touch")
    assert list(theatre.robot.starts) == [theatre.job().key]


def test_a_second_try_says_nothing_of_the_first(theatre: Theatre) -> None:
    """That was ambiguous: it may have run, though this one did not."""
    theatre.robot.failures = [OutgoingFailed("reset"), NotAccepted("gone")]
    theatre.decide(theatre.fire("web-01"), "touch")
    assert theatre.go().stage == "escalated"
    assert theatre.job().state == "unknown"


def test_what_was_not_accepted_never_ran(theatre: Theatre) -> None:
    """People get it, and nothing is remembered against the action."""
    theatre.robot.failures = [NotAccepted("no such job")]
    theatre.decide(theatre.fire("web-01"), "mend")
    mission = theatre.go()
    assert mission.stage == "escalated"
    assert "not started" in mission.reason
    assert (theatre.job().state, verdict_of(theatre)) == ("failed", "")


def test_a_backend_that_is_busy_is_asked_again(theatre: Theatre) -> None:
    """With the same order, a few times."""
    busy = NotAccepted("busy", may_retry=True)
    theatre.robot.failures = [busy, busy]
    start(theatre)
    assert list(theatre.robot.starts.values()) == [1]


def test_who_lost_the_lease_sends_nothing(theatre: Theatre) -> None:
    """Though it is written as started; people get it."""
    theatre.hold.is_ours = False
    theatre.decide(theatre.fire("web-01"), "mend")
    mission = theatre.go()
    assert (mission.stage, theatre.job().state) == ("escalated", "failed")
    assert "the lease ran out" in mission.reason
    assert not theatre.robot.starts


def test_what_a_dead_worker_may_have_sent_is_unknown(
    theatre: Theatre,
) -> None:
    """When the backend does not know it, either: it is never sent again."""
    theatre.robot.failures = [KeyboardInterrupt()]
    theatre.decide(theatre.fire("web-01"), "mend")
    with pytest.raises(KeyboardInterrupt):
        theatre.go()
    assert theatre.job().state == "started"
    mission = theatre.play(30)
    assert (mission.stage, theatre.job().state) == ("escalated", "unknown")
    assert not theatre.robot.starts


def test_a_late_worker_is_fenced(theatre: Theatre) -> None:
    """Whoever took it later has it; the earlier one writes nothing."""
    theatre.decide(theatre.fire("web-01"), "mend")
    (first,) = theatre.claim("first")
    theatre.clock.advance(10)
    (second,) = theatre.claim("second")
    assert second.fence > first.fence
    with pytest.raises(Fenced):
        theatre.turn(
            lambda c: theatre.advancer._crew.rulings.rule(c, first, Observed())
        )


def test_a_job_that_takes_too_long_is_ended(theatre: Theatre) -> None:
    """Its time is the action's."""
    start(theatre)
    mission = theatre.play(90)
    assert theatre.robot.aborts
    assert (mission.stage, theatre.job().state) == ("escalated", "aborted")


def test_a_running_job_is_told_once(theatre: Theatre) -> None:
    """That the problem went away by itself."""
    start(theatre)
    theatre.end("web-01")
    theatre.play(10)
    assert theatre.robot.heard == [f"{theatre.job().key} alert_resolved"]
    assert theatre.job().state == "started"


def test_a_person_proposes_what_the_guard_rules_on(theatre: Theatre) -> None:
    """There is no second way to a backend."""
    number = theatre.fire("web-01")
    theatre.propose(number, "mend", "web-07")
    theatre.go()
    kinds = theatre.kinds()
    assert kinds.index("ruling.made") < kinds.index("job.started")
    assert theatre.job().proposer == "person:ana"


def test_a_proposal_needs_what_is_there(theatre: Theatre) -> None:
    """An open incident, a known action, a host of the inventory."""
    number = theatre.fire("web-01")
    theatre.things = (Thing(kind="host", name="web-01"),)
    for action, host in (("dance", "web-01"), ("mend", "web-99")):
        with pytest.raises(Refused):
            theatre.propose(number, action, host)
    with pytest.raises(Refused, match="no incident 99"):
        theatre.propose(99, "mend", "web-01")
    theatre.end("web-01")
    with pytest.raises(Refused, match="resolved"):
        theatre.propose(number, "mend", "web-01")
    assert not theatre.rows(DecisionRow)


def test_nothing_is_chosen_while_a_job_runs(theatre: Theatre) -> None:
    """A proposal is told to wait."""
    number = start(theatre)
    with pytest.raises(Refused, match="runs, or is measured"):
        theatre.propose(number, "other", "web-01")


@pytest.mark.parametrize("by_file", [True, False])
def test_the_kill_switch_lets_nothing_start(
    theatre: Theatre, *, by_file: bool
) -> None:
    """By the file or by a person; and it ends what runs."""
    start(theatre)
    stop = Stop(author="ana", reason="it smells")
    if by_file:
        theatre.halting.file.write_text("it smells")
    else:
        theatre.turn(lambda c: theatre.stopping.halt(c, stop))
    theatre.decide(theatre.fire("web-02"), "mend", host="web-02")
    theatre.play(30)
    assert len(theatre.robot.starts) == 1
    assert len(theatre.robot.aborts) == 1
    ended = {row.stage for row in theatre.rows(MissionRow)}
    assert ended == {"escalated"}


def test_a_job_is_aborted_by_a_person(theatre: Theatre) -> None:
    """It is told to end, and people get it."""
    start(theatre)
    number = theatre.job().id
    stop = Stop(author="ana", reason="wrong host")
    theatre.turn(lambda c: theatre.stopping.abort(c, number, stop))
    mission = theatre.play(25)
    assert (mission.stage, theatre.job().state) == ("escalated", "aborted")
    with pytest.raises(Refused, match="aborted already"):
        theatre.turn(lambda c: theatre.stopping.abort(c, number, stop))


def test_a_suggestion_starts_nothing(theatre: Theatre) -> None:
    """Where it would run is not there: a person may run it by hand."""
    theatre.decide(theatre.fire("web-01"), "nowhere")
    mission = theatre.go()
    assert mission.stage == "escalated"
    assert theatre.asked().mode == "suggest"
    theatre.answer(Answer.GRANT)
    theatre.play(60)
    assert not theatre.robot.starts


def test_evidence_alone_goes_to_people(theatre: Theatre) -> None:
    """What only looked is not measured."""
    start(theatre, "look")
    theatre.robot.end_all()
    mission = theatre.play(5)
    assert mission.stage == "escalated"
    assert "evidence" in mission.reason


def test_output_is_kept_and_capped(theatre: Theatre) -> None:
    """What the job wrote lies in the store."""
    start(theatre)
    theatre.robot.end(theatre.job().key, says="line\n")
    theatre.play(3)
    assert theatre.job().output_bytes == 5


def test_doing_nothing_closes_it(theatre: Theatre) -> None:
    """And handing over is an end, too."""
    theatre.decide(theatre.fire("web-01"), "no_action")
    assert theatre.mission().end == "no_action"
    theatre.decide(theatre.fire("web-02"), "escalate")
    assert theatre.mission().stage == "escalated"


def test_an_incident_that_nobody_decides_on_is_handed_over(
    theatre: Theatre,
) -> None:
    """Once, and only while it is open."""
    number = theatre.fire("web-01")
    for _ in range(2):
        theatre.turn(lambda c: hand_over(c, theatre.moves, number, "late"))
    assert theatre.log("incident.escalated")[0].summary == "escalated: late"
    assert len(theatre.log("incident.escalated")) == 2


def test_two_decisions_of_one_target_wait_for_each_other(
    theatre: Theatre,
) -> None:
    """Of different incidents that name one host."""
    start(theatre)
    theatre.decide(theatre.fire("web-02"), "other", host="web-02")
    theatre.propose(theatre.fire("web-03"), "other", "web-01")
    theatre.play(10)
    assert len(theatre.robot.starts) == 2
    theatre.robot.end_all()
    theatre.play(20)
    assert len(theatre.robot.starts) == 3
