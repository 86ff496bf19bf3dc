"""Clean-up by age and size, a small batch at a time.

What lives is never touched: incidents that are not over with all that
belongs to them, deliveries in quarantine, and what folding has not read. The
newest row of each table stays, too, since it says which number is next. The
action log is cut from its beginning only, and the cut is on the record: a
walk along the chain begins there.

A clock may have been wrong for a while. Rows that are dated later than the
newest one are from such a time: they stay, and keep nothing else. What is
dated long ago, but came after a young row, is as young as that.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    text,
)

from app.models.entry import Note
from app.models.incident import LIVING
from app.models.message_tables import IS_DUE
from app.models.mission_tables import GOES_ON, IS_LIVE
from app.models.tables import CutRow, DeliveryRow, WordRow
from app.store.approvals import APPROVAL, VOTE
from app.store.decisions import DECISION
from app.store.dispatches import DISPATCH
from app.store.incidents import ALERT, EPISODE, INCIDENT, STRAND
from app.store.jobs import JOB
from app.store.log import ENTRY, append
from app.store.marks import get_mark
from app.store.messages import MESSAGE
from app.store.missions import MISSION
from app.store.outputs import OUTPUT
from app.store.people import IS_MERGED
from app.store.rulings import RULING
from app.store.teams import unled

DELIVERY: Table = DeliveryRow.__table__  # type: ignore[attr-defined]
WORD: Table = WordRow.__table__  # type: ignore[attr-defined]
CUT: Table = CutRow.__table__  # type: ignore[attr-defined]
# What belongs to an incident and has numbers of its own.
THEIRS = (
    EPISODE,
    DECISION,
    MISSION,
    JOB,
    APPROVAL,
    RULING,
    MESSAGE,
    DISPATCH,
    WORD,
)
# What belongs to one of those, by the column that says to which.
WITH = ((OUTPUT.c.job_id, JOB), (VOTE.c.approval_id, APPROVAL))
FOLDED = "folded"
BATCH = 200


class Swept(msgspec.Struct, frozen=True):
    """What one batch of a sweep did.

    Attributes:
        deleted: how many rows are gone.
        upto: where the next batch begins, None when the sweep is over.
    """

    deleted: int
    upto: int | None


Sweep = Callable[[Connection, int, int], Swept]


def sweep_deliveries(connection: Connection, before: int, after: int) -> Swept:
    """Delete deliveries that came before a moment."""
    ids, upto = _window(
        connection, DELIVERY, DELIVERY.c.received_at, (before, after)
    )
    kept = DELIVERY.c.outcome == "unparsed"
    return Swept(_delete(connection, DELIVERY, ids, kept), upto)


def sweep_alerts(connection: Connection, before: int, after: int) -> Swept:
    """Delete alerts that came before a moment, none of a living incident."""
    ids, upto = _window(
        connection, ALERT, ALERT.c.received_at, (before, after)
    )
    lives = (
        exists()
        .where(
            STRAND.c.fingerprint == ALERT.c.fingerprint,
            STRAND.c.source == ALERT.c.source,
            # By its target, since that is what is indexed.
            EPISODE.c.target == STRAND.c.target,
            EPISODE.c.strand_id == STRAND.c.id,
            INCIDENT.c.id == EPISODE.c.incident_id,
            INCIDENT.c.state.in_(LIVING),
        )
        .correlate(ALERT)
    )
    unread = ALERT.c.id > get_mark(connection, FOLDED)
    return Swept(_delete(connection, ALERT, ids, or_(unread, lives)), upto)


def sweep_incidents(connection: Connection, before: int, after: int) -> Swept:
    """Delete incidents that are over, with all that is theirs.

    But the one that has the newest episode, which stays for its number: it
    must not lie there without its incident, and be spoken of again. One that
    was merged goes with the one that it lives on in, and neither alone.
    """
    ids, upto = _window(
        connection, INCIDENT, INCIDENT.c.opened_at, (before, after)
    )
    heir = INCIDENT.alias("heir")
    has_heir = (
        exists().where(heir.c.id == INCIDENT.c.merged_into).correlate(INCIDENT)
    )
    is_over = _over(before)
    query = select(INCIDENT.c.id).where(INCIDENT.c.id.in_(ids), *is_over)
    over = connection.execute(query.where(~has_heir)).scalars()
    gone = _with_merged(connection, list(over), is_over)
    # One may have thousands merged into it: no statement names them all.
    for start in range(0, len(gone), BATCH):
        delete_incidents(connection, gone[start : start + BATCH])
    return Swept(len(gone), upto)


def _over(before: int) -> tuple[ColumnElement[bool], ...]:
    """Return what holds for an incident of which nothing goes on."""
    newest = select(EPISODE.c.incident_id).where(
        EPISODE.c.id == _newest(EPISODE)
    )
    return (
        INCIDENT.c.id != func.coalesce(newest.scalar_subquery(), 0),
        INCIDENT.c.state.not_in(LIVING),
        INCIDENT.c.changed_at < before,
        ~_has(MISSION, GOES_ON),
        ~_has(JOB, IS_LIVE),
        ~_has(DISPATCH, IS_DUE),
    )


def _with_merged(
    connection: Connection,
    over: list[int],
    is_over: tuple[ColumnElement[bool], ...],
) -> list[int]:
    """Return incidents with all that live on in them, however deep.

    Without those in which one lives on that must stay.
    """
    root = {number: number for number in over}
    stays: set[int] = set()
    layer = list(over)
    while layer:
        some, layer = layer[:BATCH], layer[BATCH:]
        query = select(
            INCIDENT.c.id, INCIDENT.c.merged_into, and_(*is_over).label("over")
        ).where(INCIDENT.c.merged_into.in_(some), IS_MERGED)
        for row in connection.execute(query).all():
            if row.id not in root:
                root[row.id] = root[row.merged_into]
                layer.append(row.id)
            if not row.over:
                stays.add(root[row.merged_into])
    return [number for number, into in root.items() if into not in stays]


def delete_incidents(connection: Connection, ids: list[int]) -> None:
    """Delete incidents with all that is theirs, and idle strands."""
    theirs = EPISODE.c.incident_id.in_(ids)
    query = select(EPISODE.c.strand_id, EPISODE.c.target).where(theirs)
    strands = sorted({row.strand_id for row in connection.execute(query)})
    for column, owner in WITH:
        owned = select(owner.c.id).where(owner.c.incident_id.in_(ids))
        connection.execute(delete(column.table).where(column.in_(owned)))
    for table in THEIRS:
        gone = table.c.incident_id.in_(ids)
        newest = table.c.id == _newest(table)
        connection.execute(delete(table).where(gone, ~newest))
    connection.execute(delete(INCIDENT).where(INCIDENT.c.id.in_(ids)))
    has_episodes = (
        exists()
        .where(
            EPISODE.c.target == STRAND.c.target,
            EPISODE.c.strand_id == STRAND.c.id,
        )
        .correlate(STRAND)
    )
    for start in range(0, len(strands), BATCH):
        _delete(
            connection, STRAND, strands[start : start + BATCH], has_episodes
        )


def _has(table: Table, condition: str) -> ColumnElement[bool]:
    """Return whether an incident has a row for which something holds."""
    found = select(table.c.id).where(
        table.c.incident_id == INCIDENT.c.id, text(condition)
    )
    return found.correlate(INCIDENT).exists()


def cut_log(
    connection: Connection, before: int, now: int, most: int | None = None
) -> int:
    """Let the log begin later; return how many entries that takes off.

    It is cut before the first entry of any incident that lives. The cut
    itself is an entry, so that nobody can cut in silence.

    Args:
        connection: the turn's transaction.
        before: what is younger stays.
        now: when it is cut.
        most: how many entries it takes off, None for all that are old.
    """
    begins = connection.execute(select(func.max(CUT.c.id))).scalar() or 0
    living = select(INCIDENT.c.id).where(INCIDENT.c.state.in_(LIVING))
    needed = connection.execute(
        select(func.min(ENTRY.c.id)).where(ENTRY.c.incident_id.in_(living))
    ).scalar()
    bounds = [ENTRY.c.id > begins]
    if needed is not None:
        bounds.append(ENTRY.c.id < needed)
    if most is not None:
        bounds.append(ENTRY.c.id <= begins + most)
    young = _find_young(connection, bounds, (before, now))
    if young is not None:
        bounds.append(ENTRY.c.id < young)
    query = select(ENTRY.c.id, ENTRY.c.hash).where(unled(ENTRY.c.at) < before)
    query = query.where(*bounds).order_by(ENTRY.c.id.desc()).limit(1)
    last = connection.execute(query).first()
    if last is None:
        return 0
    count = last.id - begins
    reason = "age" if most is None else "size"
    note = Note(
        kind="log.cut",
        actor="rule:retention",
        summary=f"{count} entries up to {last.id} were removed by {reason}",
        body={"through": last.id, "hash": bytes(last.hash).hex()},
    )
    append(connection, now, [note])
    row = {"id": last.id, "hash": bytes(last.hash), "at": now}
    connection.execute(insert(CUT).values(row))
    return int(count)


def _find_young(
    connection: Connection,
    bounds: list[ColumnElement[bool]],
    times: tuple[int, int],
) -> int | None:
    """Return the first entry within bounds that is too young, or None.

    Args:
        connection: the turn's transaction.
        bounds: what may be cut at all.
        times: what is older is old; and the present, in case that the newest
            was dated by a clock that was behind.
    """
    before, now = times
    newest = select(ENTRY.c.at).where(ENTRY.c.id == _newest(ENTRY))
    last = max(now, connection.execute(newest).scalar() or now)
    # Along the ids: what is passed on the way is about to be cut.
    at = unled(ENTRY.c.at)
    query = (
        select(ENTRY.c.id)
        .where(*bounds, at >= before, at <= last)
        .order_by(ENTRY.c.id)
        .limit(1)
    )
    found: int | None = connection.execute(query).scalar()
    return found


def sweep_log(connection: Connection, _before: int, after: int) -> Swept:
    """Delete entries before the cut; the database refuses any other."""
    begins = connection.execute(select(func.max(CUT.c.id))).scalar() or 0
    bound = (begins + 1, after)
    ids, upto = _window(connection, ENTRY, ENTRY.c.id, bound)
    return Swept(_delete(connection, ENTRY, ids, false()), upto)


def _window(
    connection: Connection,
    table: Table,
    age: ColumnElement[int],
    bounds: tuple[int, int],
) -> tuple[list[int], int | None]:
    """Return the next ids that are old enough, and where to go on.

    Ids rise with the time of their coming: the first that is too young ends
    the walk; one that is dated after the newest is passed over. The newest
    row of all is never among them.

    Args:
        connection: the turn's transaction.
        table: which rows.
        age: the column that says how old one is.
        bounds: older than this; beyond this id.
    """
    before, after = bounds
    columns = select(table.c.id, age.label("age"))
    last = columns.where(table.c.id == _newest(table))
    newest = connection.execute(last).first()
    if newest is None:
        return [], None
    query = columns.where(table.c.id > after, table.c.id < newest.id)
    query = query.order_by(table.c.id).limit(BATCH)
    rows = connection.execute(query).all()
    ids: list[int] = []
    for row in rows:
        if before <= row.age <= newest.age:
            return ids, None
        if row.age < before:
            ids.append(row.id)
    return ids, rows[-1].id if len(rows) == BATCH else None


def _delete(
    connection: Connection,
    table: Table,
    ids: list[int],
    kept: ColumnElement[bool],
) -> int:
    """Delete rows but those that must be kept and the newest."""
    if not ids:
        return 0
    newest = table.c.id == _newest(table)
    gone = delete(table).where(table.c.id.in_(ids), ~kept, ~newest)
    return connection.execute(gone).rowcount


def _newest(table: Table) -> Any:
    """Return a question for the newest id of a table."""
    return select(func.max(table.c.id)).scalar_subquery()
