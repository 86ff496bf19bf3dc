"""The board: the rows of the three lanes, with all that stands on a row."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, distinct, func, not_, select

from app.models.approval import OPEN, Approval
from app.models.brevity import clip
from app.models.canary import PROBLEM
from app.models.cluster import FOREVER
from app.models.job import Job
from app.models.mission import End, Mission, Stage
from app.models.proposer import CODE
from app.models.verdict import Reading
from app.store.among import among
from app.store.approvals import APPROVAL, to_approval
from app.store.decisions import DECISION, DECISIONS, IS_LIVE
from app.store.incidents import EPISODE, STRAND
from app.store.jobs import JOB, to_job
from app.store.lanes import Lane, find_lanes
from app.store.listings import ENTRY, INCIDENT
from app.store.log import find_end
from app.store.missions import MISSION, to_mission, with_missions
from app.store.outputs import LAST
from app.store.teams import Teams

# Whose alerts are looked at for the labels in which they differ: so many
# rows, and so many alerts of each.
MOST_APART = 20
MOST_ALERTS = 12
MOST_LABELS = 3
MOST_POINTS = 40
LONGEST_LINE = 200
BY_CODE = DECISION.c.brain.startswith(CODE, autoescape=True)
# Made once: to make a statement costs several times what it takes to run.
ROWS = select(INCIDENT).where(among(INCIDENT.c.id, "ids"))
# What only looks at something is nothing that anybody chose.
CHOSEN = select(*DECISIONS.columns()).where(
    DECISION.c.id.in_(
        select(func.max(DECISION.c.id))
        .where(among(DECISION.c.incident_id, "ids"), IS_LIVE, not_(BY_CODE))
        .group_by(DECISION.c.incident_id)
    )
)
OF_CHOSEN = (
    select(MISSION)
    .where(among(MISSION.c.incident_id, "ids"))
    .where(among(MISSION.c.decision_id, "decisions"))
    .order_by(MISSION.c.id)
)
QUESTIONS = (
    select(APPROVAL)
    .where(among(APPROVAL.c.incident_id, "ids"))
    .where(APPROVAL.c.state == OPEN.value)
    .order_by(APPROVAL.c.id)
)
RUNS = select(JOB).where(among(JOB.c.id, "ids"))
ALERTS = (
    select(EPISODE.c.incident_id, func.sum(EPISODE.c.alerts))
    .where(among(EPISODE.c.incident_id, "ids"))
    .group_by(EPISODE.c.incident_id)
)
MERGED = (
    select(INCIDENT.c.merged_into, func.count())
    .where(among(INCIDENT.c.merged_into, "ids"), INCIDENT.c.merged_into != 0)
    .group_by(INCIDENT.c.merged_into)
)
# The labels of a few alerts of each incident, in one round for all of them.
FEW = (
    select(STRAND.c.labels)
    .join(EPISODE, EPISODE.c.strand_id == STRAND.c.id)
    .where(EPISODE.c.incident_id == INCIDENT.c.id)
    .where(EPISODE.c.until == FOREVER)
    .limit(MOST_ALERTS)
    .correlate(INCIDENT)
    .subquery()
)
LABELS = select(
    INCIDENT.c.id,
    select(func.aggregate_strings(FEW.c.labels, ",")).scalar_subquery(),
).where(among(INCIDENT.c.id, "ids"))
SINCE = (
    select(ENTRY.c.id)
    .where(ENTRY.c.at >= bindparam("since"))
    .order_by(ENTRY.c.at)
    .limit(1)
)
ENDED = select(func.count(distinct(ENTRY.c.incident_id))).where(
    ENTRY.c.kind == bindparam("kind"),
    ENTRY.c.id >= bindparam("first"),
    ENTRY.c.problem != PROBLEM,
    ENTRY.c.summary.startswith(bindparam("end")),
)
OF_TEAMS = ENTRY.c.incident_id.in_(
    select(INCIDENT.c.id).where(among(INCIDENT.c.team, "teams"))
)
ENDS = {
    Stage.CLOSED: ("mission.closed", f"{End.FIXED.value}:"),
    Stage.ESCALATED: ("incident.escalated", ""),
}
read_readings = msgspec.json.Decoder(list[Reading]).decode
read_labels = msgspec.json.Decoder(list[dict[str, str]]).decode


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One incident with all that stands on its row.

    Attributes:
        incident: it, with its newest ``mission``.
        decision: what was chosen last for it, or None.
        reason: why what was chosen came to stand as it does, or empty.
        approval: the question that waits, or None.
        job: the last run, or None.
        line: what that wrote last, or empty.
        alerts: of how many alerts it is made.
        merged: how many other incidents live on in it.
        apart: labels in which its alerts differ, with their values.
        points: what was measured, in order; empty: nothing.
    """

    incident: Any
    decision: Any = None
    reason: str = ""
    approval: Approval | None = None
    job: Job | None = None
    line: str = ""
    alerts: int = 0
    merged: int = 0
    apart: Mapping[str, Sequence[str]] = {}
    points: Sequence[float] = ()


class Stretch(msgspec.Struct, frozen=True):
    """One lane with its rows."""

    rows: Sequence[Row]
    count: int
    is_exact: bool


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Who must act, at one moment.

    Attributes:
        seq: the last entry of the log at that moment.
        needs_you: what people must act on.
        acting: what the machine works on.
        watching: what else lives.
        fixed: how many a machine has fixed since a moment, measured.
        handed_over: how many people got since then.
        suppressed: how many are held back.
        living: how many incidents live.
        firing: how many alerts go on in them.
    """

    seq: int
    needs_you: Stretch
    acting: Stretch
    watching: Stretch
    fixed: int
    handed_over: int
    suppressed: int
    living: int
    firing: int


def find_board(
    connection: Connection, since: int, most: int, teams: Teams = ()
) -> Board:
    """Return who must act.

    Args:
        connection: a snapshot.
        since: from when on is counted what is over.
        most: how many rows each lane has.
        teams: whose incidents; none: everybody's.
    """
    lanes = find_lanes(connection, most, teams)
    three = (lanes.needs_you, lanes.acting, lanes.watching)
    rows = find_rows(connection, [one for lane in three for one in lane.ids])
    needs, acting, watching = (_stretch(lane, rows) for lane in three)
    fixed, handed = count_ends(connection, since, teams)
    return Board(
        seq=find_end(connection).id,
        needs_you=needs,
        acting=acting,
        watching=watching,
        fixed=fixed,
        handed_over=handed,
        suppressed=lanes.suppressed,
        living=lanes.living,
        firing=lanes.firing,
    )


def find_rows(connection: Connection, ids: Collection[int]) -> dict[int, Row]:
    """Return incidents with all that stands on their rows."""
    if not ids:
        return {}
    found = with_missions(
        connection, connection.execute(ROWS, {"ids": ids}).all()
    )
    incidents = {one.id: one for one in found}
    decisions = {
        one.incident_id: one
        for one in connection.execute(CHOSEN, {"ids": ids})
    }
    reasons = _find_reasons(connection, ids, decisions.values())
    questions = {
        one.incident_id: to_approval(one)
        for one in connection.execute(QUESTIONS, {"ids": ids})
    }
    jobs = _find_jobs(connection, incidents.values())
    alerts = _pairs(connection, ALERTS, ids)
    merged = _pairs(connection, MERGED, ids)
    apart = _find_apart(connection, ids, incidents)
    return {
        number: Row(
            incident=one,
            decision=decisions.get(number),
            reason=reasons.get(number, ""),
            approval=questions.get(number),
            job=jobs.get(number),
            line=_find_line(connection, jobs.get(number)),
            alerts=alerts.get(number, 0),
            merged=merged.get(number, 0),
            apart=apart.get(number, {}),
            points=_points(jobs.get(number)),
        )
        for number, one in incidents.items()
    }


def count_ends(
    connection: Connection, since: int, teams: Teams = ()
) -> tuple[int, int]:
    """Return how many incidents were fixed, and handed over, since."""
    first = connection.execute(SINCE, {"since": since}).scalar()
    if first is None:
        return 0, 0
    ours = {"teams": teams} if teams else {}
    query = ENDED.where(OF_TEAMS) if teams else ENDED
    fixed, handed = (
        connection.execute(
            query, {"first": first, "kind": kind, "end": end, **ours}
        ).scalar_one()
        for kind, end in ENDS.values()
    )
    return int(fixed), int(handed)


def differing(several: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """Return the labels in which alerts differ, with their values."""
    values: dict[str, dict[str, None]] = {}
    labels = list(several)
    for one in labels:
        for name, value in one.items():
            values.setdefault(name, {})[value] = None
    apart = {
        name: list(some) for name, some in values.items() if len(some) > 1
    }
    few = sorted(apart, key=lambda name: (-len(apart[name]), name))
    return {name: apart[name] for name in few[:MOST_LABELS]}


def _stretch(lane: Lane, rows: Mapping[int, Row]) -> Stretch:
    """Return a lane with its rows; what is gone by now is left out."""
    found = [rows[number] for number in lane.ids if number in rows]
    return Stretch(found, lane.count, lane.is_exact)


def _pairs(
    connection: Connection, query: Any, ids: Collection[int]
) -> dict[int, int]:
    """Return numbers of some incidents."""
    rows = connection.execute(query, {"ids": ids})
    return {number: int(many) for number, many in rows}


def _find_reasons(
    connection: Connection, ids: Collection[int], chosen: Iterable[Any]
) -> dict[int, str]:
    """Return why what was chosen came to stand as it does."""
    bounds = {"ids": ids, "decisions": [one.id for one in chosen]}
    rows = connection.execute(OF_CHOSEN, bounds)
    return {one.incident_id: to_mission(one).reason for one in rows}


def _find_jobs(
    connection: Connection, incidents: Iterable[Any]
) -> dict[int, Job]:
    """Return the last run for each incident whose mission has one."""
    missions: list[Mission] = [one.mission for one in incidents if one.mission]
    ids = [one.job_id for one in missions if one.job_id]
    if not ids:
        return {}
    found = map(to_job, connection.execute(RUNS, {"ids": ids}))
    return {one.incident_id: one for one in found}


def _find_apart(
    connection: Connection, ids: Iterable[int], incidents: Mapping[int, Any]
) -> dict[int, dict[str, list[str]]]:
    """Return in which labels the alerts of the first few rows differ."""
    many = [
        one for one in ids if one in incidents and incidents[one].firing > 1
    ]
    if not many:
        return {}
    rows = connection.execute(LABELS, {"ids": many[:MOST_APART]})
    return {
        number: differing(read_labels(f"[{texts}]")) for number, texts in rows
    }


def _find_line(connection: Connection, job: Job | None) -> str:
    """Return what a running job wrote last."""
    if job is None or not job.is_live or not job.output_bytes:
        return ""
    last = connection.execute(LAST, {"job": job.id}).one_or_none()
    lines = last.text.strip().splitlines() if last else []
    return clip(lines[-1].strip(), LONGEST_LINE) if lines else ""


def _points(job: Job | None) -> list[float]:
    """Return what was measured around a run, in order."""
    if job is None:
        return []
    readings = [*read_readings(job.before), *read_readings(job.after)]
    values = [one.value for one in readings if one.value is not None]
    return values[-MOST_POINTS:]
