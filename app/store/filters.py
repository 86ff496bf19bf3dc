"""Filters: what a list is asked for, as conditions on its columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    and_,
    literal_column,
    or_,
    select,
)

from app.store.listings import ALERTS, DELIVERY, Listing
from app.store.plan import END, start_of_identity
from app.store.words import Question, Word, ask_for

Where = Mapping[str, Any]
NOT = "_not"
# The endings of a filter's name, and whether it is the lower bound.
BOUNDS = {"_since": True, "_until": False, "_min": True, "_max": False}


class Filters(msgspec.Struct, frozen=True):
    """What was asked for, sorted out.

    Attributes:
        listing: the list that is asked.
        equal: the values that a column may have, by its name.
        bounds: conditions on moments and numbers.
        words: what the text must hold.
        has_text: whether a text was given, be it without words.
        since: the row's moment is not before this, or None.
        until: the row's moment is before this, or None.
    """

    listing: Listing
    equal: dict[str, tuple[Any, ...]]
    bounds: list[ColumnElement[bool]]
    words: tuple[Word, ...]
    has_text: bool
    since: int | None
    until: int | None

    @property
    def is_hopeless(self) -> bool:
        """Tell whether no row can match."""
        return self.has_text and not self.words

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a row's columns must be; its text is not in it."""
        found = [self.match(name) for name in self.equal]
        return found + self.bounds + self.moments(self.listing.rows.c)

    def moments(self, columns: Any) -> list[ColumnElement[bool]]:
        """Return the conditions on the list's own moment.

        Added to nothing, so that no index on it leads: the ids do.

        Args:
            columns: those of the table that has the moment.
        """
        moment = columns[self.listing.moment].op("+")(literal_column("0"))
        found = []
        if self.since is not None:
            found.append(moment >= self.since)
        if self.until is not None:
            found.append(moment < self.until)
        return found

    def with_value(self, value: Any) -> "Filters":
        """Return the same with one value for its one column."""
        equal = dict.fromkeys(self.equal, (value,))
        return msgspec.structs.replace(self, equal=equal)

    def match(self, name: str) -> ColumnElement[bool]:
        """Return the condition on one column."""
        values = self.equal[name]
        column: Column[Any] = self.listing.rows.c[name]
        if name == "fingerprint":
            # Found by the index on what they are hashed to.
            identity = self.listing.rows.c.identity
            starts = [start_of_identity(value) for value in values]
            alike = [identity.between(one, one + END) for one in starts]
            return and_(or_(*alike), column.in_(values))
        return column == values[0] if len(values) == 1 else column.in_(values)

    def question(self) -> Question:
        """Return what the index of words is asked, without its marks."""
        return tuple((word,) for word in self.words)


def sort_out(listing: Listing, where: Where) -> Filters:
    """Return filters by name as what they mean.

    A name is a column, with ``_since``, ``_until``, ``_min`` or ``_max`` a
    bound of one, with ``_not`` the value that it may not have; ``since`` and
    ``until`` are about the list's own moment.
    """
    given = dict(where)
    text = given.pop("text", None)
    since, until = given.pop("since", None), given.pop("until", None)
    columns = listing.rows.c
    equal, bounds = {}, []
    for name, value in given.items():
        if name in columns:
            equal[name] = _values(value)
            continue
        if name.endswith(NOT):
            bounds.append(columns[name.removesuffix(NOT)] != value)
            continue
        ending = next(one for one in BOUNDS if name.endswith(one))
        column = columns[name.removesuffix(ending)]
        upper = column <= value if ending == "_max" else column < value
        bounds.append(column >= value if BOUNDS[ending] else upper)
    return Filters(
        listing=listing,
        equal=equal,
        bounds=bounds,
        words=ask_for(text or ""),
        has_text=text is not None,
        since=since,
        until=until,
    )


def read_filters(
    connection: Connection, listing: Listing, where: Where
) -> Filters:
    """Return filters; the alerts of a delivery are those that it names."""
    given = dict(where)
    delivery_id = given.pop("delivery_id", None)
    if listing is ALERTS and delivery_id is not None:
        query = select(DELIVERY.c.alerts)
        query = query.where(DELIVERY.c.id == delivery_id)
        told = connection.execute(query).scalar()
        given["id"] = msgspec.json.decode(told) if told else []
    return sort_out(listing, given)


def _values(value: Any) -> tuple[Any, ...]:
    """Return one value or several as several."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(value)
    return (value,)
