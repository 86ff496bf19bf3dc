"""What people said, in the store, and the moves that they ask for.

Every function runs in a turn of the ledger, or on a connection that reads.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Table,
    func,
    insert,
    literal_column,
    select,
    update,
)

from app.models.episode import Episode
from app.models.tables import WordRow
from app.models.word import ON_ACKNOWLEDGING, Kind, Word
from app.store.incidents import (
    CHUNK,
    EPISODE,
    INCIDENT,
    next_id,
    to_episode,
)

WORD: Table = WordRow.__table__  # type: ignore[attr-defined]
# Written out: SQLite takes a partial index only for what it can read.
HAS_KEY = WORD.c.key != literal_column("''")
IS_MERGED = INCIDENT.c.merged_into != literal_column("0")
# So many merged incidents are shown under the one that they live on in.
MOST_FAMILY = CHUNK
# A person names no more episodes than this in one split.
MOST_EPISODES = 1_000


def next_word(connection: Connection) -> int:
    """Return the next free number of a word."""
    return next_id(connection, WORD)


def add_words(connection: Connection, words: Sequence[Word]) -> None:
    """Write words down; nothing ever changes them."""
    if words:
        rows = [
            {
                **msgspec.structs.asdict(word),
                "details": msgspec.json.encode(word.details).decode(),
            }
            for word in words
        ]
        connection.execute(insert(WORD), rows)


def find_by_key(
    connection: Connection, incident_id: int, key: str
) -> Word | None:
    """Return the word that a caller knows by a key, or None."""
    query = select(WORD).where(
        WORD.c.incident_id == incident_id, WORD.c.key == key, HAS_KEY
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else to_word(row)


def find_words(
    connection: Connection, incidents: Sequence[int], after: int, limit: int
) -> list[Word]:
    """Return words about incidents beyond an id, in the order of coming."""
    query = (
        select(WORD)
        .where(WORD.c.incident_id.in_(incidents), WORD.c.id > after)
        .order_by(WORD.c.id)
        .limit(limit)
    )
    return [to_word(row) for row in connection.execute(query)]


def find_last(
    connection: Connection, incident_id: int, kinds: Collection[Kind]
) -> Word | None:
    """Return the last word of some kinds about an incident, or None."""
    query = (
        select(WORD)
        .where(
            WORD.c.incident_id == incident_id,
            WORD.c.kind.in_([kind.value for kind in kinds]),
        )
        .order_by(WORD.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else to_word(row)


def find_on_acknowledging(
    connection: Connection, incidents: Sequence[int]
) -> list[Word]:
    """Return the words of the latest moment at which one was said."""
    is_one = (
        WORD.c.incident_id.in_(incidents),
        WORD.c.kind.in_([kind.value for kind in ON_ACKNOWLEDGING]),
    )
    latest = select(func.max(WORD.c.at)).where(*is_one).scalar_subquery()
    query = select(WORD).where(*is_one, WORD.c.at == latest)
    return [to_word(row) for row in connection.execute(query)]


def find_family(connection: Connection, incident_id: int) -> list[int]:
    """Return an incident and those that live on in it, however deep."""
    family = [incident_id]
    layer = [incident_id]
    while layer and len(family) < MOST_FAMILY:
        query = (
            select(INCIDENT.c.id)
            .where(INCIDENT.c.merged_into.in_(layer), IS_MERGED)
            .order_by(INCIDENT.c.id)
            .limit(MOST_FAMILY - len(family))
        )
        found = connection.execute(query).scalars()
        layer = [number for number in found if number not in family]
        family += layer
    return family


def find_merged(connection: Connection, into: int) -> list[int]:
    """Return the incidents that live on in one, the latest first."""
    query = (
        select(INCIDENT.c.id)
        .where(INCIDENT.c.merged_into == into, IS_MERGED)
        .order_by(INCIDENT.c.changed_at.desc(), INCIDENT.c.id.desc())
        .limit(MOST_FAMILY)
    )
    return list(connection.execute(query).scalars())


def list_episodes(
    connection: Connection, incident_id: int, limit: int
) -> list[int]:
    """Return the ids of an incident's episodes, so many at most."""
    query = (
        select(EPISODE.c.id)
        .where(EPISODE.c.incident_id == incident_id)
        .order_by(EPISODE.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def find_oldest(connection: Connection, incident_id: int) -> Episode | None:
    """Return the episode of an incident that began first, or None."""
    query = (
        select(EPISODE)
        .where(EPISODE.c.incident_id == incident_id)
        .order_by(EPISODE.c.begins_at, EPISODE.c.id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else to_episode(row)


def move_all(
    connection: Connection, gone: int, into: int, because: str
) -> None:
    """Move every episode of an incident into another one."""
    move = update(EPISODE).where(EPISODE.c.incident_id == gone)
    connection.execute(
        move.values(incident_id=into, home=gone, because=because)
    )


def move_some(
    connection: Connection, episodes: Sequence[int], into: int, because: str
) -> None:
    """Move some episodes into an incident."""
    for start in range(0, len(episodes), CHUNK):
        some = episodes[start : start + CHUNK]
        move = update(EPISODE).where(EPISODE.c.id.in_(some))
        connection.execute(
            move.values(
                incident_id=into, home=EPISODE.c.incident_id, because=because
            )
        )


def pin(connection: Connection, incident_id: int) -> None:
    """Keep every episode of an incident where it is, for ever."""
    stay = update(EPISODE).where(EPISODE.c.incident_id == incident_id)
    connection.execute(stay.values(pin=incident_id))


def to_word(row: Any) -> Word:
    """Return a row as a word."""
    values = row._asdict()
    values["details"] = msgspec.json.decode(row.details)
    return Word(**values)
