"""Sessions in the store, and what the gate finds by a cookie.

Whoever writes is in a turn of the ledger; whoever reads may be anywhere.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from app.models.account import Caller, Role, Session
from app.models.account_tables import SessionRow
from app.models.tables import table_of
from app.store.accounts import ACCOUNT, to_texts

SESSION = table_of(SessionRow)
MOST_OF_ONE = 100
# Made once: every request of a browser asks it.
PASS = (
    select(
        SESSION.c.id,
        SESSION.c.seen_at,
        SESSION.c.expires_at,
        ACCOUNT.c.id.label("account_id"),
        ACCOUNT.c.name,
        ACCOUNT.c.role,
        ACCOUNT.c.teams,
        ACCOUNT.c.is_disabled,
    )
    .select_from(SESSION)
    .join(ACCOUNT, ACCOUNT.c.id == SESSION.c.account_id)
)


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """Who comes in by a cookie, and how long.

    Attributes:
        number: the session's.
        caller: who it is.
        seen_at: when it was used last, as far as it is written down.
        expires_at: when it is over, whatever happens.
    """

    number: int
    caller: Caller
    seen_at: int
    expires_at: int

    def lasts(self, now: int, idle: int) -> bool:
        """Tell whether it is not over yet, by time or by want of use."""
        return now < min(self.expires_at, self.seen_at + idle)


def find_pass(connection: Connection, digest: str) -> Pass | None:
    """Return who is signed in by a cookie, None when nobody is."""
    query = PASS.where(SESSION.c.digest == digest)
    row = connection.execute(query).one_or_none()
    if row is None or row.is_disabled:
        return None
    caller = Caller(
        name=row.name,
        role=Role(row.role),
        teams=to_texts(row.teams),
        way="session",
        account_id=row.account_id,
        session_id=row.id,
    )
    return Pass(
        number=row.id,
        caller=caller,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )


def touch_session(connection: Connection, number: int, now: int) -> None:
    """Write down that a session was used."""
    query = update(SESSION).where(
        SESSION.c.id == number, SESSION.c.seen_at < now
    )
    connection.execute(query.values(seen_at=now))


def add_session(connection: Connection, session: Session) -> None:
    """Write a new session down, and forget those that are over."""
    over = SESSION.c.expires_at <= session.created_at
    connection.execute(delete(SESSION).where(over))
    _make_room(connection, session.account_id)
    values = msgspec.structs.asdict(session)
    del values["id"]
    connection.execute(insert(SESSION).values(values))


def find_session(connection: Connection, number: int) -> Session | None:
    """Return a session, None when it was ended."""
    query = select(SESSION).where(SESSION.c.id == number)
    row = connection.execute(query).one_or_none()
    return None if row is None else to_session(row)


def list_sessions(
    connection: Connection, account_id: int, now: int
) -> list[Session]:
    """Return the sessions of an account, the newest first."""
    query = (
        select(SESSION)
        .where(SESSION.c.account_id == account_id, SESSION.c.expires_at > now)
        .order_by(SESSION.c.id.desc())
    )
    return [to_session(row) for row in connection.execute(query)]


def count_sessions(connection: Connection, now: int) -> dict[int, int]:
    """Return how many sessions each account has."""
    query = (
        select(SESSION.c.account_id, func.count())
        .where(SESSION.c.expires_at > now)
        .group_by(SESSION.c.account_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def end_session(connection: Connection, digest: str) -> bool:
    """End one session; tell whether there was one."""
    query = delete(SESSION).where(SESSION.c.digest == digest)
    return bool(connection.execute(query).rowcount)


def end_sessions(
    connection: Connection, account_id: int, number: int | None = None
) -> int:
    """End all sessions of an account, or one; return how many there were."""
    query = delete(SESSION).where(SESSION.c.account_id == account_id)
    if number is not None:
        query = query.where(SESSION.c.id == number)
    return connection.execute(query).rowcount


def to_session(row: Any) -> Session:
    """Return a row as a session."""
    return Session(**row._asdict())


def _make_room(connection: Connection, account_id: int) -> None:
    """End the oldest sessions of an account that has too many."""
    newest = (
        select(SESSION.c.id)
        .where(SESSION.c.account_id == account_id)
        .order_by(SESSION.c.id.desc())
        .offset(MOST_OF_ONE - 1)
        .limit(1)
    )
    last = connection.execute(newest).scalar()
    if last is not None:
        mine = SESSION.c.account_id == account_id
        connection.execute(delete(SESSION).where(mine, SESSION.c.id <= last))
