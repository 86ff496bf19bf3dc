"""How an AWX lists things: what may be asked of a list, and what it answers.

A field that is kept from being searched answers 403 to every filter and
order by it, one that is not there 400, and a page beyond the last one 404.
No page has more than 200 entries, whatever is asked for.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

PAGE = 25
MOST = 200
# These steer a list, and are no fields. AWX passes over ``limit``.
STEERING = (
    "page", "page_size", "format", "order", "order_by", "search", "type",
    "host_filter", "count_disabled", "no_truncate", "limit",
)  # fmt: skip
# Fields that AWX keeps from being searched, by any way of comparing.
KEPT = (
    "extra_vars", "survey_passwords", "survey_spec", "job_args", "job_env",
    "start_args",
)  # fmt: skip
LOOKUPS: Mapping[str, Callable[[Any, Any], bool]] = {
    "exact": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "icontains": lambda has, part: part.casefold() in has.casefold(),
}


class Refused(Exception):
    """What is asked of a list is not answered.

    Attributes:
        status: the status of the answer.
        detail: what it says.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def listed(
    query: Mapping[str, str],
    rows: Sequence[dict[str, Any]],
    model: str,
    fields: Sequence[str],
) -> dict[str, Any]:
    """Return a page of what fits a query, or raise Refused.

    Args:
        query: what is asked.
        rows: all that there is, in the order that it has by itself.
        model: what AWX calls one of them.
        fields: what can be asked for.
    """
    found = list(rows)
    for key, text in query.items():
        if key not in STEERING:
            fits = _filter(key, text, model, fields)
            found = [row for row in found if fits(row)]
    by = query.get("order_by", "")
    if by:
        name = by.removeprefix("-")
        _check(name, model, fields)
        found.sort(key=operator.itemgetter(name), reverse=by[0] == "-")
    return _page(query, found)


def _filter(
    key: str, text: str, model: str, fields: Sequence[str]
) -> Callable[[dict[str, Any]], bool]:
    """Return what tells whether a row fits one part of a query."""
    name, _, lookup = key.rpartition("__")
    if lookup == "in":
        _check(name, model, fields)
        return lambda row: str(row[name]) in text.split(",")
    if lookup not in LOOKUPS or not name:
        name, lookup = key, "exact"
    _check(name, model, fields)
    compare = LOOKUPS[lookup]
    return lambda row: compare(_value(row[name]), _like(row[name], text))


def _check(name: str, model: str, fields: Sequence[str]) -> None:
    """Raise Refused for a field that nobody may ask for."""
    for part in name.split("__"):
        if part in KEPT:
            raise Refused(403, f"Filtering on {part} is not allowed.")
    if name not in fields:
        raise Refused(400, f"{model} has no field named '{name}'")


def _value(has: Any) -> Any:
    """Return a value of a row as it is compared."""
    try:
        return datetime.fromisoformat(has)
    except (TypeError, ValueError):
        return has


def _like(has: Any, text: str) -> Any:
    """Return a text of a query as a value like that of a row."""
    if isinstance(has, int):
        try:
            return int(text)
        except ValueError as error:
            raise Refused(400, f"Invalid id: {text}") from error
    return _value(text) if isinstance(_value(has), datetime) else text


def _page(
    query: Mapping[str, str], found: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return one page, or raise Refused when it is not there."""
    asked = query.get("page_size", "")
    size = min(int(asked), MOST) if asked.isdecimal() and int(asked) else PAGE
    number = int(query.get("page", 1))
    last = max(1, -(-len(found) // size))
    if not 1 <= number <= last:
        raise Refused(404, "Invalid page.")
    return {
        "count": len(found),
        "next": f"?page={number + 1}" if number < last else None,
        "previous": f"?page={number - 1}" if number > 1 else None,
        "results": found[(number - 1) * size : number * size],
    }
