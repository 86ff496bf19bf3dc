"""Many incidents with all that is done about them, written by plain SQL."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, text

from app.models.cluster import FOREVER
from app.models.decision_tables import DecisionRow
from app.models.mission_tables import ApprovalRow, JobRow, MissionRow
from app.models.tables import (
    EntryRow,
    EpisodeRow,
    IncidentRow,
    MarkRow,
    StrandRow,
    table_of,
)
from bench.series import READERS, sow

DAY = 86_400_000_000
WEEK = 7 * DAY
# Past the guards of the log, whose chain nobody asks for here.
UNGUARDED = "SET LOCAL session_replication_role = replica"
Values = Mapping[str, str]


class Field(msgspec.Struct, frozen=True):
    """What is in the database.

    Attributes:
        incidents: how many.
        living: how many of them, the newest, are not over.
        now: what time it is.
    """

    incidents: int
    living: int
    now: int

    @property
    def lives(self) -> str:
        """Return the condition of ``n`` that an incident lives."""
        return f"n > {self.incidents - self.living}"

    @property
    def at(self) -> str:
        """Return when the n-th incident began."""
        step = WEEK // self.incidents
        return f"({self.now - WEEK} + n * {step})"

    def either(self, living: str, over: str) -> str:
        """Return an expression for what lives, and for what does not."""
        return f"CASE WHEN {self.lives} THEN {living} ELSE {over} END"


HOST = "'host-' || (n % 5000)"
WHO = {"target": f"'host::' || {HOST}", "problem": "'DiskFull'"}
ARGUMENTS = f"""'{{"host":"' || {HOST} || '"}}'"""
CHOSEN = {"action": "'restart_service'", "arguments": ARGUMENTS}
STATE = "CASE WHEN n % 8 = 7 THEN 'suppressed' ELSE 'open' END"
SEVERITY = "CASE WHEN n % 3 = 0 THEN 'critical' ELSE 'warning' END"
ASKED = "CASE WHEN n % 4 = 0 THEN n ELSE 0 END"
STAGE = (
    "CASE WHEN n % 4 = 0 THEN 'awaiting_approval'"
    " WHEN n % 4 = 1 THEN 'escalated' ELSE 'acting' END"
)


def incidents(field: Field) -> Values:
    """Return what an incident is."""
    return {
        **WHO,
        "id": "n",
        "version": "1",
        "state": field.either(STATE, "'resolved'"),
        "target_kind": "'host'",
        "target_name": HOST,
        "source": "'alertmanager'",
        "severity": SEVERITY,
        "title": "'the disk is full'",
        "opened_at": field.at,
        "changed_at": field.at,
        "begins_at": field.at,
        "ends_at": field.either("NULL", field.at),
        "episodes": field.either("2", "1"),
        "firing": field.either("2", "0"),
    }


def strands(shift: int) -> Values:
    """Return what one of the strands of an incident is."""
    labels = (
        f"""'{{"host":"' || {HOST} || '","mountpoint":"/{shift}","""
        """"cluster":"prod-eu1","job":"node"}'"""
    )
    return {
        **WHO,
        "id": f"n + {shift}",
        "fingerprint": f"'f' || (n + {shift})",
        "source": "'alertmanager'",
        "name": "'DiskFull'",
        "labels": labels,
        "target_kind": "'host'",
        "target_name": HOST,
        "memory": "'[[],[]]'",
    }


def episodes(field: Field, shift: int) -> Values:
    """Return what one of the episodes of an incident is."""
    return {
        **WHO,
        "id": f"n + {shift}",
        "strand_id": f"n + {shift}",
        "incident_id": "n",
        "source": "'alertmanager'",
        "fingerprint": f"'f' || (n + {shift})",
        "name": "'DiskFull'",
        "severity": SEVERITY,
        "summary": "'the disk is full'",
        "begins_at": field.at,
        "until": field.either(str(FOREVER), field.at),
        "ended": field.either("''", "'resolved'"),
        "first_alert": "n",
        "last_alert": "n",
        "alerts": "3",
        "seen_at": str(field.now),
    }


def missions(field: Field) -> Values:
    """Return what is done about an incident."""
    return {
        "id": "n",
        "incident_id": "n",
        "target": WHO["target"],
        "version": "4",
        "stage": field.either(STAGE, "'closed'"),
        "end": field.either("''", "'fixed'"),
        "reason": "'as the policy says'",
        "decision_id": "n",
        "approval_id": field.either(ASKED, "0"),
        "job_id": field.either("CASE WHEN n % 4 = 2 THEN n ELSE 0 END", "n"),
        "opened_at": field.at,
        "changed_at": field.at,
        "deadline_at": str(field.now + DAY),
    }


def decisions(field: Field) -> Values:
    """Return what was chosen for an incident."""
    return {
        **WHO,
        **CHOSEN,
        "id": "n",
        "incident_id": "n",
        "at": field.at,
        "problems": """'["DiskFull"]'""",
        "severity": SEVERITY,
        "reason": "'The disk fills up, and old logs may go.'",
        "confidence": "0.93",
        "brain": "'reflex'",
        "casefile": "'{}'",
        "record": "'{}'",
    }


def jobs(field: Field) -> Values:
    """Return what ran, or runs, for an incident."""
    points = """'[{"check":"disk","at":1,"value":93.4,"unit":"%"}]'"""
    return {
        **CHOSEN,
        "id": "n",
        "incident_id": "n",
        "mission_id": "n",
        "decision_id": "n",
        # One running job for each target: the database holds it.
        "target": "'host::one-' || n",
        "environment": "'prod'",
        "backend": "'scripted'",
        "name": "'later'",
        "key": "'sj-' || n",
        "state": field.either("'started'", "'succeeded'"),
        "planned_at": field.at,
        "started_at": field.at,
        "until": str(field.now + DAY),
        "ended_at": field.either("NULL", field.at),
        "before": points,
        "after": field.either("'[]'", points),
        "verdict": field.either("''", "'fixed'"),
    }


def approvals(field: Field) -> Values:
    """Return what people are asked."""
    return {
        **CHOSEN,
        "id": "n",
        "incident_id": "n",
        "mission_id": "n",
        "decision_id": "n",
        "target": WHO["target"],
        "environment": "'prod'",
        "reason": "'prod needs somebody'",
        "mode": "'approve'",
        "whom": "'[]'",
        "people": "1",
        "state": "'asked'",
        "asked_at": field.at,
        "expires_at": str(field.now + DAY),
        "version": "1",
    }


def entries(field: Field, digest: str) -> Values:
    """Return what the log says: of each incident its beginning and its end."""
    step = WEEK // field.incidents // 2
    return {
        **WHO,
        "id": "n",
        "at": f"({field.now - WEEK} + n * {step})",
        "kind": "CASE WHEN n % 2 = 1 THEN 'incident.opened'"
        " WHEN n % 100 = 0 THEN 'incident.escalated'"
        " ELSE 'mission.closed' END",
        "incident_id": "(n + 1) / 2",
        "severity": SEVERITY,
        "status": "'open'",
        "actor": "'source:alertmanager'",
        "summary": "CASE WHEN n % 2 = 1 THEN 'the disk is full'"
        " ELSE 'fixed: the disk has room again' END",
        "body": "'{}'",
        "hash": digest,
    }


def fill(connection: Connection, field: Field) -> None:
    """Write all of it."""
    every = (1, field.incidents)
    living = (field.incidents - field.living + 1, field.incidents)
    shifts = (0, field.incidents)
    for shift, span in zip(shifts, (every, living), strict=True):
        sow(connection, table_of(StrandRow), span, strands(shift))
        sow(connection, table_of(EpisodeRow), span, episodes(field, shift))
    sow(connection, table_of(IncidentRow), every, incidents(field))
    has_one = f"NOT ({field.lives}) OR n % 4 < 3"
    sow(connection, table_of(MissionRow), every, missions(field), has_one)
    sow(connection, table_of(DecisionRow), every, decisions(field), has_one)
    ran = f"NOT ({field.lives}) OR n % 4 = 2"
    sow(connection, table_of(JobRow), every, jobs(field), ran)
    asks = f"{field.lives} AND n % 4 = 0"
    sow(connection, table_of(ApprovalRow), every, approvals(field), asks)
    fill_log(connection, field)


def fill_log(connection: Connection, field: Field) -> None:
    """Write two lines for each incident, in order."""
    digest = f"CAST('{'0' * 32}' AS BLOB)"
    if connection.dialect.name == "postgresql":
        connection.execute(text(UNGUARDED))
        digest = digest.replace("BLOB", "bytea")
    count = 2 * field.incidents
    lines = entries(field, digest)
    sow(connection, table_of(EntryRow), (1, count), lines)
    for reader in READERS:
        mark = {"name": f"'{reader}'", "position": str(count)}
        sow(connection, table_of(MarkRow), (1, 1), mark)
