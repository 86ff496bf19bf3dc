"""Every table, once: the ORM reads it, the hot path takes its columns.

Moments are microseconds since 1970, UTC. Ids rise with the order of
acceptance by our own clock, never by a sender's.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Text
from sqlmodel import Field, SQLModel

# SQLite counts rows by INTEGER only; PostgreSQL needs the wide type.
Id = BigInteger().with_variant(Integer, "sqlite")


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
