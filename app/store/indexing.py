"""What new rows are searched by, written with them or soon after.

Entries and incidents are indexed in the transaction that writes them: by
triggers on SQLite (see migration 0003), by the functions here on PostgreSQL.
Alerts and deliveries come on the path that must be quick; the turn that
folds them reads their words.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Table,
    bindparam,
    delete,
    select,
    text,
)

from app.models.entry import Entry
from app.models.incident import Incident
from app.models.tables import OutdatedRow
from app.store.listings import (
    ALERT,
    ALERTS,
    DELIVERIES,
    DELIVERY,
    INCIDENTS,
    LOG,
    Listing,
)
from app.store.marks import at_mark, put_mark
from app.store.words import lexemes, mark_hash

OUTDATED: Table = OutdatedRow.__table__  # type: ignore[attr-defined]
# A stretch of so many ids, as a power of two, has one line in `span`.
STRETCH = 12
BATCH = 400
# A delivery is searched by the words of its first alerts only.
MOST_ALERTS = 200
SPAN = text(
    "INSERT INTO span (list, bucket, first_at, last_at)"
    " VALUES (:list, :bucket, :first_at, :last_at)"
    " ON CONFLICT (list, bucket) DO UPDATE SET"
    " first_at = CASE WHEN excluded.first_at < span.first_at"
    " THEN excluded.first_at ELSE span.first_at END,"
    " last_at = CASE WHEN excluded.last_at > span.last_at"
    " THEN excluded.last_at ELSE span.last_at END"
)
# Made once: to make a statement costs several times what it takes to run.
ADD_VECTOR = {
    listing.name: text(
        f"INSERT INTO {listing.words_name} (id, words)"  # noqa: S608 (ours)
        " VALUES (:id, array_to_tsvector(CAST(:words AS text[])))"
        " ON CONFLICT (id) DO UPDATE SET words = excluded.words"
        f" WHERE {listing.words_name}.words <> excluded.words"
    )
    for listing in (INCIDENTS, ALERTS, DELIVERIES)
}
ADD_WORDS = {
    listing.name: text(
        f"INSERT INTO {listing.name}_text (rowid, words)"  # noqa: S608 (ours)
        f" SELECT id, words FROM {listing.name}_words WHERE id = :id"
    )
    for listing in (ALERTS, DELIVERIES)
}
NEW = {
    listing.name: select(listing.rows.c.id, listing.rows.c.received_at)
    .where(listing.rows.c.id > at_mark(listing.mark))
    .order_by(listing.rows.c.id)
    .limit(bindparam("most"))
    for listing in (ALERTS, DELIVERIES)
}
CHANGED = select(OUTDATED.c.id).order_by(OUTDATED.c.id).limit(BATCH)
# The texts of a row and its marks.
Content = tuple[Sequence[str], Sequence[str]]
decode = msgspec.json.decode


def index_entries(connection: Connection, entries: Sequence[Entry]) -> None:
    """Index what was just appended to the log; SQLite does it by itself."""
    if _is_sqlite(connection) or not entries:
        return
    rows = [
        {
            "id": one.id,
            "at": one.at,
            "words": lexemes(one.id, _texts_of(one), _marks(LOG, one)),
        }
        for one in entries
    ]
    connection.execute(
        text(
            "INSERT INTO entry_text (id, at, words)"
            " VALUES (:id, :at, array_to_tsvector(CAST(:words AS text[])))"
            # Left behind when somebody cut off the log with its triggers.
            " ON CONFLICT (id) DO UPDATE"
            " SET at = excluded.at, words = excluded.words"
        ),
        rows,
    )
    note_spans(connection, LOG, [(one.id, one.at) for one in entries])


def index_incidents(
    connection: Connection, incidents: Sequence[Incident]
) -> None:
    """Index incidents, new or changed; SQLite does it by itself."""
    if _is_sqlite(connection) or not incidents:
        return
    words: dict[int, Content] = {
        one.id: ((one.title, one.target_name, one.problem), ())
        for one in incidents
    }
    _save_vectors(connection, INCIDENTS, words)
    moments = [(one.id, one.opened_at) for one in incidents]
    note_spans(connection, INCIDENTS, moments)


def index_inbox(connection: Connection, limit: int = BATCH) -> bool:
    """Index alerts and deliveries that came; tell whether more wait.

    Args:
        connection: the transaction of a turn.
        limit: how many of each at most.
    """
    limit = min(limit, BATCH)
    _forget_outdated(connection)
    is_full = False
    for listing in (ALERTS, DELIVERIES):
        rows = connection.execute(NEW[listing.name], {"most": limit})
        found = [(one.id, one.received_at) for one in rows]
        if found:
            _index(connection, listing, [number for number, _ in found])
            note_spans(connection, listing, found)
            put_mark(connection, listing.mark, found[-1][0])
        is_full = is_full or len(found) == limit
    return is_full


def index_all(connection: Connection) -> None:
    """Index everything anew in a PostgreSQL, as it is being restored.

    A SQLite file brings its index with it.
    """
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    _index_lists(connection)
    for listing in (ALERTS, DELIVERIES):
        put_mark(connection, listing.mark, 0)


def index_old(connection: Connection) -> None:
    """Index what was written before there was an index: migration 0003.

    Alerts and deliveries are not: the turns that fold read them.
    """
    if not _is_sqlite(connection):
        _index_lists(connection)
        return
    for listing, moment in ((LOG, "at"), (INCIDENTS, "opened_at")):
        name = listing.name
        connection.execute(
            text(
                f"INSERT INTO {name}_text (rowid, words)"  # noqa: S608 (ours)
                f" SELECT id, words FROM {name}_words"
            )
        )
        # The names are ours, of the two lists above.
        spans = (
            "INSERT INTO span (list, bucket, first_at, last_at)"  # noqa: S608
            f" SELECT '{name}', id >> {STRETCH}, min({moment}),"
            f" max({moment}) FROM {name} GROUP BY id >> {STRETCH}"
        )
        connection.execute(text(spans))


def _index_lists(connection: Connection) -> None:
    """Index all entries and incidents of a PostgreSQL."""
    for batch in _batches(connection, LOG):
        index_entries(connection, [Entry(**one) for one in batch])
    for batch in _batches(connection, INCIDENTS):
        index_incidents(connection, [Incident(**one) for one in batch])


def _batches(
    connection: Connection, listing: Listing
) -> Iterator[list[dict[str, Any]]]:
    """Yield all rows of a list, some at a time."""
    after = 0
    while True:
        rows = listing.rows
        query = select(rows).where(rows.c.id > after).order_by(rows.c.id)
        found = connection.execute(query.limit(BATCH)).all()
        if not found:
            return
        yield [row._asdict() for row in found]
        after = found[-1].id


def _forget_outdated(connection: Connection) -> None:
    """Read again what a replay changed."""
    ids = list(connection.execute(CHANGED).scalars())
    if not ids:
        return
    words = DELIVERIES.words
    key = words.c.rowid if _is_sqlite(connection) else words.c.id
    connection.execute(delete(words).where(key.in_(ids)))
    _index(connection, DELIVERIES, ids)
    connection.execute(delete(OUTDATED).where(OUTDATED.c.id.in_(ids)))


def _index(
    connection: Connection, listing: Listing, ids: Sequence[int]
) -> None:
    """Write the words of rows."""
    if _is_sqlite(connection):
        numbers = [{"id": number} for number in ids]
        connection.execute(ADD_WORDS[listing.name], numbers)
    elif listing is ALERTS:
        found = _find_alerts(connection, ids)
        _save_vectors(
            connection,
            listing,
            {
                one.id: (_texts_of_alert(one), _marks(listing, one))
                for one in found
            },
        )
    else:
        _save_vectors(
            connection, listing, _texts_of_deliveries(connection, ids)
        )


def _texts_of_deliveries(
    connection: Connection, ids: Sequence[int]
) -> dict[int, Content]:
    """Return what deliveries are searched by."""
    query = select(*DELIVERIES.columns()).where(DELIVERY.c.id.in_(ids))
    words: dict[int, Content] = {}
    for row in connection.execute(query).all():
        told = decode(row.alerts)[:MOST_ALERTS]
        texts = [row.reason, row.field, row.source, row.peer]
        for alert in _find_alerts(connection, told):
            texts += _texts_of_alert(alert)
        words[row.id] = (texts, ())
    return words


def _find_alerts(connection: Connection, ids: Sequence[int]) -> Sequence[Any]:
    """Return alerts by their ids."""
    query = select(*ALERTS.columns()).where(ALERT.c.id.in_(ids))
    return connection.execute(query).all()


def _texts_of(entry: Entry) -> tuple[str, ...]:
    """Return the texts that an entry is searched by."""
    one = entry
    return one.summary, one.target, one.problem, one.actor, one.action


def _texts_of_alert(row: Any) -> list[str]:
    """Return the texts that an alert is searched by."""
    labels = decode(row.labels).items()
    return [row.name, row.summary, *(f"{name} {of}" for name, of in labels)]


def _marks(listing: Listing, row: Any) -> list[str]:
    """Return the marks of a row."""
    return [
        mark_hash(letter, getattr(row, name))
        for name, letter in listing.marks.items()
    ]


def _save_vectors(
    connection: Connection,
    listing: Listing,
    words: dict[int, Content],
) -> None:
    """Write the words of rows into PostgreSQL, new ones or changed ones."""
    if not words:
        return
    connection.execute(
        ADD_VECTOR[listing.name],
        [
            {"id": number, "words": lexemes(number, texts, marks)}
            for number, (texts, marks) in words.items()
        ],
    )


def note_spans(
    connection: Connection,
    listing: Listing,
    rows: Sequence[tuple[int, int]],
) -> None:
    """Note when the rows of each stretch of ids came."""
    spans: dict[int, list[int]] = {}
    for number, at in rows:
        spans.setdefault(number >> STRETCH, []).append(at)
    connection.execute(
        SPAN,
        [
            {
                "list": listing.name,
                "bucket": bucket,
                "first_at": min(moments),
                "last_at": max(moments),
            }
            for bucket, moments in spans.items()
        ],
    )


def _is_sqlite(connection: Connection) -> bool:
    """Tell which of the two databases it is."""
    return connection.dialect.name == "sqlite"
