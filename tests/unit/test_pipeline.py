"""The pipeline is a pure function, and no history leads it astray."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.action import ESCALATE, NO_ACTION
from app.models.job import JobState
from app.models.mission import (
    IDLE,
    OVER,
    SECOND,
    Answered,
    Decided,
    End,
    Ended,
    Event,
    Late,
    Limits,
    Measured,
    Mission,
    NotStarted,
    Quieted,
    Ruled,
    Running,
    Stage,
    Started,
)
from app.models.ruling import Outcome
from app.models.verdict import Verdict
from app.pipeline import Misstep, open_mission, step

NOW = 1_795_227_242_000_000
LIMITS = Limits()
OPENED = open_mission(1, "host::web-01", NOW, LIMITS)


def at(stage: Stage, **more: object) -> Mission:
    """Return a mission in a stage."""
    return msgspec.structs.replace(
        OPENED, stage=stage.value, round=1, decision_id=3, **more
    )


def after(mission: Mission, event: Event) -> tuple[str, str]:
    """Return where an event leads a mission, and its end."""
    moved = step(mission, event, NOW, LIMITS)
    return moved.stage, moved.end


def ruled(outcome: Outcome) -> Ruled:
    """Return a ruling."""
    return Ruled(outcome=outcome, reason="why", seconds=60, job=5, approval=6)


@pytest.mark.parametrize(
    ("action", "stage", "end"),
    [
        ("restart_service", "ruling", ""),
        (NO_ACTION, "closed", "no_action"),
        (ESCALATE, "escalated", "escalated"),
    ],
)
def test_a_choice_is_followed(action: str, stage: str, end: str) -> None:
    """To the guard, to an end, or to people."""
    event = Decided(decision=4, action=action)
    moved = step(at(Stage.DECIDING), event, NOW, LIMITS)
    assert (moved.stage, moved.end, moved.decision_id) == (stage, end, 4)
    assert moved.round == 2


@pytest.mark.parametrize(
    ("outcome", "stage", "end"),
    [
        (Outcome.ALLOW, "starting", ""),
        (Outcome.ASK, "awaiting_approval", ""),
        (Outcome.WAIT, "ruling", ""),
        (Outcome.SUGGEST, "escalated", "escalated"),
        (Outcome.OBSERVE, "closed", "observed"),
        (Outcome.ESCALATE, "escalated", "escalated"),
        (Outcome.DENY, "escalated", "escalated"),
    ],
)
def test_a_ruling_is_followed(outcome: Outcome, stage: str, end: str) -> None:
    """Each outcome leads to one place."""
    assert after(at(Stage.RULING), ruled(outcome)) == (stage, end)


def test_every_outcome_has_its_place() -> None:
    """None of them is forgotten, and only one of them starts something."""
    places = {one: after(at(Stage.RULING), ruled(one))[0] for one in Outcome}
    starting = [one for one, place in places.items() if place == "starting"]
    assert starting == [Outcome.ALLOW]
    assert places.keys() == set(Outcome)


def test_a_question_waits_for_its_time() -> None:
    """But never beyond the mission's own."""
    asked = step(at(Stage.RULING), ruled(Outcome.ASK), NOW, LIMITS)
    assert asked.due_at == NOW + 60 * SECOND
    late = at(Stage.RULING, deadline_at=NOW + SECOND)
    asked = step(late, ruled(Outcome.ASK), NOW, LIMITS)
    assert asked.due_at == NOW + SECOND


def test_a_grant_is_ruled_on_once_more() -> None:
    """And whatever else was answered goes to people."""
    yes, no = (
        Answered(is_granted=granted, reason="ana") for granted in (True, False)
    )
    assert after(at(Stage.ASKING), yes) == ("ruling", "")
    assert after(at(Stage.ASKING), no) == ("escalated", "escalated")


@pytest.mark.parametrize(
    ("state", "is_checked", "stage"),
    [
        (JobState.SUCCEEDED, True, "verifying"),
        (JobState.SUCCEEDED, False, "escalated"),
        (JobState.FAILED, True, "verifying"),
        (JobState.FAILED, False, "escalated"),
        (JobState.ABORTED, True, "verifying"),
        (JobState.ABORTED, False, "escalated"),
        (JobState.TIMED_OUT, True, "verifying"),
        (JobState.TIMED_OUT, False, "escalated"),
        (JobState.UNKNOWN, True, "escalated"),
    ],
)
def test_a_job_that_ended_is_followed(
    state: JobState, stage: str, *, is_checked: bool
) -> None:
    """What ran is measured, whatever the backend says."""
    event = Ended(state=state, reason="why", is_checked=is_checked)
    assert after(at(Stage.ACTING), event)[0] == stage


def test_what_never_ran_leaves_its_incident_as_it_is() -> None:
    """Nobody is woken for what is over; but for harm that stays."""
    event = Ended(
        state=JobState.FAILED,
        reason="why",
        is_checked=False,
        quiet=End.RESOLVED,
    )
    assert after(at(Stage.ACTING), event) == ("closed", "resolved")
    undo = at(Stage.ACTING, undoes=2)
    assert after(undo, event) == ("escalated", "escalated")


def test_a_verdict_is_followed() -> None:
    """Unknown is never success; the last round is the last."""
    here = at(Stage.VERIFYING)
    fixed, bad, dark = (Measured(verdict=verdict) for verdict in Verdict)
    assert after(here, fixed) == ("closed", "fixed")
    assert after(here, dark) == ("escalated", "escalated")
    assert after(here, bad) == ("deciding", "")
    last = at(Stage.VERIFYING)
    last.round = LIMITS.rounds
    assert after(last, bad) == ("escalated", "escalated")


def test_what_is_worse_is_undone_or_handed_over() -> None:
    """And what was undone is handed over, whatever is measured then."""
    here = at(Stage.VERIFYING)
    worse = Measured(verdict=Verdict.NOT_FIXED, is_worse=True)
    assert after(here, worse) == ("escalated", "escalated")
    undone = step(here, msgspec.structs.replace(worse, undo=9), NOW, LIMITS)
    assert (undone.stage, undone.decision_id, undone.undoes) == (
        "ruling",
        9,
        3,
    )
    later = NOW + LIMITS.deadline
    late = step(here, msgspec.structs.replace(worse, undo=9), later, LIMITS)
    assert late.deadline_at == later + LIMITS.deadline
    measured = at(Stage.VERIFYING, undoes=3)
    for verdict in Verdict:
        event = Measured(verdict=verdict)
        assert after(measured, event) == ("escalated", "escalated")


def test_nothing_moves_what_is_over() -> None:
    """Whatever comes is too late."""
    for stage in OVER:
        for event in EVENTS:
            with pytest.raises(Misstep):
                step(at(stage), event, NOW, LIMITS)


def test_what_runs_is_not_quieted() -> None:
    """It is told, watched and measured to its end."""
    event = Quieted(end=End.RESOLVED, reason="over")
    with pytest.raises(Misstep):
        step(at(Stage.ACTING), event, NOW, LIMITS)
    for stage in IDLE:
        assert after(at(stage), event) == ("closed", "resolved")


EVENTS: tuple[Event, ...] = (
    Decided(decision=4, action="mend"),
    Decided(decision=4, action=NO_ACTION),
    Decided(decision=4, action=ESCALATE),
    *(ruled(outcome) for outcome in Outcome),
    Answered(is_granted=True, reason=""),
    Answered(is_granted=False, reason=""),
    Started(),
    NotStarted(reason=""),
    Running(until=NOW + SECOND),
    *(Ended(state=state, reason="") for state in JobState),
    Measured(verdict=None, until=NOW + SECOND),
    *(Measured(verdict=verdict) for verdict in Verdict),
    Measured(verdict=Verdict.NOT_FIXED, undo=8, is_worse=True),
    Quieted(end=End.SUPPRESSED, reason=""),
    Late(reason=""),
)


@given(st.lists(st.sampled_from(EVENTS), max_size=60))
def test_no_history_leads_astray(history: list[Event]) -> None:
    """A job starts only after a ruling that allows it; rounds are bounded.

    Whatever goes on is due within its time, and what is over stays so.
    """
    mission, now, allowed = OPENED, NOW, 0
    for event in history:
        now += SECOND
        try:
            moved = step(mission, event, now, LIMITS)
        except Misstep:
            continue
        allowed += isinstance(event, Ruled) and event.outcome == "allow"
        allowed -= isinstance(event, Started)
        assert allowed >= 0
        assert not mission.is_over
        assert moved.version == mission.version + 1
        assert moved.is_over == (moved.due_at is None)
        assert moved.is_over == bool(moved.end)
        if moved.due_at is not None:
            assert moved.due_at <= max(moved.deadline_at, now)
        if isinstance(event, Measured) and moved.stage == Stage.DECIDING:
            assert moved.round < LIMITS.rounds
        mission = moved
