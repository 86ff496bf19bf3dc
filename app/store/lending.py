"""Lending: rows of a table that one worker takes for a while.

Whoever takes a row gets it under a token that only rises: who comes late,
after a freeze or a cut cable, matches no row any more.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, bindparam, update

from app.store.among import among


class Loan(msgspec.Struct, frozen=True):
    """By whom rows are taken, and for how long.

    Attributes:
        holder: who takes them.
        now: the time.
        until: until when they are taken.
    """

    holder: str
    now: int
    until: int


class Lending:
    """Lends rows; its statements are made once."""

    def __init__(self, table: Table, is_free: ColumnElement[bool]) -> None:
        """Take the table, and what says that nobody has a row.

        Args:
            table: with holder, lease_until and fence.
            is_free: may ask for the parameter ``now``.
        """
        rows = table.c
        some = among(rows.id, "ids")
        ours = rows.holder == bindparam("by")
        self._claim = (
            update(table)
            .where(some, is_free)
            .values(
                holder=bindparam("by"),
                lease_until=bindparam("until"),
                fence=rows.fence + 1,
            )
            .returning(table)
        )
        self._renew = (
            update(table)
            .where(some, ours)
            .values(lease_until=bindparam("until"))
            .returning(rows.id)
        )
        self._free = (
            update(table).where(some, ours).values(holder="", lease_until=0)
        )

    def claim(
        self,
        connection: Connection,
        holder: str,
        ids: Collection[int],
        moments: tuple[int, int],
    ) -> list[Any]:
        """Take some rows; return those that nobody else has.

        Args:
            connection: the turn's transaction.
            holder: who takes them.
            ids: which.
            moments: the time, and until when they are taken.
        """
        if not ids:
            return []
        now, until = moments
        bounds = {"ids": ids, "now": now, "by": holder, "until": until}
        return list(connection.execute(self._claim, bounds))

    def renew(
        self,
        connection: Connection,
        holder: str,
        ids: Collection[int],
        lease_until: int,
    ) -> set[int]:
        """Keep rows for longer; return those that are still the holder's."""
        if not ids:
            return set()
        bounds = {"ids": ids, "by": holder, "until": lease_until}
        return set(connection.execute(self._renew, bounds).scalars())

    def free(
        self, connection: Connection, holder: str, ids: Collection[int]
    ) -> None:
        """Give rows back as they are, so that anybody may take them."""
        if ids:
            connection.execute(self._free, {"ids": ids, "by": holder})
