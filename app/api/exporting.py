"""Whole lists, page by page, in memory that does not grow.

Newest first, by ids that fall: what comes in while it runs has a higher id
and is not in it.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from pydantic import BaseModel

from app.api.entries import EntryView
from app.api.formats import Writer
from app.api.incident_views import IncidentView
from app.api.views import AlertView, DeliveryView
from app.core.errors import TooBusy
from app.core.numbers import LAST_ID
from app.store import listings
from app.store.listings import Listing
from app.store.reading import Reader, Wish
from app.store.teams import Teams

# A page is read at once: so many rows, and about so many bytes.
FEWEST = 10
FIRST = 200
MOST = 1_000
PAGE_BYTES = 1_048_576

Where = Mapping[str, Any]
Find = Callable[[Where, tuple[int, int], int], Sequence[Any]]


class Listed(msgspec.Struct, frozen=True):
    """A list that can be exported.

    Attributes:
        find: returns the rows that match between two ids, newest first.
        view: what JSON shows of a row.
    """

    find: Find
    view: type[BaseModel]


class Span(msgspec.Struct, frozen=True):
    """Which rows of a list are exported.

    Attributes:
        where: the filters, for the store.
        after: only ids above this one.
        before: only ids below this one.
        limit: so many rows at most.
    """

    where: Where
    after: int = 0
    before: int = LAST_ID
    limit: int = LAST_ID


# Each list: where its rows are, and what JSON shows of one.
LISTS: dict[str, tuple[Listing, type[BaseModel]]] = {
    "incidents": (listings.INCIDENTS, IncidentView),
    "log": (listings.LOG, EntryView),
    "alerts": (listings.ALERTS, AlertView),
    "deliveries": (listings.DELIVERIES, DeliveryView),
}


def to_listed(reader: Reader, name: str, teams: Teams = ()) -> Listed:
    """Return one of the lists that there are.

    Args:
        reader: where the rows are.
        name: which list.
        teams: whose rows only; none: everybody's.
    """
    listing, view = LISTS[name]

    def find(
        where: Where, between: tuple[int, int], limit: int
    ) -> Sequence[Any]:
        """Return the rows of this list that match, between two ids."""
        after, before = between
        wish = Wish(where, before, after, limit, teams=teams)
        return reader.page(listing, wish).rows

    return Listed(find, view)


def export(listed: Listed, span: Span, writer: Writer) -> Iterator[bytes]:
    """Yield the parts of a file, each with about a page of rows.

    Raises:
        StorageFailed: a page could not be read; the file is not whole then.
    """
    yield writer.begin()
    show: Any = listed.view
    before, left, size = span.before, span.limit, FIRST
    while left > 0:
        want = min(size, left)
        rows = listed.find(span.where, (span.after, before), want)
        if rows:
            left -= len(rows)
            before = rows[-1].id
            size = _next_size(size, rows)
            yield writer.rows([vars(show.of(row)) for row in rows])
        if len(rows) < want:
            break
    yield writer.end()


def _next_size(size: int, rows: Sequence[Any]) -> int:
    """Return how many rows to read next: fewer when they are long."""
    weight = sum(
        len(value)
        for row in rows
        for value in _values(row)
        if isinstance(value, str | bytes)
    )
    if weight > PAGE_BYTES:
        return max(FEWEST, size * PAGE_BYTES // weight)
    return min(MOST, size * 2) if weight * 2 < PAGE_BYTES else size


def _values(row: Any) -> Iterator[Any]:
    """Return what a row of the store holds."""
    return iter(row._mapping.values())  # noqa: SLF001  # SQLAlchemy's API


class Places:
    """So many at once; counted from any thread."""

    def __init__(self, most: int) -> None:
        """Take how many there are."""
        self._most = most
        self._free = threading.BoundedSemaphore(most)

    def enter(self) -> None:
        """Take a place, or raise TooBusy."""
        if not self._free.acquire(blocking=False):
            raise TooBusy(
                "exports",
                f"{self._most} exports run already.",
                remedy="Wait for one to end, or raise api.exports.",
            )

    def leave(self) -> None:
        """Give a place back."""
        self._free.release()
