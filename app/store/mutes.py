"""Mutes in the store; they are ended, never removed."""

from collections.abc import Collection, Sequence
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Table,
    bindparam,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from app.models.matcher import named, read_matchers, write_matchers
from app.models.mute import Mute, MuteKind, Wish
from app.models.tables import MuteRow
from app.models.timetable import Slot, Timetable
from app.store.incidents import next_id

MUTE: Table = MuteRow.__table__  # type: ignore[attr-defined]
# Made once: to make a statement costs several times what it takes to run.
ON = (
    select(MUTE)
    .where(MUTE.c.due_at.is_not(None), MUTE.c.is_on == 1)
    .order_by(MUTE.c.id)
)
DUE = (
    select(MUTE)
    .where(MUTE.c.due_at <= bindparam("now"))
    .order_by(MUTE.c.due_at)
    .limit(bindparam("most"))
)
EARLIEST = select(func.min(MUTE.c.due_at)).where(MUTE.c.due_at.is_not(None))
Moments = tuple[int, ...]


class Whose(msgspec.Struct, frozen=True):
    """Whose mutes: those that name one of some teams; no teams: all."""

    label: str
    teams: tuple[str, ...]

    def has(self, mute: Mute) -> bool:
        """Tell whether a mute is about nobody else."""
        return named(mute.wish.matchers, self.label, self.teams)


EVERYBODYS = Whose("", ())


def first_free(connection: Connection) -> int:
    """Return the id that the next new mute takes."""
    return next_id(connection, MUTE)


def add_all(connection: Connection, mutes: Sequence[Mute]) -> None:
    """Write new mutes."""
    if mutes:
        connection.execute(insert(MUTE), list(map(_to_row, mutes)))


def save_all(connection: Connection, mutes: Sequence[Mute]) -> None:
    """Write mutes that changed."""
    rows = [{**_to_row(mute), "number": mute.id} for mute in mutes]
    for row in rows:
        del row["id"]
    if rows:
        where = MUTE.c.id == bindparam("number")
        connection.execute(update(MUTE).where(where), rows)


def save(connection: Connection, mute: Mute) -> None:
    """Write a mute that changed."""
    save_all(connection, [mute])


def find(connection: Connection, number: int) -> Mute | None:
    """Return a mute, or None."""
    query = select(MUTE).where(MUTE.c.id == number)
    row = connection.execute(query).one_or_none()
    return _to_mute(row) if row is not None else None


def find_on(connection: Connection) -> list[Mute]:
    """Return the mutes that are on."""
    return _all(connection, ON)


def find_due(connection: Connection, now: int, limit: int) -> list[Mute]:
    """Return the mutes that begin or end, the longest due first."""
    found = connection.execute(DUE, {"now": now, "most": limit})
    return [_to_mute(row) for row in found]


def next_due(connection: Connection) -> int | None:
    """Return when the next mute begins or ends, or None."""
    found: int | None = connection.execute(EARLIEST).scalar()
    return found


def find_events(
    connection: Connection, events: Collection[tuple[str, int]]
) -> list[Mute]:
    """Return the mutes of a calendar's events.

    Args:
        connection: where to ask.
        events: their ids and instances; of these ids, what else is not
            over is found as well.
    """
    uids = {uid for uid, _ in events}
    is_one = tuple_(MUTE.c.uid, MUTE.c.instance).in_(list(events))
    query = select(MUTE).where(
        MUTE.c.uid.in_(uids), or_(is_one, MUTE.c.due_at.is_not(None))
    )
    return _all(connection, query.order_by(MUTE.c.id))


def count_living(connection: Connection) -> int:
    """Return how many mutes are on or to come."""
    query = select(func.count()).where(MUTE.c.due_at.is_not(None))
    return int(connection.execute(query).scalar() or 0)


def find_page(
    connection: Connection,
    *,
    is_over: bool | None,
    before: int | None,
    limit: int,
    whose: Whose = EVERYBODYS,
) -> list[Mute]:
    """Return a page of mutes, newest first.

    Args:
        connection: where to ask.
        is_over: only those that are over, or that are not.
        before: only ids below this one.
        limit: how many at most.
        whose: only those that are about some teams and nobody else.
    """
    query = select(MUTE).order_by(MUTE.c.id.desc())
    if is_over is not None:
        due = MUTE.c.due_at
        query = query.where(due.is_(None) if is_over else due.is_not(None))
    if before is not None:
        query = query.where(MUTE.c.id < before)
    if not whose.teams:
        return _all(connection, query.limit(limit))
    # Whom they are about is in a text: they are looked at one by one.
    rows = connection.execute(query.execution_options(yield_per=limit))
    with rows:
        mine = (one for one in map(_to_mute, rows) if whose.has(one))
        return list(islice(mine, limit))


def _all(connection: Connection, query: Any) -> list[Mute]:
    """Return the mutes that a query finds."""
    return [_to_mute(row) for row in connection.execute(query)]


def _to_row(mute: Mute) -> dict[str, Any]:
    """Return a mute as its columns."""
    wish, times, slot = mute.wish, mute.wish.times, mute.slot
    return {
        "id": mute.id,
        "kind": wish.kind.value,
        "matchers": write_matchers(wish.matchers),
        "starts_at": times.starts_at,
        "ends_at": times.ends_at,
        "rule": times.rule,
        "zone": times.zone,
        "except_at": _write_moments(times.except_at),
        "also_at": _write_moments(times.also_at),
        "author": wish.author,
        "comment": wish.comment,
        "created_at": mute.created_at,
        "ended_at": mute.ended_at,
        "uid": wish.uid,
        "instance": wish.instance,
        "active_from": slot.begins_at if slot else None,
        "active_until": slot.until if slot else None,
        "is_on": int(mute.is_on),
        "due_at": mute.due_at,
    }


def _to_mute(row: Any) -> Mute:
    """Return a row as a mute."""
    times = Timetable(
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        rule=row.rule,
        zone=row.zone,
        except_at=_read_moments(row.except_at),
        also_at=_read_moments(row.also_at),
    )
    wish = Wish(
        kind=MuteKind(row.kind),
        matchers=read_matchers(row.matchers),
        times=times,
        author=row.author,
        comment=row.comment,
        uid=row.uid,
        instance=row.instance,
    )
    slot = None
    if row.active_from is not None:
        slot = Slot(row.active_from, row.active_until)
    return Mute(
        id=row.id,
        wish=wish,
        created_at=row.created_at,
        ended_at=row.ended_at,
        slot=slot,
        is_on=bool(row.is_on),
    )


def _write_moments(moments: Sequence[int]) -> str:
    """Return moments as JSON, empty when there are none."""
    return msgspec.json.encode(moments).decode() if moments else ""


def _read_moments(text: str) -> Moments:
    """Return the moments of a JSON text."""
    return msgspec.json.decode(text, type=Moments) if text else ()
