"""The address of the next page, and rows that are not there."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.requests import Request

from app.api.paging import find_page, must_find, show
from app.api.queries import AlertQuery, LogQuery
from app.core.errors import Refused
from app.models.account import Caller, Role
from app.store.listings import ALERTS, LOG
from app.store.reading import Found, Reader, Wish
from app.store.tally import Tally


class Shelf:
    """A reader that has one page and records what it was asked."""

    def __init__(
        self, ids: list[int], more: bool, count: Tally | None
    ) -> None:
        rows = [SimpleNamespace(id=number) for number in ids]
        self.found = Found(rows, more, 77, count)
        self.wish: Wish | None = None

    def page(self, _listing: object, wish: Wish) -> Found:
        """Return the page."""
        self.wish = wish
        return self.found


def asked(query_string: str, *teams: str) -> Request:
    """Return a request for a list, by who sees some teams or all."""
    caller = Caller(name="ana", role=Role.VIEWER, teams=teams, way="test")
    return Request(
        {
            "state": {"caller": caller},
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "server": ("localhost", 80),
            "path": "/api/v1/alerts",
            "query_string": query_string.encode(),
            "headers": [],
        }
    )


def turn(
    given: dict[str, Any],
    query_string: str,
    more: bool = True,
    count: Tally | None = None,
) -> tuple[dict[str, Any], Shelf]:
    """Return a page of the rows 9, 8 and 5, and who was asked for it."""
    shelf = Shelf([9, 8, 5], more, count)
    query = AlertQuery.model_validate(given)
    reader = cast("Reader", shelf)
    return find_page(reader, ALERTS, query, asked(query_string)), shelf


@pytest.mark.parametrize(
    ("given", "query_string", "address"),
    [
        ({}, "", "before=5"),
        ({"limit": 3}, "limit=3", "limit=3&before=5"),
        ({"before": 10}, "before=10", "before=5"),
        ({"after": 4}, "after=4", "after=9"),
        ({"after": 0}, "after=0", "after=9"),
        (
            {"after": 2, "before": 10},
            "after=2&before=10",
            "after=2&before=5",
        ),
        (
            {"source": ["a", "b"]},
            "source=a&source=b",
            "source=a&source=b&before=5",
        ),
        ({"text": "a & b"}, "text=a+%26+b", "text=a+%26+b&before=5"),
        ({"source": [""]}, "source=", "source=&before=5"),
    ],
)
def test_the_next_page_goes_on_the_same_way(
    given: dict[str, Any], query_string: str, address: str
) -> None:
    """Filters stay; upwards it goes on above, else below."""
    page, _ = turn(given, query_string)
    assert page["next"] == f"/api/v1/alerts?{address}"


def test_the_last_page_leads_nowhere() -> None:
    """Else a reader would ask for ever."""
    assert turn({}, "", more=False)[0]["next"] is None


def test_the_store_is_asked_what_the_query_says() -> None:
    """Nothing is lost on the way."""
    given = {"before": 9, "after": 2, "limit": 3, "count": "exact"}
    _, shelf = turn(given | {"source": ["a"]}, "")
    assert shelf.wish == Wish({"source": ("a",)}, 9, 2, 3, "exact")


def test_the_store_is_asked_for_what_the_caller_sees() -> None:
    """Every list is narrowed here; one that no team has a part in is not."""
    shelf = Shelf([3], more=False, count=None)
    reader = cast("Reader", shelf)
    query = LogQuery()
    find_page(reader, LOG, query, asked("", "db", "web"))
    assert shelf.wish is not None
    assert shelf.wish.teams == ("db", "web")
    shelf.wish = None
    with pytest.raises(Refused) as refused:
        find_page(reader, ALERTS, AlertQuery(), asked("", "db"))
    assert (refused.value.status, refused.value.reason) == (
        403,
        "needs_all_teams",
    )
    assert shelf.wish is None


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (None, None),
        (Tally(0, "exact"), {"value": 0, "kind": "exact"}),
        (Tally(12, "estimated"), {"value": 12, "kind": "estimated"}),
    ],
)
def test_a_count_is_told_with_its_worth(
    count: Tally | None, said: dict[str, Any] | None
) -> None:
    """A count of none is not the same as no count."""
    shown = turn({}, "", count=count)[0]["count"]
    assert (shown and shown.model_dump()) == said


def test_rows_are_shown_in_their_order() -> None:
    """The rest of the page stays as it is."""
    page, _ = turn({}, "")
    seen = show(page, lambda row: row.id)
    assert (seen["items"], seen["seq"]) == ([9, 8, 5], 77)


@pytest.mark.parametrize("row", [0, "", (), False])
def test_a_row_that_looks_empty_is_there(row: Any) -> None:
    """Only None is not there."""
    assert must_find(row, "alert", "alerts", 3) == row


def test_a_row_that_is_not_there_is_named() -> None:
    """The refusal says which one, and where to look."""
    with pytest.raises(Refused) as refused:
        must_find(None, "delivery", "deliveries", 3)
    error = refused.value
    assert (error.status, error.field) == (404, "delivery_id")
    assert "delivery 3" in error.detail
    assert "/api/v1/deliveries" in error.remedy
