"""Jobs in the store, and how many of them there were.

Every function that writes runs in a turn of the ledger. That a target has
one running job at most is held by the database itself.
"""

from collections.abc import Collection
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Connection,
    RowMapping,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    distinct,
    func,
    literal_column,
    not_,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from app.models.approval import OPEN
from app.models.canary import ANSWER
from app.models.job import HALTED, Job, JobState
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
from app.store.missions import MISSION, Fenced
from app.store.teams import Teams, may_see

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
# In these, without a start: it certainly never ran.
NEVER_RAN = (JobState.ABORTED, JobState.FAILED)
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
RUNNING = select(func.max(JOB.c.id)).where(
    among(JOB.c.target, "places"),
    text(HOLDS_TARGET),
    JOB.c.id != bindparam("without"),
)
# What nobody can say the end of may run as long as it was given.
PERHAPS = select(func.max(JOB.c.id)).where(
    among(JOB.c.target, "places"),
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
    .where(JOB.c.action != ANSWER)
    .group_by(JOB.c.action, JOB.c.environment, JOB.c.verdict)
    .order_by(JOB.c.action, JOB.c.environment, JOB.c.verdict)
)
UNWANTED = (
    select(JOB.c.mission_id)
    .where(text(IS_LIVE), JOB.c.abort != "")
    .where(among(JOB.c.mission_id, "missions"))
)
# What goes on may have to be told anew, another time.
UNSAY = (
    update(JOB)
    .where(text(IS_LIVE), JOB.c.told.startswith(HALTED, autoescape=True))
    .values(told="")
)
# Whoever has the mission has the job.
TELL = (
    update(JOB)
    .where(among(JOB.c.id, "ids"), JOB.c.state == JobState.STARTED.value)
    .values(
        told=bindparam("word"),
        fence=select(MISSION.c.fence)
        .where(MISSION.c.id == JOB.c.mission_id)
        .scalar_subquery(),
    )
    .returning(JOB.c.id)
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


def find_running(
    connection: Connection, places: Collection[str], without: int = 0
) -> int:
    """Return a job on a target that has not ended, or 0.

    Args:
        connection: where to ask.
        places: the target by each of its names.
        without: a job that does not count.
    """
    bounds = {"places": places, "without": without}
    return int(connection.execute(RUNNING, bounds).scalar() or 0)


def find_live_jobs(connection: Connection) -> list[Job]:
    """Return the jobs that have not ended, in the order of their plans."""
    return [to_job(row) for row in connection.execute(LIVE)]


def find_unwanted(
    connection: Connection, missions: Collection[int]
) -> tuple[int, ...]:
    """Return those of some missions whose jobs somebody wants to end."""
    if not missions:
        return ()
    found = connection.execute(UNWANTED, {"missions": missions})
    return tuple(found.scalars())


def forget_halt(connection: Connection) -> None:
    """Let jobs that go on not know of a halt that is over."""
    connection.execute(UNSAY)


def tell_jobs(
    connection: Connection, ids: Collection[int], word: str
) -> set[int]:
    """Write down what jobs are told; return those that still run."""
    if not ids:
        return set()
    told = connection.execute(TELL, {"ids": ids, "word": word})
    return set(told.scalars())


def set_job_verdict(connection: Connection, number: int, verdict: str) -> None:
    """Write down whether a job helped."""
    connection.execute(JUDGE, {"at": number, "word": verdict})


def count_verdicts(
    connection: Connection, since: int, teams: Teams = ()
) -> list[tuple[str, str, str, int]]:
    """Return what came of the jobs that were planned since a moment.

    Args:
        connection: where to ask.
        since: what was planned before does not count.
        teams: only about their incidents; none: about all.

    Returns:
        Action, environment, verdict, and how many.
    """
    seen = [may_see(JOBS, teams)] if teams else []
    rows = connection.execute(VERDICTS.where(*seen), {"since": since})
    return [(a, place, verdict, int(n)) for a, place, verdict, n in rows]


class StoreTally:
    """Counts what ran before, as the transaction of a turn sees it."""

    def __init__(self, connection: Connection, without: int = 0) -> None:
        """Take the turn's transaction, and a job that does not count."""
        self._connection = connection
        self._without = without
        self._known: dict[Scope, Runs] = {}

    def count(self, scope: Scope) -> Runs:
        """Return what was started or planned in a scope."""
        if scope not in self._known:
            self.expect([scope])
        return self._known[scope]

    def expect(self, scopes: Collection[Scope]) -> None:
        """Count some scopes, all in one statement."""
        if not scopes:
            return
        kinds = tuple(_kind(one) for one in scopes)
        bounds: dict[str, Any] = {"without": self._without}
        for place, scope in enumerate(scopes):
            for name in ("since", "risks", *BY):
                bounds[f"{name}_{place}"] = getattr(scope, name)
            bounds[f"places_{place}"] = {scope.target, *scope.places}
        counted = self._connection.execute(_count(kinds), bounds)
        rows = {row["place"]: to_runs(row) for row in counted.mappings()}
        for place, scope in enumerate(scopes):
            self._known[scope] = rows[place]

    def running(self, places: Collection[str], now: int) -> int:
        """Return a job that is, or may still be, on a target, or 0."""
        found = find_running(self._connection, places, self._without)
        if found:
            return found
        bounds = {"places": places, "now": now}
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


def _kind(scope: Scope) -> frozenset[str]:
    """Return what a scope names."""
    names = (*BY, "risks", "places")
    said = frozenset(name for name in names if getattr(scope, name))
    # A target of several names is looked for by all of them at once.
    return said - {"target"} if "places" in said else said


@cache
def _count(kinds: tuple[frozenset[str], ...]) -> CompoundSelect[Any]:
    """Return the question that counts jobs in scopes of some kinds."""
    return union_all(
        *(_count_one(place, names) for place, names in enumerate(kinds))
    )


def _count_one(place: int, names: frozenset[str]) -> Select[Any]:
    """Return the question that counts jobs by some columns."""
    started = JOB.c.started_at
    since: BindParameter[int] = bindparam(f"since_{place}")
    unsent = and_(
        JOB.c.state.in_([_word(one) for one in NEVER_RAN]), started.is_(None)
    )
    failed = or_(
        JOB.c.state.in_([_word(one) for one in FAILURES]),
        JOB.c.verdict == _word(Verdict.NOT_FIXED),
    )
    judged = or_(JOB.c.verdict != _word(""), failed)
    risks = among(JOB.c.risk, f"risks_{place}")
    places = among(JOB.c.target, f"places_{place}")
    verdicts = [
        _sum(JOB.c.verdict == _word(one)).label(one.value) for one in Verdict
    ]
    return select(
        literal_column(str(place)).label("place"),
        func.count().label("started"),
        _sum(failed).label("failed"),
        _sum(judged).label("judged"),
        # What works on nothing in particular is on no target.
        func.count(distinct(func.nullif(JOB.c.target, _word("")))).label(
            "targets"
        ),
        func.max(func.coalesce(started, JOB.c.planned_at)).label("last_at"),
        *verdicts,
    ).where(
        # It may have started long after it was planned.
        or_(JOB.c.planned_at >= since, started >= since),
        not_(unsent),
        JOB.c.id != bindparam("without"),
        # The canary's own jobs take nothing of anybody's budget.
        *([] if "action" in names else [JOB.c.action != _word(ANSWER)]),
        *(
            JOB.c[name] == bindparam(f"{name}_{place}")
            for name in sorted(names.intersection(BY))
        ),
        *([risks] if "risks" in names else []),
        *([places] if "places" in names else []),
    )


def to_runs(row: RowMapping) -> Runs:
    """Return a row of counts as what was started in a scope."""
    verdicts = {one.value: int(row[one.value] or 0) for one in Verdict}
    return Runs(
        started=int(row["started"]),
        failed=int(row["failed"] or 0),
        judged=int(row["judged"] or 0),
        targets=int(row["targets"]),
        last_at=row["last_at"],
        verdicts={word: n for word, n in verdicts.items() if n},
    )


def _sum(condition: Any) -> Any:
    """Return for how many rows a condition holds."""
    return func.count().filter(condition)


def _word(word: str) -> Any:
    """Return a word of ours as a statement says it.

    Written out: that many parameters would cost more than the question.
    """
    return literal_column(f"'{word}'", Text)


def to_job(row: Any) -> Job:
    """Return a row as a job."""
    return Job(**dict(zip(COLUMNS, row, strict=True)))
