"""Jobs: one running per target, late writers refused, runs counted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import event, text

from app.models.job import LIVE, Job, JobState
from app.models.ruling import Runs, Scope
from app.store import jobs as store
from app.store.jobs import JOBS, StoreTally
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.missions import Fenced
from app.store.reading import Reader, Wish
from tests.unit.store.missions import HOUR, NOW, SECOND, make_job


def add(connection: Connection, decision: int = 1, **more: object) -> Job:
    """Keep a job; return it as it is in the store."""
    job = make_job(decision, **more)
    return replace(job, id=store.add_job(connection, job))


def find(connection: Connection, number: int) -> Job:
    """Return a job that is there."""
    found = store.find_job(connection, number)
    assert found is not None
    return found


def test_a_job_comes_back_as_it_was(connection: Connection) -> None:
    """Every field; it is found by its number and by its decision."""
    job = add(connection, 7, verdict="fixed", before='[{"a":1}]', told="ö")
    assert find(connection, job.id) == job
    assert store.find_by_decision(connection, 7) == job
    assert store.find_by_decision(connection, 8) is None
    assert store.find_job(connection, 99) is None


@pytest.mark.parametrize("state", [state.value for state in LIVE])
def test_a_target_has_one_running_job(
    connection: Connection, state: str
) -> None:
    """A second is refused by the database, and the turn can go on."""
    job = add(connection, 1, state=state)
    assert store.find_running(connection, [job.target]) == job.id
    with pytest.raises(Fenced):
        add(connection, 2)
    other = add(connection, 3, target="host:web-2")
    assert store.find_live_jobs(connection) == [job, other]


@pytest.mark.parametrize(
    "state", [one.value for one in JobState if one not in LIVE]
)
def test_an_ended_job_holds_nothing(
    connection: Connection, state: str
) -> None:
    """The next one may run on its target."""
    add(connection, 1, state=state)
    assert store.find_running(connection, ["host:web-1"]) == 0
    assert store.find_live_jobs(connection) == []
    assert add(connection, 2).id == 2


def test_what_has_no_target_locks_nothing(connection: Connection) -> None:
    """Jobs on nothing in particular run side by side."""
    jobs = [add(connection, number, target="") for number in (1, 2)]
    assert store.find_running(connection, [""]) == 0
    assert store.find_live_jobs(connection) == jobs


def test_a_decision_runs_once(connection: Connection) -> None:
    """Its job may be over, on another target, and under another key."""
    add(connection, 1, state="failed")
    with pytest.raises(Fenced):
        add(connection, 1, key="other", target="host:web-2")


def test_a_key_is_used_once(connection: Connection) -> None:
    """No other job may be known by it."""
    add(connection, 1, state="failed", key="k")
    with pytest.raises(Fenced):
        add(connection, 2, key="k")


def test_a_late_writer_is_refused(connection: Connection) -> None:
    """In another state, or with a lower fence, nothing is written."""
    job = add(connection, fence=3)
    started = replace(job, state="started", fence=3)
    with pytest.raises(Fenced):
        store.save_job(connection, replace(job, state="claimed"), started)
    with pytest.raises(Fenced):
        store.save_job(connection, job, replace(started, fence=2))
    with pytest.raises(Fenced):
        store.save_job(connection, replace(job, id=99), started)
    assert find(connection, job.id) == job
    store.save_job(connection, job, started)
    assert find(connection, job.id) == started
    with pytest.raises(Fenced):
        store.save_job(connection, job, started)


def test_what_others_wrote_meanwhile_stays(connection: Connection) -> None:
    """Whoever saves progress does not take the wish to end back."""
    job = add(connection, state="started")
    store.save_job(connection, job, replace(job, abort="ana: enough"))
    progress = replace(job, cursor="7", output_bytes=9, fence=4)
    store.save_job(connection, job, progress)
    found = find(connection, job.id)
    assert found == replace(progress, abort="ana: enough")


def test_a_late_writer_is_refused_even_when_it_changes_nothing(
    connection: Connection,
) -> None:
    """To save nothing new asks whether the job is still one's own."""
    job = add(connection, fence=3)
    store.save_job(connection, job, job)
    with pytest.raises(Fenced):
        store.save_job(connection, job, replace(job, fence=2))


def test_a_verdict_is_kept(connection: Connection) -> None:
    """It changes nothing else."""
    job = add(connection, state="succeeded")
    store.set_job_verdict(connection, job.id, "fixed")
    assert find(connection, job.id) == replace(job, verdict="fixed")


def fill(connection: Connection) -> None:
    """Keep runs of every kind, at and around NOW."""
    ran = {"started_at": NOW, "ended_at": NOW + 1}
    add(connection, 1, state="succeeded", verdict="fixed", **ran)
    add(connection, 2, state="succeeded", verdict="not_fixed", **ran)
    add(connection, 3, state="failed", target="host:web-2", **ran)
    add(connection, 4, state="aborted", **ran)
    # It was never started: it does not count.
    add(connection, 5, state="aborted")
    # Planned long ago, and started late.
    add(
        connection,
        6,
        state="started",
        planned_at=NOW - HOUR,
        started_at=NOW + SECOND,
        action="clean_tmp",
        team="db",
        environment="test",
        target="host:db-1",
    )
    add(connection, 7, target="", action="clean_tmp")
    add(connection, 8, state="unknown", planned_at=NOW - HOUR)
    # It was to be sent, and certainly never was: it does not count, either.
    add(connection, 9, state="failed")


SCOPES = [
    (
        Scope(since=NOW),
        Runs(
            started=6,
            failed=2,
            judged=3,
            targets=3,
            last_at=NOW + SECOND,
            verdicts={"fixed": 1, "not_fixed": 1},
        ),
    ),
    (
        Scope(since=NOW, action="clean_tmp"),
        Runs(started=2, targets=1, last_at=NOW + SECOND),
    ),
    (
        Scope(since=NOW, action="clean_tmp", environment="production"),
        Runs(started=1, last_at=NOW),
    ),
    (
        Scope(since=NOW, target="host:web-2", team="shop"),
        Runs(started=1, failed=1, judged=1, targets=1, last_at=NOW),
    ),
    (
        Scope(since=NOW - HOUR, target="host:web-1", action="restart_service"),
        Runs(
            started=4,
            failed=2,
            judged=3,
            targets=1,
            last_at=NOW,
            verdicts={"fixed": 1, "not_fixed": 1},
        ),
    ),
    (Scope(since=NOW, team="nobody"), Runs()),
    (Scope(since=NOW + HOUR), Runs()),
]


@pytest.mark.parametrize(("scope", "runs"), SCOPES)
def test_runs_are_counted_in_their_scope(
    connection: Connection, scope: Scope, runs: Runs
) -> None:
    """What is planned counts, what was taken back before it began does not."""
    fill(connection)
    asked: list[str] = []
    event.listen(
        connection,
        "before_cursor_execute",
        lambda *told: asked.append(told[2]),
    )
    assert StoreTally(connection).count(scope) == runs
    assert len(asked) == 1


def test_a_job_does_not_stand_in_its_own_way(connection: Connection) -> None:
    """What is ruled on again right before its start is not counted."""
    job = add(connection)
    tally = StoreTally(connection, without=job.id)
    assert tally.count(Scope(since=NOW)) == Runs()
    assert tally.running([job.target], NOW) == 0
    assert StoreTally(connection).running([job.target], NOW) == job.id
    assert StoreTally(connection).count(Scope(since=NOW)).started == 1


states = st.sampled_from([state.value for state in JobState])
runs = st.fixed_dictionaries(
    {
        "state": states,
        "verdict": st.sampled_from(["", "fixed", "not_fixed", "unknown"]),
        "action": st.sampled_from("ab"),
        "team": st.sampled_from(["", "x"]),
        "planned_at": st.integers(NOW - 2, NOW + 2),
        "started_at": st.none() | st.integers(NOW - 2, NOW + 2),
    }
)


@settings(
    max_examples=30,
)
@given(st.lists(runs, max_size=8), st.sampled_from(["", "a"]))
def test_the_count_is_what_one_would_count_by_hand(
    connection: Connection, rows: list[dict[str, object]], action: str
) -> None:
    """Whatever the runs were."""
    connection.execute(text("DELETE FROM job"))
    jobs = [
        add(connection, number, target=f"host:{number}", **row)
        for number, row in enumerate(rows, 1)
    ]
    counted = [
        job
        for job in jobs
        if max(job.planned_at, job.started_at or 0) >= NOW
        and (
            job.state not in ("aborted", "failed")
            or job.started_at is not None
        )
        and job.action.startswith(action)
    ]
    failed = [
        job
        for job in counted
        if job.state in ("failed", "timed_out", "unknown")
        or job.verdict == "not_fixed"
    ]
    found = StoreTally(connection).count(Scope(since=NOW, action=action))
    assert found.started == found.targets == len(counted)
    assert found.failed == len(failed)
    assert found.judged == len(
        {job.id for job in failed} | {job.id for job in counted if job.verdict}
    )
    assert sum(found.verdicts.values()) == sum(
        bool(job.verdict) for job in counted
    )
    assert found.last_at == max(
        (
            job.planned_at if job.started_at is None else job.started_at
            for job in counted
        ),
        default=None,
    )


def test_jobs_are_read_page_by_page(
    location: Location, reader: Reader
) -> None:
    """By incident, action, target, state and time, the newest first."""
    ledger = Ledger(location, 2.0)
    with ledger.turn() as turn:
        add(turn, 1, state="failed", incident_id=5)
        add(turn, 2, action="clean_tmp", planned_at=NOW + HOUR)
        add(turn, 3, target="host:web-3")
    ledger.close()

    def ask(**where: object) -> list[int]:
        """Return the jobs that a page shows."""
        return [row.id for row in reader.page(JOBS, Wish(where)).rows]

    assert ask() == [3, 2, 1]
    assert ask(incident_id=5) == [1]
    assert ask(target=["host:web-1", "host:web-3"]) == [3, 2, 1]
    assert ask(state=["failed", "planned"], action="clean_tmp") == [2]
    assert ask(since=NOW + 1) == [2]
