"""Filters: what a list is asked for, as conditions on its columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    and_,
    literal_column,
    or_,
    select,
)

from app.store.listings import ALERTS, DELIVERY, INCIDENTS, Listing
from app.store.plan import END, start_of_identity
from app.store.synthetic import is_real
from app.store.teams import Teams, find_few, may_see, unled
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
        teams: whose rows are found, incident by incident; none: all.
        is_barred: whether nothing may be seen at all.
        has_lead: whether an index on a column may find the rows.
    """

    listing: Listing
    equal: dict[str, tuple[Any, ...]]
    bounds: list[ColumnElement[bool]]
    words: tuple[Word, ...]
    has_text: bool
    since: int | None
    until: int | None
    teams: Teams = ()
    is_barred: bool = False
    has_lead: bool = True

    @property
    def is_hopeless(self) -> bool:
        """Tell whether no row can match."""
        return self.is_barred or (self.has_text and not self.words)

    @property
    def lead(self) -> str:
        """Return the column whose index is to lead, or nothing.

        Of a team's incidents those of a state that few have are found by
        the state, all others by the team.
        """
        if len(self.equal) == 1:
            return next(iter(self.equal))
        if "team" not in self.equal:
            return ""
        few = self.listing.few
        rare = [
            name
            for name, values in self.equal.items()
            if few.get(name, frozenset()).issuperset(values)
        ]
        return rare[0] if rare else "team"

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
        moment = unled(columns[self.listing.moment])
        found = []
        if self.since is not None:
            found.append(moment >= self.since)
        if self.until is not None:
            found.append(moment < self.until)
        return found

    def with_value(self, name: str, value: Any) -> "Filters":
        """Return the same with one value for a column."""
        equal = self.equal | {name: (value,)}
        return msgspec.structs.replace(self, equal=equal)

    def match(self, name: str) -> ColumnElement[bool]:
        """Return the condition on one column."""
        values = self.equal[name]
        column: Any = self.listing.rows.c[name]
        if self.is_led_elsewhere(name):
            column = column.op("||")(literal_column("''"))
        if name == "fingerprint":
            # Found by the index on what they are hashed to.
            identity = self.listing.rows.c.identity
            starts = [start_of_identity(value) for value in values]
            alike = [identity.between(one, one + END) for one in starts]
            return and_(or_(*alike), column.in_(values))
        same: ColumnElement[bool] = column.in_(values)
        return column == values[0] if len(values) == 1 else same

    def is_led_elsewhere(self, name: str) -> bool:
        """Tell whether no index on a column may lead."""
        is_text = isinstance(self.listing.rows.c[name].type, Text)
        if "team" in self.equal:
            return is_text and name != self.lead
        return is_text and not self.has_lead

    def question(self) -> Question:
        """Return what the index of words is asked, without its marks."""
        return tuple((word,) for word in self.words)


def sort_out(listing: Listing, where: Where, teams: Teams = ()) -> Filters:
    """Return filters by name as what they mean.

    A name is a column, with ``_since``, ``_until``, ``_min`` or ``_max`` a
    bound of one, with ``_not`` the value that it may not have; ``since`` and
    ``until`` are about the list's own moment. A ``canary`` that is False
    leaves out what is about it.

    Args:
        listing: the list that is asked.
        where: the filters.
        teams: whose rows only; none: everybody's.
    """
    given = dict(where)
    text = given.pop("text", None)
    since, until = given.pop("since", None), given.pop("until", None)
    columns = listing.rows.c
    equal, bounds = {}, []
    if not given.pop("canary", True):
        bounds.append(is_real(columns))
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
    found = Filters(
        listing=listing,
        equal=equal,
        bounds=bounds,
        words=ask_for(text or ""),
        has_text=text is not None,
        since=since,
        until=until,
    )
    return _narrow(found, teams) if teams else found


def _narrow(filters: Filters, teams: Teams) -> Filters:
    """Return filters that find what some teams may see, and nothing else."""
    listing, equal = filters.listing, filters.equal
    if listing is INCIDENTS:
        mine = tuple(one for one in equal.get("team", teams) if one in teams)
        return msgspec.structs.replace(
            filters, equal=equal | {"team": mine}, is_barred=not mine
        )
    return msgspec.structs.replace(
        filters,
        bounds=[*filters.bounds, may_see(listing, teams)],
        teams=teams,
        is_barred=listing.owner is None,
    )


def read_filters(
    connection: Connection,
    listing: Listing,
    where: Where,
    teams: Teams = (),
) -> Filters:
    """Return filters; the alerts of a delivery are those that it names."""
    given = dict(where)
    delivery_id = given.pop("delivery_id", None)
    if listing is ALERTS and delivery_id is not None:
        query = select(DELIVERY.c.alerts)
        query = query.where(DELIVERY.c.id == delivery_id)
        told = connection.execute(query).scalar()
        given["id"] = msgspec.json.decode(told) if told else []
    found = sort_out(listing, given, teams)
    return _name_few(connection, found) if found.teams else found


def _name_few(connection: Connection, filters: Filters) -> Filters:
    """Return filters that name the incidents of a team that has few.

    Words are then looked for in what is about these, and in what is about
    none, instead of in the whole log.
    """
    if not filters.words or "incident_id" in filters.equal:
        return filters
    mine = find_few(connection, filters.teams)
    if mine is None:
        return filters
    equal = filters.equal | {"incident_id": (*mine, 0)}
    return msgspec.structs.replace(filters, equal=equal)


def _values(value: Any) -> tuple[Any, ...]:
    """Return one value or several as several."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(value)
    return (value,)
