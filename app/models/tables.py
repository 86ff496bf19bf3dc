"""Every table, once: the ORM reads it, the hot path takes its columns.

Moments are microseconds since 1970, UTC. Ids rise with the order of
acceptance by our own clock, never by a sender's.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    literal_column,
    text,
)
from sqlmodel import Field, SQLModel

# SQLite counts rows by INTEGER only; PostgreSQL needs the wide type.
Id = BigInteger().with_variant(Integer, "sqlite")


def table_of(row: type[SQLModel]) -> Table:
    """Return the table of a kind of row, as statements take it."""
    return row.metadata.tables[str(row.__tablename__)]


class DeliveryRow(SQLModel, table=True):
    """One request of a source, byte for byte, and what became of it."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index(
            "delivery_unparsed",
            "id",
            sqlite_where=Column("outcome") == "unparsed",
            postgresql_where=Column("outcome") == "unparsed",
        ),
        # Only of those that brought nothing new: see app/store/plan.py.
        Index(
            "delivery_silent",
            "key",
            unique=True,
            sqlite_where=Column("accepted") == 0,
            postgresql_where=Column("accepted") == 0,
        ),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    source: str = Field(sa_column=Column(Text, nullable=False))
    received_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    peer: str = Field(sa_column=Column(Text, nullable=False))
    headers: str = Field(sa_column=Column(Text, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    outcome: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    field: str = Field(sa_column=Column(Text, nullable=False))
    accepted: int = Field(sa_column=Column(Integer, nullable=False))
    repeated: int = Field(sa_column=Column(Integer, nullable=False))
    rejected: int = Field(sa_column=Column(Integer, nullable=False))
    unparsed: int = Field(sa_column=Column(Integer, nullable=False))
    truncated: int = Field(sa_column=Column(Integer, nullable=False))
    # The ids of the alerts that it spoke of, new or known, as JSON.
    alerts: str = Field(sa_column=Column(Text, nullable=False))
    repeats: int = Field(sa_column=Column(Integer, nullable=False))
    last_seen_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class AlertRow(SQLModel, table=True):
    """One normalised message of a source."""

    __tablename__ = "alert"
    __table_args__ = (Index("alert_identity", "identity", unique=True),)

    id: int = Field(sa_column=Column(Id, primary_key=True))
    # A hash of fingerprint, source, occurrence and status: app/store/plan.py.
    identity: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    source: str = Field(sa_column=Column(Text, nullable=False))
    occurrence: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    # No foreign key: it would be checked on the hot path for every alert,
    # and both rows are written by the same statement batch.
    delivery_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    received_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    severity: str = Field(sa_column=Column(Text, nullable=False))
    summary: str = Field(sa_column=Column(Text, nullable=False))
    labels: str = Field(sa_column=Column(Text, nullable=False))
    annotations: str = Field(sa_column=Column(Text, nullable=False))
    starts_at: int | None = Field(sa_column=Column(BigInteger))
    ends_at: int | None = Field(sa_column=Column(BigInteger))
    url: str = Field(sa_column=Column(Text, nullable=False))
    repeats: int = Field(sa_column=Column(Integer, nullable=False))
    last_seen_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class ProbeRow(SQLModel, table=True):
    """One row that readiness writes and reads back."""

    __tablename__ = "probe"

    id: int = Field(sa_column=Column(Integer, primary_key=True))
    written_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class StrandRow(SQLModel, table=True):
    """All that one fingerprint of one source said."""

    __tablename__ = "strand"
    __table_args__ = (
        Index("strand_name", "fingerprint", "source", unique=True),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    source: str = Field(sa_column=Column(Text, nullable=False))
    # What its first alert said; the identity of a strand never changes.
    name: str = Field(sa_column=Column(Text, nullable=False))
    labels: str = Field(sa_column=Column(Text, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))
    target_kind: str = Field(sa_column=Column(Text, nullable=False))
    target_name: str = Field(sa_column=Column(Text, nullable=False))
    problem: str = Field(sa_column=Column(Text, nullable=False))
    # app/models/strand.py, as JSON.
    memory: str = Field(sa_column=Column(Text, nullable=False))


class EpisodeRow(SQLModel, table=True):
    """One firing of one fingerprint, from its beginning to its end."""

    __tablename__ = "episode"
    __table_args__ = (
        Index("episode_target", "target", "until"),
        Index("episode_incident", "incident_id", "until"),
        Index("episode_problem", "problem", "begins_at"),
        # Of those that go on: app/models/cluster.py's FOREVER.
        Index(
            "episode_silent",
            "source",
            "seen_at",
            sqlite_where=Column("until") == literal_column(str(2**63 - 1)),
            postgresql_where=Column("until") == literal_column(str(2**63 - 1)),
        ),
        Index(
            "episode_stale",
            "id",
            sqlite_where=Column("ended") == "stale",
            postgresql_where=Column("ended") == "stale",
        ),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    strand_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    incident_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    # The incident that a person put it into, and the one before that; or 0.
    pin: int = Field(sa_column=Column(BigInteger, nullable=False))
    home: int = Field(sa_column=Column(BigInteger, nullable=False))
    because: str = Field(sa_column=Column(Text, nullable=False))
    source: str = Field(sa_column=Column(Text, nullable=False))
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))
    problem: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    severity: str = Field(sa_column=Column(Text, nullable=False))
    summary: str = Field(sa_column=Column(Text, nullable=False))
    begins_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    # When it ended; app/models/cluster.py's FOREVER while it goes on.
    until: int = Field(sa_column=Column(BigInteger, nullable=False))
    ended: str = Field(sa_column=Column(Text, nullable=False))
    first_alert: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_alert: int = Field(sa_column=Column(BigInteger, nullable=False))
    alerts: int = Field(sa_column=Column(Integer, nullable=False))
    seen_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class IncidentRow(SQLModel, table=True):
    """Our record of one problem on one target."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("incident_state", "state", "id"),
        Index("incident_target", "target", "id"),
        Index("incident_name", "target_name", "id"),
        Index("incident_opened", "opened_at"),
        Index("incident_team", "team", "id"),
        Index(
            "incident_merged",
            "merged_into",
            sqlite_where=Column("merged_into") != 0,
            postgresql_where=Column("merged_into") != 0,
        ),
        Index(
            "incident_due",
            "due_at",
            sqlite_where=Column("due_at").is_not(None),
            postgresql_where=Column("due_at").is_not(None),
        ),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    due_at: int | None = Field(sa_column=Column(BigInteger))
    target: str = Field(sa_column=Column(Text, nullable=False))
    target_kind: str = Field(sa_column=Column(Text, nullable=False))
    target_name: str = Field(sa_column=Column(Text, nullable=False))
    problem: str = Field(sa_column=Column(Text, nullable=False))
    source: str = Field(sa_column=Column(Text, nullable=False))
    severity: str = Field(sa_column=Column(Text, nullable=False))
    title: str = Field(sa_column=Column(Text, nullable=False))
    # By our clock; begins_at and ends_at by the source's.
    opened_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    changed_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    begins_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    ends_at: int | None = Field(sa_column=Column(BigInteger))
    episodes: int = Field(sa_column=Column(Integer, nullable=False))
    firing: int = Field(sa_column=Column(Integer, nullable=False))
    held_until: int | None = Field(sa_column=Column(BigInteger))
    flapping_until: int | None = Field(sa_column=Column(BigInteger))
    merged_into: int = Field(sa_column=Column(BigInteger, nullable=False))
    # What people said; folding never touches these.
    owner: str = Field(sa_column=Column(Text, nullable=False))
    acknowledged_by: str = Field(sa_column=Column(Text, nullable=False))
    acknowledged_at: int | None = Field(sa_column=Column(BigInteger))
    # Whose it is, as its alerts say; empty: nobody's in particular.
    team: str = Field(sa_column=Column(Text, nullable=False))


class WordRow(SQLModel, table=True):
    """What a person said about an incident; never changed."""

    __tablename__ = "word"
    __table_args__ = (
        Index("word_incident", "incident_id", "id"),
        Index(
            "word_key",
            "incident_id",
            "key",
            unique=True,
            sqlite_where=Column("key") != "",
            postgresql_where=Column("key") != "",
        ),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    incident_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    author: str = Field(sa_column=Column(Text, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    # The alert that brought it, when it came through a monitoring system.
    alert_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    # What belongs to its kind, as JSON.
    details: str = Field(sa_column=Column(Text, nullable=False))
    # The version of the incident that came of it.
    version: int = Field(sa_column=Column(Integer, nullable=False))
    # What the caller knows it by, so that a second try is no second word.
    key: str = Field(sa_column=Column(Text, nullable=False))


class MuteRow(SQLModel, table=True):
    """A silence or a maintenance window; it is never removed."""

    __tablename__ = "mute"
    __table_args__ = (
        Index(
            "mute_due",
            "due_at",
            sqlite_where=Column("due_at").is_not(None),
            postgresql_where=Column("due_at").is_not(None),
        ),
        Index("mute_uid", "uid"),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    matchers: str = Field(sa_column=Column(Text, nullable=False))
    starts_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    ends_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    # How it comes again: an RRULE, its zone, its exceptions and additions,
    # or empty; the moments as JSON.
    rule: str = Field(sa_column=Column(Text, nullable=False))
    zone: str = Field(sa_column=Column(Text, nullable=False))
    except_at: str = Field(sa_column=Column(Text, nullable=False))
    also_at: str = Field(sa_column=Column(Text, nullable=False))
    author: str = Field(sa_column=Column(Text, nullable=False))
    comment: str = Field(sa_column=Column(Text, nullable=False))
    created_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    ended_at: int | None = Field(sa_column=Column(BigInteger))
    # The id of a calendar's event, so that a second import changes it, and
    # which of its times it replaces, or 0.
    uid: str = Field(sa_column=Column(Text, nullable=False))
    instance: int = Field(sa_column=Column(BigInteger, nullable=False))
    # The time that is on or comes next, whether it has begun, and when that
    # changes; none when it is over.
    active_from: int | None = Field(sa_column=Column(BigInteger))
    active_until: int | None = Field(sa_column=Column(BigInteger))
    is_on: int = Field(sa_column=Column(Integer, nullable=False))
    due_at: int | None = Field(sa_column=Column(BigInteger))


# As the databases hold it; the statements in app/store say the same words,
# since only then is the partial index used.
IS_TURN = (
    "kind IN ('incident.opened', 'incident.reopened', 'incident.released',"
    " 'incident.resolved', 'incident.escalated', 'mission.closed')"
)


class EntryRow(SQLModel, table=True):
    """One line of the action log; the database refuses to change it."""

    __tablename__ = "entry"
    __table_args__ = (
        Index("entry_incident", "incident_id", "id"),
        Index("entry_target", "target", "id"),
        Index("entry_status", "status", "id"),
        Index("entry_kind", "kind", "id"),
        Index("entry_at", "at"),
        Index(
            "entry_turn",
            "incident_id",
            "id",
            sqlite_where=text(IS_TURN),
            postgresql_where=text(IS_TURN),
        ),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    incident_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))
    problem: str = Field(sa_column=Column(Text, nullable=False))
    severity: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    actor: str = Field(sa_column=Column(Text, nullable=False))
    action: str = Field(sa_column=Column(Text, nullable=False))
    summary: str = Field(sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CutRow(SQLModel, table=True):
    """Where the action log was cut off by age: the chain begins here."""

    __tablename__ = "cut"

    # The last entry that was removed, and its hash.
    id: int = Field(sa_column=Column(Id, primary_key=True))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))


class MarkRow(SQLModel, table=True):
    """How far a reader of the inbox has come."""

    __tablename__ = "mark"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    position: int = Field(sa_column=Column(BigInteger, nullable=False))


class SpanRow(SQLModel, table=True):
    """When the rows of a stretch of ids came, earliest and latest."""

    __tablename__ = "span"

    list: str = Field(sa_column=Column(Text, primary_key=True))
    bucket: int = Field(sa_column=Column(BigInteger, primary_key=True))
    first_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class OutdatedRow(SQLModel, table=True):
    """A delivery whose words must be read again: a replay changed it."""

    __tablename__ = "outdated"

    id: int = Field(sa_column=Column(Id, primary_key=True))
