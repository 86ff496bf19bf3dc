"""The search: rows found by the index of words, newest first.

The values of columns have their marks in that index, so that words and
columns together are one question.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    TextClause,
    bindparam,
    exists,
    select,
    text,
    union_all,
)

from app.store.filters import Filters
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
) -> TextClause:
    """Return the condition that a row of the index answers a question."""
    name = filters.listing.words_name
    if _is_sqlite(connection):
        condition = text(f"{name} MATCH :question")
        asked = to_match(question)
    else:
        condition = text(f"{name}.words @@ CAST(:question AS tsquery)")
        asked = to_tsquery(question)
    return condition.bindparams(bindparam("question", asked, unique=True))


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
    return query.where(exists().where(same, holds))


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
        matches(connection, filters, asked),
        key >= bounds[0],
        key < bounds[1],
    )
    conditions = rest_of(filters) + filters.moments(rows.c)
    if conditions:
        query = query.join(rows, rows.c.id == key).where(*conditions)
    return query


def find_ids(
    connection: Connection,
    filters: Filters,
    bounds: Bounds,
    page: tuple[int, bool],
) -> Sequence[int]:
    """Return the nearest ids within bounds, so many at most."""
    if not _is_sqlite(connection):
        return _walk(connection, filters, bounds, page)
    limit, is_up = page
    query = all_ids(connection, filters, bounds)
    key = filters.listing.words.c.rowid
    query = query.order_by(key if is_up else key.desc()).limit(limit)
    return list(connection.execute(query).scalars())


def _walk(
    connection: Connection,
    filters: Filters,
    bounds: Bounds,
    page: tuple[int, bool],
) -> list[int]:
    """Return the nearest ids, bucket by bucket."""
    listing, (limit, is_up) = filters.listing, page
    words = listing.words
    # The log's words have the time beside them: no look at the row.
    dated = words.c if listing.has_time_with_words else listing.rows.c
    conditions = rest_of(filters)
    must_join = bool(conditions) or dated is listing.rows.c
    conditions += filters.moments(dated)
    base = select(words.c.id).where(*conditions)
    if conditions and must_join:
        base = base.join(listing.rows, listing.rows.c.id == words.c.id)
    asked = to_tsquery(question_of(connection, filters))
    holds = f"{listing.words_name}.words @@ CAST(:asked AS tsquery)"

    def ask(place: int, bucket: Bucket) -> Select[Any]:
        """Return the question for one bucket."""
        if bucket.mark:
            # Made whole before it is put in order: else the order is made
            # by walking along the key, past all rows that do not match.
            mine: BindParameter[str] = bindparam(
                "asked", f"{asked} & '{bucket.mark}'", unique=True
            )
            near = base.where(text(holds).bindparams(mine))
            hit = near.cte(f"hit{place}").prefix_with("MATERIALIZED")
            query = select(hit.c.id)
            number: ColumnElement[int] = hit.c.id
        else:
            # No index takes this form: the nearest are read one by one.
            mine = bindparam("asked", asked, unique=True)
            query = base.where(text(f"({holds}) IS TRUE").bindparams(mine))
            number = words.c.id
        query = query.where(number >= bucket.start, number < bucket.end)
        return query.order_by(number if is_up else number.desc()).limit(limit)

    # A bucket is not looked at when those before it have filled the page.
    parts = [
        ask(place, bucket).subquery()
        for place, bucket in enumerate(walk(*bounds, is_up=is_up))
    ]
    every = union_all(*(select(part.c.id) for part in parts)).limit(limit)
    return list(connection.execute(every).scalars())


def _is_sqlite(connection: Connection) -> bool:
    """Tell which of the two databases it is."""
    return connection.dialect.name == "sqlite"
