"""The search: rows found by the index of words, newest first.

The values of columns have their marks in that index, so that words and
columns together are one question.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    SelectBase,
    TableValuedAlias,
    Text,
    TextClause,
    bindparam,
    column,
    exists,
    func,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.expression import TableClause
from sqlalchemy.types import TypeEngine

from app.store.filters import Filters
from app.store.teams import unled
from app.store.walk import Bucket, walk
from app.store.words import (
    Question,
    Word,
    mark_hash,
    mark_text,
    to_match,
    to_tsquery,
)

Bounds = tuple[int, int]
HOLDS = "{}.words @@ CAST(:asked AS tsquery)"
IN_BUCKET = "{}.words @@ CAST(bucket.marks AS tsquery)"


def question_of(connection: Connection, filters: Filters) -> Question:
    """Return what the index is asked: the words and the columns' marks."""
    mark = mark_text if _is_sqlite(connection) else mark_hash
    marks = filters.listing.marks
    columns = tuple(
        tuple(Word(mark(marks[name], value)) for value in values)
        for name, values in filters.equal.items()
        if name in marks
    )
    return filters.question() + columns


def matches(
    connection: Connection, filters: Filters, question: Question
) -> list[TextClause]:
    """Return the conditions that a row of the index answers a question.

    PostgreSQL gets one for each part: of several it goes through the lists
    side by side, and jumps to where all can meet. Of one condition with
    several parts it reads a long list from its beginning.
    """
    name = filters.listing.words_name
    if _is_sqlite(connection):
        return [_asked(f"{name} MATCH :asked", to_match(question))]
    holds = HOLDS.format(name)
    return [_asked(holds, to_tsquery(any_of)) for any_of in question]


def _asked(condition: str, asked: str) -> TextClause:
    """Return a condition with what it asks for."""
    return text(condition).bindparams(bindparam("asked", asked, unique=True))


def with_words(
    connection: Connection, filters: Filters, query: Select[Any]
) -> Select[Any]:
    """Return a question for rows that also hold the words."""
    if not filters.words:
        return query
    words = filters.listing.words
    key = words.c.rowid if _is_sqlite(connection) else words.c.id
    holds = matches(connection, filters, filters.question())
    same = key == filters.listing.rows.c.id
    return query.where(exists().where(same, *holds))


def rest_of(filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions that the index of words says nothing about."""
    listing = filters.listing
    found = [
        filters.match(name)
        for name in filters.equal
        if name not in listing.marks
    ]
    return found + filters.bounds


def all_ids(
    connection: Connection, filters: Filters, bounds: Bounds
) -> Select[Any]:
    """Return the question for all ids within bounds, in no order."""
    words = filters.listing.words
    key = words.c.rowid if _is_sqlite(connection) else words.c.id
    rows = filters.listing.rows
    asked = question_of(connection, filters)
    query = select(key.label("id")).where(
        *matches(connection, filters, asked),
        key >= bounds[0],
        key < bounds[1],
    )
    conditions = rest_of(filters) + filters.moments(rows.c)
    if conditions:
        query = query.join(rows, rows.c.id == key).where(*conditions)
    return query


def nearest_ids(
    connection: Connection,
    filters: Filters,
    bounds: Bounds,
    page: tuple[int, bool],
) -> SelectBase:
    """Return the question for the nearest ids within bounds."""
    if not _is_sqlite(connection):
        return _walk(connection, filters, bounds, page)
    limit, is_up = page
    query = all_ids(connection, filters, bounds)
    key = filters.listing.words.c.rowid
    return query.order_by(key if is_up else key.desc()).limit(limit)


def _walk(
    connection: Connection,
    filters: Filters,
    bounds: Bounds,
    page: tuple[int, bool],
) -> SelectBase:
    """Return the question for the nearest ids, bucket by bucket.

    A bucket is not looked at when those before it have filled the page.
    """
    limit, is_up = page
    words, name = filters.listing.words, filters.listing.words_name
    question = question_of(connection, filters)
    base, number = _dated(filters, words), words.c.id

    def nearest(*held: Any, by: ColumnElement[int]) -> Select[Any]:
        """Return the question for the nearest of some rows."""
        order = by if is_up else by.desc()
        return base.where(*held).order_by(order).limit(limit)

    near, *far = walk(*bounds, is_up=is_up)
    # No index takes this form: the nearest are read one by one.
    alone = f"({HOLDS.format(name)}) IS TRUE"
    held = [_asked(alone, to_tsquery(any_of)) for any_of in question]
    within = (number >= near.start, number < near.end)
    nearby = nearest(*held, *within, by=number)
    if not far:
        return nearby
    bucket, key = _as_rows(far), unled(number)
    held = [text(IN_BUCKET.format(name))]
    held += matches(connection, filters, question)
    within = (key >= bucket.c.low, key < bucket.c.high)
    hit = nearest(*held, *within, by=key).correlate(bucket).lateral()
    hits = select(hit.c.id).select_from(bucket.join(hit, true()))
    return union_all(nearby, hits).limit(limit)


def _dated(filters: Filters, words: TableClause) -> Select[Any]:
    """Return the question for the ids in PostgreSQL's index of words.

    It has the conditions that the index itself says nothing about.
    """
    listing = filters.listing
    # The log's words have the time beside them: no look at the row.
    dated = words.c if listing.has_time_with_words else listing.rows.c
    conditions = rest_of(filters)
    must_join = bool(conditions) or dated is listing.rows.c
    conditions += filters.moments(dated)
    base = select(words.c.id).where(*conditions)
    if conditions and must_join:
        base = base.join(listing.rows, listing.rows.c.id == words.c.id)
    return base


def _as_rows(buckets: Sequence[Bucket]) -> TableValuedAlias:
    """Return buckets as rows: the question is the same for any of them."""
    number, words = BigInteger(), Text()
    lists: Sequence[tuple[str, TypeEngine[Any], Sequence[Any]]] = (
        ("low", number, [one.start for one in buckets]),
        ("high", number, [one.end for one in buckets]),
        ("marks", words, [to_tsquery(one.marks) for one in buckets]),
    )
    values = [bindparam(None, of, ARRAY(kind)) for _, kind, of in lists]
    columns = [column(name, kind) for name, kind, _ in lists]
    rows = func.unnest(*values).table_valued(*columns)
    return rows.render_derived(name="bucket")


def _is_sqlite(connection: Connection) -> bool:
    """Tell which of the two databases it is."""
    return connection.dialect.name == "sqlite"
