"""The action log as a page: a form whose address is the filter.

It works without a script; app/console/static/js/screens/log.js adds what
is quicker by keys.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.bootstrap import Product
from app.console.log_query import FIELDS, FILTERS, Asked, read
from app.console.pages import Pages, to_login
from app.console.screens import BY_NAME
from app.console.seen import seen
from app.console.visitor import find_visitor
from app.core.clock import to_iso
from app.core.errors import Refused, StorageFailed
from app.models.account import Caller
from app.models.incident import State
from app.store.listings import LOG
from app.store.reading import Found
from app.store.tally import Tally

MOST_SHOWN = 100_000
NARROW = frozenset(FIELDS) - {"status", "incident"}


class Weight(msgspec.Struct, frozen=True):
    """What the details of a line say of its weight; most say nothing.

    Attributes:
        confidence: how sure whoever chose was.
        outcome: what a rule ruled.
        verdict: what was measured.
    """

    confidence: float | None = None
    outcome: str = ""
    verdict: str = ""

    @property
    def sure(self) -> str:
        """Return how sure somebody was, or nothing."""
        return "" if self.confidence is None else f"{self.confidence:.2f}"

    @property
    def word(self) -> str:
        """Return what it came to, or nothing."""
        return (self.verdict or self.outcome).replace("_", " ")


NO_WEIGHT = Weight()
WEIGHED = ("decision.made", "ruling.made", "verdict.given")
decode_weight = msgspec.json.Decoder(Weight).decode


def make_router(pages: Pages) -> APIRouter:
    """Return the route of the log's page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/console/log", name="log")
    def show(request: Request) -> Response:
        """Show the lines that match, newest first."""
        caller = find_visitor(pages.product, request)
        if caller is None:
            return to_login(request)
        return _show(pages, caller, request)

    return router


def _show(pages: Pages, caller: Caller, request: Request) -> Response:
    """Return the page."""
    product = pages.product
    asked = read(request.query_params.multi_items(), product.clock.now())
    problem = ""
    found = Found((), has_more=False, seq=0, count=None)
    entry = None
    if not asked.wrong:
        try:
            found = product.reader.page(LOG, asked.wish(caller.teams))
            entry = _find_entry(product, asked, caller)
        except Refused as error:
            problem = f"{error.detail} {error.remedy}"
        except StorageFailed as error:
            problem = f"{error}."
    return pages.screen(
        BY_NAME["log"],
        caller,
        "log.html",
        asked=asked,
        rows=[_row(asked, row) for row in found.rows],
        seq=found.seq,
        tally=_tell(found.count),
        pager=_pager(asked, found),
        chips=_chips(asked),
        entry=entry,
        problem=problem,
        states=[one.value for one in State],
        offers={name: _values(found.rows, name) for name in NARROW},
        seen=seen,
    )


def _find_entry(
    product: Product, asked: Asked, caller: Caller
) -> dict[str, Any] | None:
    """Return the line that is looked at closer, None when there is none."""
    if not asked.entry:
        return None
    row = product.reader.find(LOG, asked.entry, caller.teams)
    if row is None:
        return {"id": asked.entry, "is_there": False}
    return {
        **_row(asked, row),
        "is_there": True,
        "problem": row.problem,
        "severity": row.severity,
        "hash": bytes(row.hash).hex(),
        "body": _pretty(row.body),
    }


def _weigh(row: Any) -> Weight:
    """Return what a line says of a decision, a ruling or a verdict."""
    if row.kind not in WEIGHED:
        return NO_WEIGHT
    try:
        return decode_weight(row.body)
    except msgspec.DecodeError:
        return NO_WEIGHT


def _row(asked: Asked, row: Any) -> dict[str, Any]:
    """Return a line of the log as the page shows it."""
    weight = _weigh(row)
    return {
        "sure": weight.sure,
        "outcome": weight.word,
        "id": row.id,
        "at": asked.show(row.at),
        "iso": to_iso(row.at) or "",
        "kind": row.kind,
        "incident": row.incident_id,
        "target": row.target,
        "status": row.status,
        "actor": row.actor,
        "action": row.action,
        "summary": row.summary,
        "peek": asked.url(entry=row.id),
    }


def _pretty(body: str) -> str:
    """Return the details with a line for each; unreadable ones as they are."""
    text = body[:MOST_SHOWN]
    try:
        return msgspec.json.format(text, indent=2)
    except msgspec.DecodeError:
        return text


def _tell(tally: Tally | None) -> dict[str, Any]:
    """Return how many lines match, and what that number is worth."""
    if tally is None:
        return {"text": "", "is_exact": True}
    is_exact = tally.kind == "exact"
    number = f"{tally.value:,}".replace(",", "\u202f")
    return {"text": number if is_exact else f"~{number}", "is_exact": is_exact}


def _pager(asked: Asked, found: Found) -> dict[str, str]:
    """Return the addresses of the newer and the older page, or nothing."""
    before, after = asked.one("before"), asked.one("after")
    is_up = bool(after) and not before
    rows = found.rows
    older = newer = ""
    if rows and (found.has_more or is_up):
        older = asked.url(before=rows[-1].id, after="", entry="")
    if rows and (before or (is_up and found.has_more)):
        newer = asked.url(after=rows[0].id, before="", entry="")
    newest = asked.url(before="", after="", entry="")
    return {
        "older": older,
        "newer": newer,
        "newest": newest if before or after else "",
    }


def _chips(asked: Asked) -> list[dict[str, str]]:
    """Return the filters that are on, each with an address without it."""
    return [
        {"name": name, "value": value, "without": asked.only(name, value)}
        for name in FILTERS
        for value in asked.given.get(name, ())
    ]


def _values(rows: Sequence[Any], name: str) -> list[str]:
    """Return what a column has on this page, to be offered."""
    return sorted({str(getattr(row, name)) for row in rows} - {""})
