"""Incidents in the store: what folding reads, and what it writes.

Every function runs in a turn of the ledger. Ids are given out here, under
the turn's lock, so that they rise with the order of commits.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    Connection,
    Select,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)

from app.models.cluster import FOREVER
from app.models.episode import Episode
from app.models.incident import LIVING, Incident
from app.models.strand import Strand
from app.models.tables import AlertRow, EpisodeRow, IncidentRow, StrandRow
from app.store.among import among
from app.store.indexing import index_incidents
from app.store.rows import write_all
from app.store.teams import Teams

ALERT: Table = AlertRow.__table__  # type: ignore[attr-defined]
STRAND: Table = StrandRow.__table__  # type: ignore[attr-defined]
EPISODE: Table = EpisodeRow.__table__  # type: ignore[attr-defined]
INCIDENT: Table = IncidentRow.__table__  # type: ignore[attr-defined]
EPISODE_COLUMNS = EPISODE.c.keys()
INCIDENT_COLUMNS = INCIDENT.c.keys()
# No statement names more values than this; older SQLites take 999.
CHUNK = 400
# A target with more recent episodes than this is grouped by its newest.
MOST_MEMBERS = 300
# Of so many no incident is split by what is told late.
MOST_OF_ONE = 1_000
MOST_AT_ONCE = 1_500
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
# Made once: to make a statement costs several times what it takes to run.
WAITING = (
    select(*UNFOLDED)
    .where(ALERT.c.id > bindparam("after"))
    .order_by(ALERT.c.id)
    .limit(bindparam("most"))
)
# Not by pairs: SQLite would read the whole table for a list of them.
STRANDS_BY_NAME = select(STRAND).where(
    among(STRAND.c.fingerprint, "fingerprints")
)
STRANDS = select(STRAND).where(among(STRAND.c.id, "ids"))
EPISODES = select(EPISODE).where(among(EPISODE.c.id, "ids"))
ON_TARGETS = (
    select(EPISODE)
    .where(
        among(EPISODE.c.target, "targets"),
        EPISODE.c.until >= bindparam("since"),
    )
    .limit(MOST_AT_ONCE)
)
OF_ONE = (
    select(EPISODE)
    .where(EPISODE.c.incident_id == bindparam("number"))
    .order_by(EPISODE.c.until.desc(), EPISODE.c.id.desc())
    .limit(MOST_OF_ONE)
)
FIRING = select(EPISODE).where(
    among(EPISODE.c.incident_id, "ids"), EPISODE.c.until == FOREVER
)
COUNTS = (
    select(
        EPISODE.c.incident_id,
        func.count(),
        func.min(EPISODE.c.begins_at),
        func.count().filter(EPISODE.c.ended == "stale"),
    )
    .where(among(EPISODE.c.incident_id, "ids"))
    .group_by(EPISODE.c.incident_id)
)
INCIDENTS = select(INCIDENT).where(among(INCIDENT.c.id, "ids"))
HIGHEST = select(
    select(func.max(STRAND.c.id)).scalar_subquery(),
    select(func.max(EPISODE.c.id)).scalar_subquery(),
)
ADD = {table: insert(table) for table in (STRAND, EPISODE, INCIDENT)}
CHANGE = {
    table: update(table).where(table.c.id == bindparam("at"))
    for table in (EPISODE, INCIDENT, STRAND)
}


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
    """What the episodes of one incident add up to.

    Attributes:
        episodes: how many there are.
        begins_at: when the first began.
        stale: of how many nobody said that they are over.
        last: those that ended last, when none goes on.
    """

    episodes: int
    begins_at: int
    stale: int = 0
    last: Sequence[Episode] = ()


def count_waiting(connection: Connection, after: int) -> int:
    """Return how far the newest alert lies beyond an id."""
    return max(0, next_id(connection, ALERT) - 1 - after)


def next_id(connection: Connection, table: Table) -> int:
    """Return the next free id of a table."""
    return int(connection.execute(_highest(table)).scalar() or 0) + 1


def next_ids(connection: Connection) -> tuple[int, int]:
    """Return the next free ids of a strand and of an episode."""
    strand, episode = connection.execute(HIGHEST).one()
    return int(strand or 0) + 1, int(episode or 0) + 1


@cache
def _highest(table: Table) -> Select[Any]:
    """Return the question for the highest id of a table."""
    return select(func.max(table.c.id))


def find_unfolded(
    connection: Connection, after: int, limit: int
) -> Sequence[Any]:
    """Return alerts beyond an id, in the order of their acceptance."""
    bounds = {"after": after, "most": limit}
    return connection.execute(WAITING, bounds).all()


def find_strands(
    connection: Connection, names: Collection[Name]
) -> dict[Name, StrandRecord]:
    """Return the known strands of these fingerprints and sources."""
    if not names:
        return {}
    wanted = {fingerprint for fingerprint, _ in names}
    rows = connection.execute(STRANDS_BY_NAME, {"fingerprints": wanted})
    return {
        (row.fingerprint, row.source): to_strand(row)
        for row in rows
        if (row.fingerprint, row.source) in names
    }


def find_strands_by_id(
    connection: Connection, ids: Collection[int]
) -> dict[int, StrandRecord]:
    """Return strands by their ids."""
    rows = connection.execute(STRANDS, {"ids": ids}) if ids else ()
    return {row.id: to_strand(row) for row in rows}


def find_episodes(
    connection: Connection, targets: Collection[str], since: int
) -> list[Episode]:
    """Return the episodes on targets that went on at or after a moment."""
    found: list[Episode] = []
    for some in in_chunks(sorted(targets)):
        where = {"targets": some, "since": since}
        rows = connection.execute(ON_TARGETS, where).all()
        if len(rows) < MOST_AT_ONCE:
            found.extend(to_episode(row) for row in rows)
        else:
            found.extend(_newest_of_each(connection, some, since))
    return found


def find_episodes_by_id(
    connection: Connection, ids: Collection[int]
) -> dict[int, Episode]:
    """Return episodes by their ids."""
    rows = connection.execute(EPISODES, {"ids": ids}) if ids else ()
    return {row.id: to_episode(row) for row in rows}


def find_episodes_of(
    connection: Connection, incident_id: int
) -> list[Episode]:
    """Return the episodes of one incident, the newest first."""
    rows = connection.execute(OF_ONE, {"number": incident_id})
    return [to_episode(row) for row in rows]


def find_firing(
    connection: Connection, incidents: Collection[int]
) -> dict[int, list[Episode]]:
    """Return the episodes of incidents that go on."""
    found: dict[int, list[Episode]] = {one: [] for one in incidents}
    if incidents:
        for row in connection.execute(FIRING, {"ids": incidents}):
            found[row.incident_id].append(to_episode(row))
    return found


def count_episodes(
    connection: Connection, incidents: Collection[int]
) -> dict[int, Tally]:
    """Return what the episodes of incidents add up to."""
    if not incidents:
        return {}
    rows = connection.execute(COUNTS, {"ids": incidents})
    return {number: Tally(*counts) for number, *counts in rows}


def find_incidents(
    connection: Connection, ids: Collection[int]
) -> dict[int, Incident]:
    """Return incidents by their ids."""
    rows = connection.execute(INCIDENTS, {"ids": ids}) if ids else ()
    return {row[0]: to_incident(row) for row in rows}


def find_living(
    connection: Connection, after: int, limit: int, teams: Teams = ()
) -> list[int]:
    """Return incidents of some teams, or all, that are not over, by id."""
    query = (
        select(INCIDENT.c.id)
        .where(INCIDENT.c.state.in_(LIVING), INCIDENT.c.id > after)
        .order_by(INCIDENT.c.id)
        .limit(limit)
    )
    if teams:
        query = query.where(INCIDENT.c.team.in_(teams))
    return list(connection.execute(query).scalars())


def save_strands(
    connection: Connection, new: Iterable[StrandRecord], old: Iterable[Any]
) -> None:
    """Write strands: the new ones whole, the memory of the old ones."""
    write_all(connection, ADD[STRAND], [_strand_row(one) for one in new])
    changes = [
        {"at": one.id, "memory": msgspec.json.encode(one.memory).decode()}
        for one in old
    ]
    write_all(connection, CHANGE[STRAND], changes)


def rename_strands(
    connection: Connection, some: Iterable[StrandRecord]
) -> None:
    """Write down what known strands are about."""
    rows = [{**_strand_row(one), "at": one.id} for one in some]
    for row in rows:
        del row["id"]
    write_all(connection, CHANGE[STRAND], rows)


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
    index_incidents(connection, [*new, *old])


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


def _strand_row(one: StrandRecord) -> dict[str, Any]:
    """Return a strand as a row."""
    return {
        **msgspec.structs.asdict(one),
        "labels": msgspec.json.encode(one.labels).decode(),
        "memory": msgspec.json.encode(one.memory).decode(),
    }


def to_strand(row: Any) -> StrandRecord:
    """Return a row as a strand."""
    values = row._asdict()
    values["labels"] = msgspec.json.decode(row.labels)
    values["memory"] = msgspec.json.decode(row.memory, type=Strand)
    return StrandRecord(**values)


def to_episode(row: Any) -> Episode:
    """Return a row as an episode."""
    return Episode(**dict(zip(EPISODE_COLUMNS, row, strict=True)))


def to_incident(row: Any) -> Incident:
    """Return a row as an incident."""
    return Incident(**dict(zip(INCIDENT_COLUMNS, row, strict=True)))


def _newest_of_each(
    connection: Connection, targets: Sequence[str], since: int
) -> list[Episode]:
    """Return the newest episodes of each target, so many at most."""
    found = []
    for target in targets:
        query = (
            select(EPISODE)
            .where(EPISODE.c.target == target, EPISODE.c.until >= since)
            .order_by(EPISODE.c.until.desc(), EPISODE.c.id.desc())
            .limit(MOST_MEMBERS)
        )
        found += [to_episode(row) for row in connection.execute(query)]
    return found


def _insert(connection: Connection, table: Table, new: Sequence[Any]) -> None:
    """Add rows."""
    rows = [msgspec.structs.asdict(one) for one in new]
    write_all(connection, ADD[table], rows)


def _update(connection: Connection, table: Table, old: Sequence[Any]) -> None:
    """Change whole rows, found by their ids."""
    rows = [{**msgspec.structs.asdict(one), "at": one.id} for one in old]
    for row in rows:
        del row["id"]
    write_all(connection, CHANGE[table], rows)


def in_chunks(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """Yield values in pieces that one statement takes."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
