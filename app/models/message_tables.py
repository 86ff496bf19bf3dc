"""The tables of step 6: what people are told, and each way that it goes.

As in app/models/tables.py, from which these are parted by size only. The
columns are the fields of Message and Dispatch, in their order.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

from app.models.tables import Id

# As the databases hold it; the statements in app/store say the same words,
# since only then is a partial index used.
IS_DUE = "due_at IS NOT NULL"


class MessageRow(SQLModel, table=True):
    """What people are told; never changed."""

    __tablename__ = "message"
    __table_args__ = (
        # The database itself holds it: an entry is told once.
        Index("message_entry", "entry_id", "kind", unique=True),
        Index("message_incident", "incident_id", "id"),
        Index("message_kind", "kind", "id"),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    entry_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    incident_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    mission_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    severity: str = Field(sa_column=Column(Text, nullable=False))
    # What routes match on, and all that it can say, as JSON.
    labels: str = Field(sa_column=Column(Text, nullable=False))
    facts: str = Field(sa_column=Column(Text, nullable=False))


class DispatchRow(SQLModel, table=True):
    """One message on its way to one channel."""

    __tablename__ = "dispatch"
    __table_args__ = (
        # Channel by channel, so that none waits for what another is given.
        Index(
            "dispatch_due",
            "channel",
            "state",
            "due_at",
            "id",
            sqlite_where=text(IS_DUE),
            postgresql_where=text(IS_DUE),
        ),
        # What is under way of one incident, for the order of its messages.
        Index(
            "dispatch_order",
            "incident_id",
            "channel",
            "id",
            sqlite_where=text(IS_DUE),
            postgresql_where=text(IS_DUE),
        ),
        Index("dispatch_message", "message_id"),
        Index("dispatch_state", "state", "id"),
        Index("dispatch_incident", "incident_id", "id"),
        Index("dispatch_channel", "channel", "ended_at"),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    message_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    incident_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    channel: str = Field(sa_column=Column(Text, nullable=False))
    level: int = Field(sa_column=Column(Integer, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    tries: int = Field(sa_column=Column(Integer, nullable=False))
    due_at: int | None = Field(sa_column=Column(BigInteger))
    created_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    ended_at: int | None = Field(sa_column=Column(BigInteger))
    reference: str = Field(sa_column=Column(Text, nullable=False))
    holder: str = Field(sa_column=Column(Text, nullable=False))
    lease_until: int = Field(sa_column=Column(BigInteger, nullable=False))
    fence: int = Field(sa_column=Column(BigInteger, nullable=False))
