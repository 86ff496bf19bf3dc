"""Pages: the rows next to an id that match, by the cheapest way there is.

Which index leads is decided here, not by the database: a wrong one is a
thousand times slower. docs/performance.md says what was measured.

* One filter with an index of its own, or none: along that index.
* Words, or more than one filter: the index of words, in which the columns
  have their marks, so that all of them are one intersection.
* A range of time is a range of ids, since ids rise with time.
* What one team may see: the nearest rows one by one; where these do not fill
  the page, what is further off incident by incident.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Table,
    bindparam,
    func,
    select,
    union_all,
)

from app.core.numbers import LAST_ID
from app.models.tables import CutRow, SpanRow
from app.store.filters import Filters
from app.store.indexing import STRETCH
from app.store.listings import ENTRY
from app.store.marks import MARK
from app.store.search import all_ids, nearest_ids, with_words
from app.store.teams import ids_of_teams, unled

SPAN: Table = SpanRow.__table__  # type: ignore[attr-defined]  # SQLModel's
CUT: Table = CutRow.__table__  # type: ignore[attr-defined]  # SQLModel's
END_OF_IDS = LAST_ID
# So many rows are looked at one by one for those of a team.
NEAR = 20_000
# Each of these has few rows, whoever may see them.
CLOSE = frozenset({"incident_id", "target"})


class Stretch(msgspec.Struct, frozen=True):
    """The ids from one up to, but not including, another.

    Attributes:
        low: the first id.
        high: the first that is no longer in it.
        is_read: whether the index of words knows its rows.
    """

    low: int
    high: int
    is_read: bool = True


class Turn(msgspec.Struct, frozen=True):
    """Which way a page goes.

    Attributes:
        before: only ids below this one, or None.
        after: only ids above this one, or None; alone, it turns upwards.
        limit: how many rows.
    """

    before: int | None
    after: int | None
    limit: int

    @property
    def is_up(self) -> bool:
        """Tell whether the rows next above an id are wanted."""
        return self.after is not None and self.before is None


class Facts(msgspec.Struct, frozen=True):
    """What is known of a list before a page is looked for.

    Attributes:
        seq: the last entry of the log.
        first: the first id that a matching row can have.
        last: the last one.
        unread: the first id whose words are not read yet.
    """

    seq: int
    first: int
    last: int
    unread: int


@cache
def _ask_for_facts(name: str, mark: str, rows: Any) -> Select[Any]:
    """Return the question for what is known of a list.

    Made once: to make a statement costs several times what it takes to run.
    """
    number, bucket = rows.c.id, SPAN.c.bucket
    since = bindparam("since", None, BigInteger)
    until = bindparam("until", None, BigInteger)
    # What was not asked for is bounded by nothing, and not looked for.
    span = select(bucket).where(SPAN.c.list == name).limit(1)
    late = span.where(since.is_not(None), SPAN.c.last_at >= since)
    early = span.where(until.is_not(None), SPAN.c.first_at < until)
    questions: list[Any] = [
        select(func.coalesce(func.max(ENTRY.c.id), 0)),
        select(func.coalesce(func.max(CUT.c.id), 0)),
        select(func.coalesce(func.min(number), 1)),
        select(func.coalesce(func.max(number), 0)),
        select(MARK.c.position).where(MARK.c.name == mark),
        late.order_by(bucket),
        early.order_by(bucket.desc()),
    ]
    return select(*(one.scalar_subquery() for one in questions))


def look_up(connection: Connection, filters: Filters) -> Facts:
    """Return what is known of a list, asked for at once."""
    listing = filters.listing
    moments = {"since": filters.since, "until": filters.until}
    ask = _ask_for_facts(listing.name, listing.mark, listing.rows)
    row = connection.execute(ask, moments).one()
    seq, cut, low, high, read, since, until = row
    unread = (read or 0) + 1 if listing.is_read_late else END_OF_IDS
    if filters.since is not None:
        low = unread if since is None else max(low, since << STRETCH)
    if filters.until is not None:
        last = -1 if until is None else ((until + 1) << STRETCH) - 1
        high = min(high, last)
    return Facts(max(seq, cut), low, high, unread)


def find_page(
    connection: Connection, filters: Filters, turn: Turn, facts: Facts
) -> list[Any]:
    """Return the rows of a page, the nearest first."""
    found: list[Any] = []
    stretches = find_stretches(filters, turn, facts)
    for stretch in reversed(stretches) if turn.is_up else stretches:
        want = turn.limit - len(found)
        if want > 0:
            page = want, turn.is_up
            find = _find_of_teams if _is_apart(filters) else _find_rows
            found += find(connection, filters, stretch, page)
    return found


def count_rows(connection: Connection, filters: Filters, facts: Facts) -> int:
    """Return how many rows match, having looked at each."""
    count = 0
    everything = Turn(None, None, 0)
    for stretch in find_stretches(filters, everything, facts):
        if _is_led_by_words(filters, stretch):
            ids = all_ids(connection, filters, (stretch.low, stretch.high))
        elif _is_apart(filters):
            ids = _ids_of_teams(connection, filters, stretch)
        else:
            rows = _along_rows(connection, filters, stretch)
            ids = rows.with_only_columns(filters.listing.rows.c.id)
        total = select(func.count()).select_from(ids.subquery())
        count += int(connection.execute(total).scalar_one())
    return count


def find_stretches(
    filters: Filters, turn: Turn, facts: Facts
) -> list[Stretch]:
    """Return where matching rows can be, the newest first.

    Rows that came since the last turn of folding are in no index of words
    and in no span: they are looked at one by one, and hold no words.
    """
    if filters.is_hopeless:
        return []
    low = (turn.after or 0) + 1
    high = turn.before if turn.before is not None else END_OF_IDS
    known = min(high, facts.last + 1, facts.unread)
    found = [Stretch(max(low, facts.first), known)]
    if not filters.has_text:
        found.insert(0, Stretch(max(low, facts.unread), high, is_read=False))
    return [one for one in found if one.low < one.high]


def _is_led_by_words(filters: Filters, stretch: Stretch) -> bool:
    """Tell whether the index of words finds the rows of a stretch."""
    listing, equal = filters.listing, filters.equal
    if not stretch.is_read or not listing.leading.isdisjoint(equal):
        return False
    if filters.words:
        return not any(
            name in listing.few and listing.few[name].issuperset(values)
            for name, values in equal.items()
        )
    if len(equal) == 1 and not listing.indexed.isdisjoint(equal):
        return False
    return not listing.marks.keys().isdisjoint(equal)


def _is_apart(filters: Filters) -> bool:
    """Tell whether the rows of a team lie far apart along every index."""
    close = CLOSE | filters.listing.leading
    return bool(filters.teams) and close.isdisjoint(filters.equal)


def _find_of_teams(
    connection: Connection,
    filters: Filters,
    stretch: Stretch,
    page: tuple[int, bool],
) -> Sequence[Any]:
    """Return the rows of one stretch that a team may see, so many at most."""
    limit, is_up = page
    if _is_led_by_words(filters, stretch):
        return _find_rows(connection, filters, stretch, page)
    low, high = stretch.low, stretch.high
    middle = min(low + NEAR, high) if is_up else max(high - NEAR, low)
    parts = [Stretch(low, middle), Stretch(middle, high)]
    near, far = parts if is_up else reversed(parts)
    rows = list(_find_rows(connection, filters, near, page))
    if len(rows) == limit or far.low >= far.high:
        return rows
    number = filters.listing.rows.c.id
    order = number if is_up else number.desc()
    ids = _ids_of_teams(connection, filters, far)
    key = ids.selected_columns[0]
    ids = ids.order_by(key if is_up else key.desc()).limit(limit - len(rows))
    query = select(*filters.listing.columns()).where(number.in_(ids))
    return [*rows, *connection.execute(query.order_by(order))]


def _ids_of_teams(
    connection: Connection, filters: Filters, stretch: Stretch
) -> Select[Any]:
    """Return the question for all ids that a team may see, in no order."""
    free = msgspec.structs.replace(filters, has_lead=False)
    listing, number = filters.listing, unled(filters.listing.rows.c.id)
    within = (number >= stretch.low, number < stretch.high)
    conditions = [*within, *free.conditions()]
    return ids_of_teams(connection, listing, filters.teams, conditions)


def _find_rows(
    connection: Connection,
    filters: Filters,
    stretch: Stretch,
    page: tuple[int, bool],
) -> Sequence[Any]:
    """Return the rows of one stretch that match, so many at most."""
    limit, is_up = page
    columns, number = filters.listing.columns(), filters.listing.rows.c.id
    order = number if is_up else number.desc()
    if _is_led_by_words(filters, stretch):
        bounds = stretch.low, stretch.high
        ids = nearest_ids(connection, filters, bounds, page)
        query = select(*columns).where(number.in_(ids)).order_by(order)
        return connection.execute(query).all()
    several = _values_by_index(filters)
    if several is None:
        along = _along_rows(connection, filters, stretch)
        along = along.order_by(order).limit(limit)
        return connection.execute(along).all()
    # Each value along the index, then the nearest of all: a database that
    # is asked for several at once leaves the order of the index.
    parts = []
    for value in several:
        only = filters.with_value(filters.lead, value)
        along = _along_rows(connection, only, stretch)
        some = along.with_only_columns(number.label("id"))
        parts.append(some.order_by(order).limit(limit).subquery())
    hits = union_all(*(select(part.c.id) for part in parts)).subquery()
    query = select(*columns).where(number.in_(select(hits.c.id)))
    query = query.order_by(order).limit(limit)
    return connection.execute(query).all()


def _values_by_index(filters: Filters) -> tuple[Any, ...] | None:
    """Return several values of the column whose index leads, or None."""
    name = filters.lead
    values = filters.equal.get(name, ())
    is_indexed = name in filters.listing.indexed
    return values if is_indexed and len(values) > 1 else None


def _along_rows(
    connection: Connection, filters: Filters, stretch: Stretch
) -> Select[Any]:
    """Return the question that the rows' own indexes answer."""
    number = filters.listing.rows.c.id
    within = (number >= stretch.low, number < stretch.high)
    rows: Any = select(*filters.listing.columns())
    query = rows.where(*within, *filters.conditions())
    return with_words(connection, filters, query)
