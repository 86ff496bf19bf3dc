"""The tables of steps 3 to 5: what is done about incidents, and why.

As in app/models/tables.py, from which these are parted by size only. The
columns are the fields of Mission, Job, Approval and Vote, in their order.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

from app.models.tables import Id

# As the databases hold them; the statements in app/store say the same words,
# since only then is a partial index used.
GOES_ON = "stage NOT IN ('escalated', 'closed')"
IS_DUE = "due_at IS NOT NULL"
IS_LENT = "lease_until > 0"
IS_LIVE = "state IN ('planned', 'claimed', 'started')"
WAS_OBSERVED = "outcome = 'observe'"
# What works on nothing in particular locks nothing.
HOLDS_TARGET = f"{IS_LIVE} AND target <> ''"


def _part(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return an index of the rows for which something holds."""
    only = text(where)
    return Index(
        name,
        *columns,
        unique=unique,
        sqlite_where=only,
        postgresql_where=only,
    )


class MissionRow(SQLModel, table=True):
    """What we do about one incident."""

    __tablename__ = "mission"
    __table_args__ = (
        _part("mission_due", "due_at", where=IS_DUE),
        _part("mission_lent", "lease_until", where=IS_LENT),
        # The database itself holds it: one at a time for each incident.
        _part("mission_one", "incident_id", where=GOES_ON, unique=True),
        Index("mission_incident", "incident_id", "id"),
        Index("mission_stage", "stage", "id"),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    incident_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    stage: str = Field(sa_column=Column(Text, nullable=False))
    end: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    round: int = Field(sa_column=Column(Integer, nullable=False))
    decision_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    approval_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    job_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    undoes: int = Field(sa_column=Column(BigInteger, nullable=False))
    due_at: int | None = Field(sa_column=Column(BigInteger))
    deadline_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    holder: str = Field(sa_column=Column(Text, nullable=False))
    lease_until: int = Field(sa_column=Column(BigInteger, nullable=False))
    fence: int = Field(sa_column=Column(BigInteger, nullable=False))
    opened_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    changed_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class JobRow(SQLModel, table=True):
    """One run of one decision."""

    __tablename__ = "job"
    __table_args__ = (
        # The database itself holds it: one running job for each target.
        _part("job_one", "target", where=HOLDS_TARGET, unique=True),
        Index("job_key", "key", unique=True),
        Index("job_decision", "decision_id", unique=True),
        Index("job_planned", "planned_at"),
        Index("job_started", "started_at"),
        Index("job_target", "target", "planned_at"),
        Index("job_incident", "incident_id", "id"),
        Index("job_mission", "mission_id"),
        Index("job_state", "state", "id"),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    incident_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    mission_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    decision_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    action: str = Field(sa_column=Column(Text, nullable=False))
    arguments: str = Field(sa_column=Column(Text, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))
    environment: str = Field(sa_column=Column(Text, nullable=False))
    team: str = Field(sa_column=Column(Text, nullable=False))
    risk: str = Field(sa_column=Column(Text, nullable=False))
    backend: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    is_idempotent: int = Field(sa_column=Column(Integer, nullable=False))
    proposer: str = Field(sa_column=Column(Text, nullable=False))
    approval_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    reference: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    fence: int = Field(sa_column=Column(BigInteger, nullable=False))
    planned_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    started_at: int | None = Field(sa_column=Column(BigInteger))
    until: int | None = Field(sa_column=Column(BigInteger))
    ended_at: int | None = Field(sa_column=Column(BigInteger))
    output_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    cursor: str = Field(sa_column=Column(Text, nullable=False))
    is_cut: int = Field(sa_column=Column(Integer, nullable=False))
    # Readings, as JSON.
    before: str = Field(sa_column=Column(Text, nullable=False))
    after: str = Field(sa_column=Column(Text, nullable=False))
    # fixed, not_fixed or unknown; empty until it was measured.
    verdict: str = Field(sa_column=Column(Text, nullable=False))
    abort: str = Field(sa_column=Column(Text, nullable=False))
    told: str = Field(sa_column=Column(Text, nullable=False))


class OutputRow(SQLModel, table=True):
    """A piece of what a job wrote; an empty one says that the rest is cut."""

    __tablename__ = "output"

    job_id: int = Field(
        sa_column=Column(BigInteger, primary_key=True, autoincrement=False)
    )
    # In bytes of UTF-8, from the beginning of the output.
    position: int = Field(
        sa_column=Column(BigInteger, primary_key=True, autoincrement=False)
    )
    text: str = Field(sa_column=Column(Text, nullable=False))


class ApprovalRow(SQLModel, table=True):
    """A question to people."""

    __tablename__ = "approval"
    __table_args__ = (
        Index("approval_state", "state", "id"),
        Index("approval_incident", "incident_id", "id"),
        Index("approval_decision", "decision_id"),
        Index("approval_asked", "asked_at"),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    incident_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    mission_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    decision_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    action: str = Field(sa_column=Column(Text, nullable=False))
    arguments: str = Field(sa_column=Column(Text, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))
    environment: str = Field(sa_column=Column(Text, nullable=False))
    team: str = Field(sa_column=Column(Text, nullable=False))
    policy: str = Field(sa_column=Column(Text, nullable=False))
    rule: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    mode: str = Field(sa_column=Column(Text, nullable=False))
    whom: str = Field(sa_column=Column(Text, nullable=False))
    people: int = Field(sa_column=Column(Integer, nullable=False))
    proposer: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    says: str = Field(sa_column=Column(Text, nullable=False))
    asked_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    expires_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    ended_at: int | None = Field(sa_column=Column(BigInteger))
    version: int = Field(sa_column=Column(Integer, nullable=False))


class VoteRow(SQLModel, table=True):
    """What one person said to one question; never changed."""

    __tablename__ = "vote"

    approval_id: int = Field(
        sa_column=Column(BigInteger, primary_key=True, autoincrement=False)
    )
    person: str = Field(sa_column=Column(Text, primary_key=True))
    answer: str = Field(sa_column=Column(Text, primary_key=True))
    comment: str = Field(sa_column=Column(Text, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))


class RulingRow(SQLModel, table=True):
    """What the guard said to one motion; never changed."""

    __tablename__ = "ruling"
    __table_args__ = (
        Index("ruling_at", "at"),
        _part("ruling_observed", "at", where=WAS_OBSERVED),
        Index("ruling_incident", "incident_id", "id"),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    incident_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    mission_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    decision_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    action: str = Field(sa_column=Column(Text, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))
    environment: str = Field(sa_column=Column(Text, nullable=False))
    outcome: str = Field(sa_column=Column(Text, nullable=False))
    rule: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    policy: str = Field(sa_column=Column(Text, nullable=False))
    mode: str = Field(sa_column=Column(Text, nullable=False))
    # The motion as it was put, and what each rule said, as JSON.
    body: str = Field(sa_column=Column(Text, nullable=False))


class HaltRow(SQLModel, table=True):
    """Whether nothing may be started; one row at most."""

    __tablename__ = "halt"

    id: int = Field(sa_column=Column(Integer, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    is_halted: int = Field(sa_column=Column(Integer, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    by: str = Field(sa_column=Column(Text, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
