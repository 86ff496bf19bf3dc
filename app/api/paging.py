"""Pages: from a query to the store, and the address of the next one."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Path, Request

from app.api.queries import Outline
from app.api.sight import check_owned, teams_of
from app.api.views import CountView
from app.core.errors import Refused
from app.core.numbers import LAST_ID
from app.store.listings import Listing
from app.store.reading import Found, Reader, Wish

RowId = Annotated[int, Path(ge=1, le=LAST_ID)]
V = TypeVar("V")


def find_page(
    reader: Reader, listing: Listing, query: Outline, request: Request
) -> dict[str, Any]:
    """Return the fields of a page; its items are rows that are seen."""
    teams = teams_of(request)
    check_owned(listing, teams)
    wish = Wish(
        query.where(),
        query.before,
        query.after,
        query.limit,
        query.count.value,
        teams,
    )
    found = reader.page(listing, wish)
    count = found.count
    return {
        "seq": found.seq,
        "items": found.rows,
        "next": _next(request, found, query),
        "count": count and CountView(value=count.value, kind=count.kind),
    }


def show(page: dict[str, Any], of: Callable[[Any], V]) -> dict[str, Any]:
    """Return the fields of a page with its rows as the API shows them."""
    return page | {"items": [of(row) for row in page["items"]]}


def must_find(row: V | None, what: str, many: str, row_id: int) -> V:
    """Return a row, or refuse an id that is not there."""
    if row is None:
        raise Refused(
            404,
            "not_found",
            f"There is no {what} {row_id}.",
            field=f"{what}_id",
            remedy=f"List what there is with GET /api/v1/{many}.",
        )
    return row


def _next(request: Request, found: Found, query: Outline) -> str | None:
    """Return the address of the next page, None on the last one.

    Upwards it goes on above the highest id, else below the lowest one.
    """
    if not found.has_more:
        return None
    is_up = query.after is not None and query.before is None
    place = (
        {"after": found.rows[0].id} if is_up else {"before": found.rows[-1].id}
    )
    url = request.url.include_query_params(**place)
    return f"{url.path}?{url.query}"
