"""Attempts to sign in, in vain, in the store: all nodes count here."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from app.models.account_tables import AttemptRow
from app.models.tables import table_of

ATTEMPT = table_of(AttemptRow)


class Attempt(msgspec.Struct, frozen=True):
    """How often somebody tried, and until when they wait.

    Attributes:
        key: a name or an address, as a digest.
        count: how often, at `until`; it fades after.
        until: when the next try may come.
    """

    key: str
    count: int
    until: int


def find_attempts(
    connection: Connection, keys: Sequence[str]
) -> dict[str, Attempt]:
    """Return what is known of some keys."""
    query = select(ATTEMPT).where(ATTEMPT.c.key.in_(list(keys)))
    return {
        # A row is a tuple, whose own count is another thing.
        row.key: Attempt(**row._asdict())
        for row in connection.execute(query)
    }


def save_attempt(connection: Connection, attempt: Attempt) -> None:
    """Write down how often somebody tried."""
    values = msgspec.structs.asdict(attempt)
    query = update(ATTEMPT).where(ATTEMPT.c.key == attempt.key)
    if not connection.execute(query.values(values)).rowcount:
        connection.execute(insert(ATTEMPT).values(values))


def drop_attempt(connection: Connection, key: str) -> None:
    """Forget that somebody tried."""
    connection.execute(delete(ATTEMPT).where(ATTEMPT.c.key == key))


def drop_faded(connection: Connection, before: int) -> None:
    """Forget who waits no longer since a moment."""
    connection.execute(delete(ATTEMPT).where(ATTEMPT.c.until < before))
