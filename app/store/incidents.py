"""Incidents in the store: what folding reads, and what it writes.

Every function runs in a turn of the ledger. Ids are given out here, under
the turn's lock, so that they rise with the order of commits.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

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

from app.models.cluster import FOREVER
from app.models.episode import Episode
from app.models.incident import LIVING, Incident
from app.models.strand import Strand
from app.models.tables import AlertRow, EpisodeRow, IncidentRow, StrandRow

ALERT: Table = AlertRow.__table__  # type: ignore[attr-defined]
STRAND: Table = StrandRow.__table__  # type: ignore[attr-defined]
EPISODE: Table = EpisodeRow.__table__  # type: ignore[attr-defined]
INCIDENT: Table = IncidentRow.__table__  # type: ignore[attr-defined]
# No statement names more values than this; older SQLites take 999.
CHUNK = 400
# A target with more recent episodes than this is grouped by its newest.
MOST_MEMBERS = 500
UNFOLDED = (
    ALERT.c.id,
    ALERT.c.fingerprint,
    ALERT.c.source,
    ALERT.c.status,
    ALERT.c.received_at,
    ALERT.c.name,
    ALERT.c.severity,
    ALERT.c.summary,
    ALERT.c.labels,
    ALERT.c.annotations,
    ALERT.c.starts_at,
    ALERT.c.ends_at,
)
T = TypeVar("T")
Name = tuple[str, str]


class StrandRecord(msgspec.Struct, kw_only=True):
    """A strand as it lies in the store.

    Attributes:
        id: its number.
        fingerprint: the source's identity of it.
        source: the source.
        name: what the monitoring system calls it.
        labels: what its first alert said, for matchers.
        target: the key of its target.
        target_kind: the kind of its target.
        target_name: the name of its target.
        problem: its problem class.
        memory: what it said.
    """

    id: int
    fingerprint: str
    source: str
    name: str
    labels: dict[str, str]
    target: str
    target_kind: str
    target_name: str
    problem: str
    memory: Strand


class Tally(msgspec.Struct, frozen=True):
    """What the episodes of one incident add up to."""

    episodes: int
    firing: int
    begins_at: int
    until: int


def next_id(connection: Connection, table: Table) -> int:
    """Return the next free id of a table."""
    highest = connection.execute(select(func.max(table.c.id))).scalar()
    return int(highest or 0) + 1


def find_unfolded(
    connection: Connection, after: int, limit: int
) -> Sequence[Any]:
    """Return alerts beyond an id, in the order of their acceptance."""
    query = (
        select(*UNFOLDED)
        .where(ALERT.c.id > after)
        .order_by(ALERT.c.id)
        .limit(limit)
    )
    return connection.execute(query).all()


def find_strands(
    connection: Connection, names: Collection[Name]
) -> dict[Name, StrandRecord]:
    """Return the known strands of these fingerprints and sources."""
    found = {}
    place = tuple_(STRAND.c.fingerprint, STRAND.c.source)
    for some in _chunks(sorted(names)):
        query = select(STRAND).where(place.in_(some))
        for row in connection.execute(query):
            found[row.fingerprint, row.source] = to_strand(row)
    return found


def find_strands_by_id(
    connection: Connection, ids: Collection[int]
) -> dict[int, StrandRecord]:
    """Return strands by their ids."""
    found = {}
    for some in _chunks(sorted(ids)):
        query = select(STRAND).where(STRAND.c.id.in_(some))
        for row in connection.execute(query):
            found[row.id] = to_strand(row)
    return found


def find_episodes(
    connection: Connection, targets: Collection[str], since: int
) -> list[Episode]:
    """Return the episodes on targets that went on at or after a moment."""
    found: list[Episode] = []
    for some in _chunks(sorted(targets)):
        query = (
            select(EPISODE)
            .where(EPISODE.c.target.in_(some), EPISODE.c.until >= since)
            .limit(MOST_MEMBERS * 2)
        )
        rows = connection.execute(query).all()
        if len(rows) < MOST_MEMBERS * 2:
            found.extend(to_episode(row) for row in rows)
        else:
            found.extend(_newest_of_each(connection, some, since))
    return found


def find_episodes_by_id(
    connection: Connection, ids: Collection[int]
) -> dict[int, Episode]:
    """Return episodes by their ids."""
    found = {}
    for some in _chunks(sorted(ids)):
        query = select(EPISODE).where(EPISODE.c.id.in_(some))
        for row in connection.execute(query):
            found[row.id] = to_episode(row)
    return found


def find_episodes_of(
    connection: Connection, incident_id: int
) -> list[Episode]:
    """Return the episodes of one incident, the newest first."""
    query = (
        select(EPISODE)
        .where(EPISODE.c.incident_id == incident_id)
        .order_by(EPISODE.c.until.desc(), EPISODE.c.id.desc())
        .limit(MOST_MEMBERS * 2)
    )
    return [to_episode(row) for row in connection.execute(query)]


def find_firing(
    connection: Connection, incidents: Collection[int]
) -> dict[int, list[Episode]]:
    """Return the episodes of incidents that go on."""
    found: dict[int, list[Episode]] = {one: [] for one in incidents}
    for some in _chunks(sorted(incidents)):
        query = select(EPISODE).where(
            EPISODE.c.incident_id.in_(some), EPISODE.c.until == FOREVER
        )
        for row in connection.execute(query):
            found[row.incident_id].append(to_episode(row))
    return found


def count_episodes(
    connection: Connection, incidents: Collection[int]
) -> dict[int, Tally]:
    """Return what the episodes of incidents add up to."""
    found = {}
    for some in _chunks(sorted(incidents)):
        query = (
            select(
                EPISODE.c.incident_id,
                func.count(),
                func.count().filter(EPISODE.c.until == FOREVER),
                func.min(EPISODE.c.begins_at),
                func.max(EPISODE.c.until),
            )
            .where(EPISODE.c.incident_id.in_(some))
            .group_by(EPISODE.c.incident_id)
        )
        for incident_id, *numbers in connection.execute(query):
            found[incident_id] = Tally(*numbers)
    return found


def find_incidents(
    connection: Connection, ids: Collection[int]
) -> dict[int, Incident]:
    """Return incidents by their ids."""
    found = {}
    for some in _chunks(sorted(ids)):
        query = select(INCIDENT).where(INCIDENT.c.id.in_(some))
        for row in connection.execute(query):
            found[row.id] = Incident(**row._asdict())
    return found


def find_due(connection: Connection, now: int, limit: int) -> list[int]:
    """Return incidents that must be looked at again, the longest due first."""
    query = (
        select(INCIDENT.c.id)
        .where(INCIDENT.c.due_at <= now)
        .order_by(INCIDENT.c.due_at)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def find_living(connection: Connection, after: int, limit: int) -> list[int]:
    """Return incidents beyond an id that are not over, by id."""
    query = (
        select(INCIDENT.c.id)
        .where(INCIDENT.c.state.in_(LIVING), INCIDENT.c.id > after)
        .order_by(INCIDENT.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def next_due(connection: Connection) -> int | None:
    """Return when the next incident must be looked at, or None."""
    earliest = select(func.min(INCIDENT.c.due_at)).where(
        INCIDENT.c.due_at.is_not(None)
    )
    found: int | None = connection.execute(earliest).scalar()
    return found


def save_strands(
    connection: Connection, new: Iterable[StrandRecord], old: Iterable[Any]
) -> None:
    """Write strands: the new ones whole, the memory of the old ones."""
    rows = [
        {
            **msgspec.structs.asdict(one),
            "labels": msgspec.json.encode(one.labels).decode(),
            "memory": msgspec.json.encode(one.memory).decode(),
        }
        for one in new
    ]
    if rows:
        connection.execute(insert(STRAND), rows)
    changes = [
        {"at": one.id, "memory": msgspec.json.encode(one.memory).decode()}
        for one in old
    ]
    if changes:
        where = STRAND.c.id == bindparam("at")
        connection.execute(update(STRAND).where(where), changes)


def save_episodes(
    connection: Connection, new: Sequence[Episode], old: Sequence[Episode]
) -> None:
    """Write episodes, new ones and known ones that changed."""
    _insert(connection, EPISODE, new)
    _update(connection, EPISODE, old)


def save_incidents(
    connection: Connection, new: Sequence[Incident], old: Sequence[Incident]
) -> None:
    """Write incidents, new ones and known ones that changed."""
    _insert(connection, INCIDENT, new)
    _update(connection, INCIDENT, old)


def move_rest(connection: Connection, gone: int, into: int) -> bool:
    """Move the unpinned episodes of an incident that is merged.

    Returns:
        whether nothing is left behind.
    """
    rest = EPISODE.c.incident_id == gone
    move = update(EPISODE).where(rest, EPISODE.c.pin == 0)
    connection.execute(move.values(incident_id=into))
    left = select(EPISODE.c.id).where(rest).limit(1)
    return connection.execute(left).first() is None


def find_siblings(
    connection: Connection, incident: Incident, within: int, limit: int
) -> list[int]:
    """Return the incidents with the same problem at the same time elsewhere.

    Args:
        connection: where to ask.
        incident: whose siblings are asked for.
        within: how far apart the beginnings may be.
        limit: how many at most.
    """
    query = (
        select(EPISODE.c.incident_id)
        .where(
            EPISODE.c.problem == incident.problem,
            EPISODE.c.begins_at.between(
                incident.begins_at - within, incident.begins_at + within
            ),
            EPISODE.c.incident_id != incident.id,
            or_(EPISODE.c.target != incident.target, EPISODE.c.pin != 0),
        )
        .distinct()
        .order_by(EPISODE.c.incident_id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def to_strand(row: Any) -> StrandRecord:
    """Return a row as a strand."""
    values = row._asdict()
    values["labels"] = msgspec.json.decode(row.labels)
    values["memory"] = msgspec.json.decode(row.memory, type=Strand)
    return StrandRecord(**values)


def to_episode(row: Any) -> Episode:
    """Return a row as an episode."""
    return Episode(**row._asdict())


def _newest_of_each(
    connection: Connection, targets: Sequence[str], since: int
) -> list[Episode]:
    """Return the newest episodes of each target, so many at most."""
    found = []
    for target in targets:
        query = (
            select(EPISODE)
            .where(EPISODE.c.target == target, EPISODE.c.until >= since)
            .order_by(EPISODE.c.until.desc())
            .limit(MOST_MEMBERS)
        )
        found += [to_episode(row) for row in connection.execute(query)]
    return found


def _insert(connection: Connection, table: Table, new: Sequence[Any]) -> None:
    """Add rows."""
    if new:
        rows = [msgspec.structs.asdict(one) for one in new]
        connection.execute(insert(table), rows)


def _update(connection: Connection, table: Table, old: Sequence[Any]) -> None:
    """Change whole rows, found by their ids."""
    if old:
        rows = [{**msgspec.structs.asdict(one), "at": one.id} for one in old]
        for row in rows:
            del row["id"]
        where = table.c.id == bindparam("at")
        connection.execute(update(table).where(where), rows)


def _chunks(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """Yield values in pieces that one statement takes."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
