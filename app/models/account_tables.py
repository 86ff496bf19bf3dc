"""The tables of those who may come in.

As in app/models/tables.py, from which these are parted by size only. The
columns are the fields of app/models/account.py, in their order; lists are
JSON.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Text
from sqlmodel import Field, SQLModel

from app.models.tables import Id


class AccountRow(SQLModel, table=True):
    """One who may come in."""

    __tablename__ = "account"
    __table_args__ = (
        Index("account_name", "name", unique=True),
        Index(
            "account_subject",
            "subject",
            unique=True,
            sqlite_where=Column("subject") != "",
            postgresql_where=Column("subject") != "",
        ),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    nature: str = Field(sa_column=Column(Text, nullable=False))
    role: str = Field(sa_column=Column(Text, nullable=False))
    teams: str = Field(sa_column=Column(Text, nullable=False))
    secret: str = Field(sa_column=Column(Text, nullable=False))
    subject: str = Field(sa_column=Column(Text, nullable=False))
    is_disabled: bool = Field(sa_column=Column(Boolean, nullable=False))
    created_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    created_by: str = Field(sa_column=Column(Text, nullable=False))


class SessionRow(SQLModel, table=True):
    """One browser that is signed in."""

    __tablename__ = "session"
    __table_args__ = (
        Index("session_digest", "digest", unique=True),
        Index("session_account", "account_id"),
        Index("session_end", "expires_at"),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    digest: str = Field(sa_column=Column(Text, nullable=False))
    account_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    way: str = Field(sa_column=Column(Text, nullable=False))
    agent: str = Field(sa_column=Column(Text, nullable=False))
    created_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    seen_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    expires_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class TokenRow(SQLModel, table=True):
    """What a program shows."""

    __tablename__ = "token"
    __table_args__ = (
        Index("token_digest", "digest", unique=True),
        Index("token_account", "account_id"),
    )

    id: int = Field(sa_column=Column(Id, primary_key=True))
    digest: str = Field(sa_column=Column(Text, nullable=False))
    account_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    label: str = Field(sa_column=Column(Text, nullable=False))
    role: str = Field(sa_column=Column(Text, nullable=False))
    teams: str = Field(sa_column=Column(Text, nullable=False))
    sources: str = Field(sa_column=Column(Text, nullable=False))
    created_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    created_by: str = Field(sa_column=Column(Text, nullable=False))
    expires_at: int | None = Field(sa_column=Column(BigInteger))
    used_at: int | None = Field(sa_column=Column(BigInteger))
    revoked_at: int | None = Field(sa_column=Column(BigInteger))


class InvitationRow(SQLModel, table=True):
    """A link that lets one person set a password, once."""

    __tablename__ = "invitation"
    __table_args__ = (Index("invitation_digest", "digest", unique=True),)

    id: int = Field(sa_column=Column(Id, primary_key=True))
    digest: str = Field(sa_column=Column(Text, nullable=False))
    account_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    created_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    expires_at: int | None = Field(sa_column=Column(BigInteger))
    used_at: int | None = Field(sa_column=Column(BigInteger))


class AttemptRow(SQLModel, table=True):
    """How often somebody tried to sign in, in vain; all nodes count here."""

    __tablename__ = "attempt"

    # An account's name or an address, as a digest.
    key: str = Field(sa_column=Column(Text, primary_key=True))
    count: int = Field(sa_column=Column(Integer, nullable=False))
    # Until when the next try is refused; after it the count fades.
    until: int = Field(sa_column=Column(BigInteger, nullable=False))
