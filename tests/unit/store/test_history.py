"""The chronicle counts the past as the store counted it when it was now."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.guard.chronicle import Asked, Chronicle, History, Ran
from app.models.canary import ANSWER
from app.models.job import LIVE, Job, JobState
from app.models.ruling import Scope
from app.store.approvals import APPROVAL, add_approval
from app.store.history import find_asked, find_ran
from app.store.jobs import JOB, StoreTally, add_job
from app.store.ledger import Connection
from tests.unit.guard.stage import make_motion
from tests.unit.store.missions import (
    HOUR,
    NOW,
    SECOND,
    make_approval,
    make_job,
)

ENDS = [one.value for one in JobState if one not in LIVE]
BOOLS = st.booleans()
ACTIONS = st.sampled_from(("restart_service", "free_memory"))
VERDICTS = st.sampled_from(("", "fixed", "not_fixed", "unknown"))
MOMENTS = st.integers(-3, 0).map(lambda hours: NOW + hours * HOUR // 2)
SCOPES = st.builds(
    Scope,
    since=MOMENTS,
    action=st.sampled_from(("", "restart_service", "free_memory")),
    target=st.sampled_from(("", "host:1", "host:2")),
    team=st.sampled_from(("", "shop", "pay")),
    environment=st.sampled_from(("", "production", "test")),
    risks=st.sampled_from(((), ("observe",), ("reversible", "disruptive"))),
)


@st.composite
def jobs(draw: st.DrawFn) -> list[Job]:
    """Draw jobs as they stand in the store now."""
    made: list[Job] = []
    for number in range(draw(st.integers(0, 6))):
        state = draw(st.sampled_from((*ENDS, "started", "planned")))
        planned = draw(MOMENTS)
        has_begun = state == "started" or (state in ENDS and draw(BOOLS))
        has_ended = state in ENDS
        some = {
            "action": draw(
                st.sampled_from(("restart_service", "free_memory"))
            ),
            "target": draw(st.sampled_from(("", "host:1", "host:2"))),
            "team": draw(st.sampled_from(("", "shop", "pay"))),
            "environment": draw(st.sampled_from(("production", "test"))),
            "risk": draw(st.sampled_from(("observe", "reversible"))),
            "state": state,
            "verdict": draw(VERDICTS) if has_ended else "",
            "planned_at": planned,
            "started_at": min(NOW, planned + SECOND) if has_begun else None,
            "ended_at": NOW if has_ended else None,
            "until": NOW + draw(st.integers(-1, 1)) if has_begun else None,
        }
        is_live = not has_ended and some["target"]
        if is_live and any(
            one.target == some["target"] and one.is_live for one in made
        ):
            continue  # the database would refuse it
        made.append(make_job(number + 1, **some))
    return made


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(jobs(), st.lists(SCOPES, min_size=1, max_size=5))
def test_it_counts_like_the_store(
    connection: Connection, made: list[Job], scopes: list[Scope]
) -> None:
    """Whatever ran, whatever is asked: the same numbers."""
    connection.execute(JOB.delete())
    for job in made:
        add_job(connection, job)
    ran = [Ran(*row) for row in find_ran(connection, 0, NOW)]
    chronicle = Chronicle(History(ran))
    chronicle.go_to(make_motion(decision=0, now=NOW))
    tally = StoreTally(connection)
    for scope in scopes:
        assert chronicle.count(scope) == tally.count(scope)
    for target in ("host:1", "host:2"):
        busy = chronicle.running([target], NOW)
        assert bool(busy) == bool(tally.running([target], NOW))


def test_the_canary_counts_nowhere(connection: Connection) -> None:
    """Nor does it fill the room of what does."""
    add_job(connection, make_job(1, action=ANSWER, target=""))
    add_job(connection, make_job(2))
    found = [Ran(*row).decision for row in find_ran(connection, 0, NOW)]
    assert found == [2]


def test_its_own_job_does_not_count(connection: Connection) -> None:
    """As in the turn that rules on it again right before the start."""
    add_job(connection, make_job(5))
    ran = [Ran(*row) for row in find_ran(connection, 0, NOW)]
    chronicle = Chronicle(History(ran))
    for decision, count in ((5, 0), (6, 1)):
        chronicle.go_to(make_motion(decision=decision, now=NOW))
        assert chronicle.count(Scope(since=0)).started == count
        assert bool(chronicle.running(["host:web-1"], NOW)) == bool(count)


def test_questions_are_open_as_they_were(connection: Connection) -> None:
    """From when it was asked until it was answered."""
    number = add_approval(
        connection, make_approval(state="refused", ended_at=NOW + 60 * SECOND)
    )
    rows = find_asked(connection, NOW, NOW)
    assert find_asked(connection, NOW + 1, NOW + HOUR) == []
    chronicle = Chronicle(History((), [Asked(*row) for row in rows]))
    for second, found in ((-1, 0), (0, number), (59, number), (60, 0)):
        now = NOW + second * SECOND
        chronicle.go_to(make_motion(decision=99, now=now))
        assert chronicle.asking("restart_service") == found
        assert chronicle.asking("free_memory") == 0
    assert connection.execute(APPROVAL.select()).all()


def test_the_newest_are_read(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many at most, and none from outside of the time."""
    monkeypatch.setattr("app.store.history.MOST", 2)
    for number in range(4):
        moment = NOW + number * SECOND
        made = make_job(number, target=f"host:{number}", planned_at=moment)
        add_job(connection, made)
    until = NOW + 2 * SECOND
    found = [Ran(*row).decision for row in find_ran(connection, NOW, until)]
    assert found == [2, 1]
