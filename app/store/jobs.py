"""Jobs in the store, and how many of them there were.

Every function that writes runs in a turn of the ledger. That a target has
one running job at most is held by the database itself.
"""

from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    Update,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    not_,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from app.models.approval import OPEN
from app.models.job import Job, JobState
from app.models.mission_tables import (
    HOLDS_TARGET,
    IS_LIVE,
    ApprovalRow,
    JobRow,
)
from app.models.ruling import Runs, Scope
from app.models.tables import table_of
from app.models.verdict import Verdict
from app.store.among import among
from app.store.incidents import next_id
from app.store.indexing import note_spans
from app.store.listings import Listing
from app.store.missions import Fenced

__all__ = ["JOBS", "Fenced", "StoreTally"]
JOB = table_of(JobRow)
JOBS = Listing(
    rows=JOB,
    moment="planned_at",
    indexed=frozenset({"incident_id", "target", "state"}),
    leading=frozenset({"incident_id", "target"}),
)
COLUMNS = JOB.c.keys()
BY = ("action", "target", "team", "environment")
FAILURES = (JobState.FAILED, JobState.TIMED_OUT, JobState.UNKNOWN)
# Made once: to make a statement costs several times what it takes to run.
ADD = (
    insert(JOB)
    .on_conflict_do_nothing()
    .execution_options(preserve_rowcount=True)
)
ONE = select(JOB).where(JOB.c.id == bindparam("number"))
OF_DECISION = select(JOB).where(JOB.c.decision_id == bindparam("number"))
APPROVAL = table_of(ApprovalRow)
ASKING = (
    select(APPROVAL.c.id)
    .where(
        APPROVAL.c.state == OPEN.value,
        APPROVAL.c.action == bindparam("action"),
    )
    .limit(1)
)
RUNNING = select(JOB.c.id).where(
    JOB.c.target == bindparam("target"), text(HOLDS_TARGET)
)
# What nobody can say the end of may run as long as it was given.
PERHAPS = select(func.max(JOB.c.id)).where(
    JOB.c.target == bindparam("target"),
    JOB.c.target != "",
    JOB.c.state.in_([JobState.UNKNOWN.value, JobState.TIMED_OUT.value]),
    JOB.c.until > bindparam("now"),
)
# Added to nothing, so that SQLite does not walk through all by their ids.
LIVE = (
    select(JOB).where(text(IS_LIVE)).order_by(JOB.c.id + literal_column("0"))
)
VERDICTS = (
    select(JOB.c.action, JOB.c.environment, JOB.c.verdict, func.count())
    .where(JOB.c.planned_at >= bindparam("since"), JOB.c.verdict != "")
    .group_by(JOB.c.action, JOB.c.environment, JOB.c.verdict)
    .order_by(JOB.c.action, JOB.c.environment, JOB.c.verdict)
)
JUDGE = (
    update(JOB)
    .where(JOB.c.id == bindparam("at"))
    .values(verdict=bindparam("word"))
)


def add_job(connection: Connection, job: Job) -> int:
    """Write a new job down; return its number.

    Raises:
        Fenced: its decision has a job, or its target a running one.
    """
    number = next_id(connection, JOB)
    row = {**msgspec.structs.asdict(job), "id": number}
    if not connection.execute(ADD, row).rowcount:
        raise Fenced(
            f"decision {job.decision_id} has a job already, or another one"
            f" runs on {job.target!r}"
        )
    note_spans(connection, JOBS, [(number, job.planned_at)])
    return number


def find_job(connection: Connection, number: int) -> Job | None:
    """Return a job, or None."""
    row = connection.execute(ONE, {"number": number}).one_or_none()
    return None if row is None else to_job(row)


def find_by_decision(connection: Connection, decision: int) -> Job | None:
    """Return the job of a decision, or None."""
    row = connection.execute(OF_DECISION, {"number": decision}).one_or_none()
    return None if row is None else to_job(row)


def save_job(connection: Connection, before: Job, after: Job) -> None:
    """Write down what changed of a job, and nothing else.

    What others wrote meanwhile into other columns stays, such as the wish
    that it ends.

    Raises:
        Fenced: it is in another state, or a later worker has it.
    """
    was, now = map(msgspec.structs.asdict, (before, after))
    changes = {name: now[name] for name in COLUMNS if now[name] != was[name]}
    where = {"at": before.id, "was": before.state, "token": after.fence}
    # The fence is always named, so that the row is asked about at least.
    changes["fence"] = after.fence
    statement = _save(frozenset(changes))
    if not connection.execute(statement, {**changes, **where}).rowcount:
        raise Fenced(f"job {before.id} is not as it was")


def find_running(connection: Connection, target: str) -> int:
    """Return the job on a target that has not ended, or 0."""
    found = connection.execute(RUNNING, {"target": target}).scalar()
    return int(found or 0)


def find_live_jobs(connection: Connection) -> list[Job]:
    """Return the jobs that have not ended, in the order of their plans."""
    return [to_job(row) for row in connection.execute(LIVE)]


def set_job_verdict(connection: Connection, number: int, verdict: str) -> None:
    """Write down whether a job helped."""
    connection.execute(JUDGE, {"at": number, "word": verdict})


def count_verdicts(
    connection: Connection, since: int
) -> list[tuple[str, str, str, int]]:
    """Return what came of the jobs that were planned since a moment.

    Returns:
        Action, environment, verdict, and how many.
    """
    rows = connection.execute(VERDICTS, {"since": since})
    return [(a, place, verdict, int(n)) for a, place, verdict, n in rows]


class StoreTally:
    """Counts what ran before, as the transaction of a turn sees it."""

    def __init__(self, connection: Connection, without: int = 0) -> None:
        """Take the turn's transaction, and a job that does not count."""
        self._connection = connection
        self._without = without

    def count(self, scope: Scope) -> Runs:
        """Return what was started or planned in a scope."""
        asked = {name: getattr(scope, name) for name in BY}
        given = {name: value for name, value in asked.items() if value}
        query = _count(frozenset(given), has_risks=bool(scope.risks))
        risks = {"risks": scope.risks} if scope.risks else {}
        bounds = {
            **given,
            **risks,
            "since": scope.since,
            "without": self._without,
        }
        row = self._connection.execute(query, bounds).mappings().one()
        verdicts = {one.value: int(row[one.value] or 0) for one in Verdict}
        return Runs(
            started=int(row["started"]),
            failed=int(row["failed"] or 0),
            judged=int(row["judged"] or 0),
            targets=int(row["targets"]),
            last_at=row["last_at"],
            verdicts={word: n for word, n in verdicts.items() if n},
        )

    def running(self, target: str, now: int) -> int:
        """Return the job that is, or may still be, on a target, or 0."""
        found = find_running(self._connection, target)
        if found and found != self._without:
            return found
        bounds = {"target": target, "now": now}
        return int(self._connection.execute(PERHAPS, bounds).scalar() or 0)

    def asking(self, action: str) -> int:
        """Return an open question about an action, or 0."""
        found = self._connection.execute(ASKING, {"action": action})
        return found.scalar() or 0


@cache
def _save(names: frozenset[str]) -> Update:
    """Return the statement that changes some columns of a job."""
    return (
        update(JOB)
        .where(
            JOB.c.id == bindparam("at"),
            JOB.c.state == bindparam("was"),
            JOB.c.fence <= bindparam("token"),
        )
        .values({name: bindparam(name) for name in sorted(names)})
    )


@cache
def _count(names: frozenset[str], *, has_risks: bool) -> Select[Any]:
    """Return the question that counts jobs by some columns."""
    started = JOB.c.started_at
    since: BindParameter[int] = bindparam("since")
    unsent = and_(JOB.c.state == JobState.ABORTED.value, started.is_(None))
    failed = or_(
        JOB.c.state.in_([one.value for one in FAILURES]),
        JOB.c.verdict == Verdict.NOT_FIXED.value,
    )
    judged = or_(JOB.c.verdict != "", failed)
    risks = among(JOB.c.risk, "risks")
    verdicts = [
        _sum(JOB.c.verdict == one.value).label(one.value) for one in Verdict
    ]
    return select(
        func.count().label("started"),
        _sum(failed).label("failed"),
        _sum(judged).label("judged"),
        # What works on nothing in particular is on no target.
        func.count(func.nullif(JOB.c.target, "").distinct()).label("targets"),
        func.max(func.coalesce(started, JOB.c.planned_at)).label("last_at"),
        *verdicts,
    ).where(
        # It may have started long after it was planned.
        or_(JOB.c.planned_at >= since, started >= since),
        not_(unsent),
        JOB.c.id != bindparam("without"),
        *(JOB.c[name] == bindparam(name) for name in sorted(names)),
        *([risks] if has_risks else []),
    )


def _sum(condition: Any) -> Any:
    """Return for how many rows a condition holds."""
    return func.sum(case((condition, 1), else_=0))


def to_job(row: Any) -> Job:
    """Return a row as a job."""
    return Job(**dict(zip(COLUMNS, row, strict=True)))
