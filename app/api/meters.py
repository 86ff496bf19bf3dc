"""Meters: what the service counts of itself, for charts."""

from collections.abc import Callable
from threading import Lock
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Allow
from app.api.examples import AT, LATER
from app.api.readings import (
    ColumnView,
    ReadingsQuery,
    refuse_unknown,
    span_of,
)
from app.api.sight import OfTeams
from app.api.status import name_node
from app.api.tagged import TaggedRoute, known_tags, shown
from app.bootstrap import Product
from app.core.clock import Clock, to_iso
from app.core.look.readings import Column, Newest
from app.engine.vitals import METERS
from app.models.account import Role
from app.store.teams import Teams
from app.store.vitals import DAY, Day, count_days

MINUTE = 60_000_000
# Whoever looks on is not counted for anew each time.
KEPT_SECONDS = 20.0
MOST_KEPT = 64
EXAMPLE: dict[str, Any] = {
    "node": "ops-1:8080",
    "since": AT,
    "until": LATER,
    "items": [
        {
            "name": "decide_p95",
            "unit": "s",
            "about": "time to decision: 95 of 100 are quicker",
            "value": 3.9,
            "at": LATER,
            "columns": [{"at": AT, "low": 1.4, "mean": 2.5, "high": 3.9}],
        }
    ],
}
DAYS_EXAMPLE: dict[str, Any] = {
    "items": [
        {"at": AT, "incidents": 23, "fixed": 17, "escalated": 1, "wrong": 0}
    ]
}


class MeterView(BaseModel):
    """One series."""

    name: str
    unit: str = Field(description="of its values; empty for a number")
    about: str = Field(description="what it is, in words")
    value: float | None = Field(
        description="the newest; null while nobody knows one"
    )
    at: str | None = Field(description="when that was")
    columns: list[ColumnView] | None = Field(
        description="the span, parts without values left out; null when no"
        " series was asked for"
    )

    @classmethod
    def of(
        cls, name: str, newest: Newest | None, columns: list[Column] | None
    ) -> Self:
        """Return a series as the API shows it."""
        unit, about = METERS[name]
        return cls(
            name=name,
            unit=unit,
            about=about,
            value=newest.value if newest else None,
            at=to_iso(newest.at) if newest else None,
            columns=ColumnView.all(columns),
        )


class MetersView(BaseModel):
    """What one node counted."""

    node: str = Field(description="which one answers: each counts its own")
    since: str | None = Field(description="the span's beginning, or null")
    until: str | None = Field(description="the span's end, or null")
    items: list[MeterView]


class DaysQuery(BaseModel):
    """Which days, and where they begin."""

    model_config = ConfigDict(extra="forbid")

    days: int = Field(14, ge=1, le=31, description="today is the last one")
    offset_minutes: int = Field(
        0,
        ge=-14 * 60,
        le=14 * 60,
        description="how far the reader's clock is before UTC",
    )


class DayView(BaseModel):
    """What came of one day."""

    at: str = Field(description="when it began")
    incidents: int = Field(description="that were opened")
    fixed: int = Field(description="where an action helped, as was measured")
    escalated: int = Field(description="that people were given")
    wrong: int = Field(description="of which somebody said what is right")

    @classmethod
    def of(cls, day: Day) -> Self:
        """Return a day as the API shows it."""
        return cls(
            at=to_iso(day.at) or "",
            incidents=day.incidents,
            fixed=day.fixed,
            escalated=day.escalated,
            wrong=day.wrong,
        )


class DaysView(BaseModel):
    """What came of some days, the newest last; of all nodes together."""

    items: list[DayView]


class Kept:
    """Answers that are kept for a few seconds."""

    def __init__(self, clock: Clock) -> None:
        """Take the time."""
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[tuple[Any, ...], tuple[float, DaysView]] = {}

    def get(
        self, key: tuple[Any, ...], ask: Callable[[], DaysView]
    ) -> DaysView:
        """Return what was kept, or what is asked now."""
        now = self._clock.monotonic()
        with self._lock:
            made, view = self._kept.get(key, (0.0, None))
            if view is not None and now - made < KEPT_SECONDS:
                return view
        view = ask()
        with self._lock:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = now, view
        return view


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    router = APIRouter(
        prefix="/api/v1",
        dependencies=[
            Depends(Allow(product.gate, Role.VIEWER)),
            Depends(known_tags),
        ],
        tags=["read"],
        route_class=TaggedRoute,
    )
    _add_meters(router, product)
    _add_days(router, product)
    return router


def _add_meters(router: APIRouter, product: Product) -> None:
    """Add the series."""
    node = name_node(product)

    @router.get("/meters", responses=shown(EXAMPLE))
    def list_meters(query: Annotated[ReadingsQuery, Query()]) -> MetersView:
        """List what this node counted of itself (docs/console.md)."""
        readings = product.vitals.readings
        newest = {one.name: one for one in readings.newest()}
        if not query.series:
            items = [
                MeterView.of(name, newest.get(name), None) for name in METERS
            ]
            return MetersView(node=node, since=None, until=None, items=items)
        unknown = [name for name in query.series if name not in METERS]
        refuse_unknown(unknown, list(METERS), "meters")
        since, until = span_of(query, product.clock)
        return MetersView(
            node=node,
            since=to_iso(since),
            until=to_iso(until),
            items=[
                MeterView.of(
                    name,
                    newest.get(name),
                    readings.columns(name, since, until, query.points) or [],
                )
                for name in query.series
            ],
        )


def _add_days(router: APIRouter, product: Product) -> None:
    """Add the days."""
    kept = Kept(product.clock)

    @router.get("/meters/days", responses=shown(DAYS_EXAMPLE))
    def list_days(
        query: Annotated[DaysQuery, Query()], teams: OfTeams
    ) -> DaysView:
        """List what came of the past days."""
        since = _first_day(query, product.clock.now())
        key = (since, query.days, teams)
        return kept.get(key, lambda: _ask(product, since, query.days, teams))


def _first_day(query: DaysQuery, now: int) -> int:
    """Return when the first of the days began, by the reader's clock."""
    offset = query.offset_minutes * MINUTE
    today = (now + offset) // DAY * DAY - offset
    return today - (query.days - 1) * DAY


def _ask(product: Product, since: int, many: int, teams: Teams) -> DaysView:
    """Return what the database says about days."""
    days = product.reader.ask(
        lambda connection: count_days(connection, since, many, teams)
    )
    return DaysView(items=[DayView.of(one) for one in days])
