"""Readings: what the watch measured on this machine, for charts."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.api.access import Allow
from app.api.examples import AT, LATER
from app.api.tagged import TaggedRoute, known_tags, shown
from app.bootstrap import Product
from app.core.clock import Clock, to_iso, to_moment
from app.core.errors import Refused
from app.core.look.readings import MOST_POINTS, Column, Newest, Readings
from app.models.account import Role

HOUR = 3_600_000_000
MOST_SERIES = 20
EXAMPLE: dict[str, Any] = {
    "is_watching": True,
    "since": AT,
    "until": LATER,
    "items": [
        {
            "name": "cpu_percent",
            "unit": "%",
            "value": 12.5,
            "at": LATER,
            "columns": [{"at": AT, "low": 8.0, "mean": 11.25, "high": 97.5}],
        }
    ],
}
Name = Annotated[str, Field(max_length=500)]


class ReadingsQuery(BaseModel):
    """Which series, and which span of them."""

    model_config = ConfigDict(extra="forbid")

    series: list[Name] = Field(
        [],
        max_length=MOST_SERIES,
        description="names; none: each series with its newest value only",
    )
    since: AwareDatetime | None = Field(
        None, description="at or after this time; an hour before until"
    )
    until: AwareDatetime | None = Field(
        None, description="before this time; now when left out"
    )
    points: int = Field(
        300,
        ge=1,
        le=MOST_POINTS,
        description="in how many columns the span is shown",
    )


class ColumnView(BaseModel):
    """What a series was in one part of the span: peaks stay."""

    at: str = Field(description="when the part begins")
    low: float
    mean: float
    high: float

    @classmethod
    def of(cls, one: Column) -> Self:
        """Return a column as the API shows it."""
        at = to_iso(one.at) or ""
        return cls(at=at, low=one.low, mean=one.mean, high=one.high)

    @classmethod
    def all(cls, columns: list[Column] | None) -> list[Self] | None:
        """Return columns as the API shows them; None when none were asked."""
        return None if columns is None else [cls.of(one) for one in columns]


class SeriesView(BaseModel):
    """One series."""

    name: str
    unit: str = Field(description="of its values; empty for a number")
    value: float = Field(description="the newest")
    at: str = Field(description="when that was")
    columns: list[ColumnView] | None = Field(
        description="the span, parts without values left out; null when no"
        " series was asked for"
    )

    @classmethod
    def of(cls, one: Newest, columns: list[Column] | None) -> Self:
        """Return a series as the API shows it."""
        return cls(
            name=one.name,
            unit=one.unit,
            value=one.value,
            at=to_iso(one.at) or "",
            columns=ColumnView.all(columns),
        )


class ReadingsView(BaseModel):
    """What was measured on this machine."""

    is_watching: bool = Field(description="false: watch.enabled is not set")
    since: str | None = Field(description="the span's beginning, or null")
    until: str | None = Field(description="the span's end, or null")
    items: list[SeriesView]


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

    @router.get("/readings", responses=shown(EXAMPLE))
    def list_readings(
        query: Annotated[ReadingsQuery, Query()],
    ) -> ReadingsView:
        """List what the watch measured on this machine (docs/watch.md)."""
        if product.readings is None:
            refuse_unknown(query.series[:1], [])
            return ReadingsView(
                is_watching=False, since=None, until=None, items=[]
            )
        return _show(product.readings, query, product.clock)

    return router


def _show(
    readings: Readings, query: ReadingsQuery, clock: Clock
) -> ReadingsView:
    """Return what is asked for."""
    newest = {one.name: one for one in readings.newest()}
    if not query.series:
        items = [SeriesView.of(one, None) for one in newest.values()]
        return ReadingsView(
            is_watching=True, since=None, until=None, items=items
        )
    unknown = [name for name in query.series if name not in newest]
    refuse_unknown(unknown, list(newest))
    since, until = span_of(query, clock)
    items = [
        SeriesView.of(
            newest[name],
            readings.columns(name, since, until, query.points) or [],
        )
        for name in query.series
    ]
    return ReadingsView(
        is_watching=True,
        since=to_iso(since),
        until=to_iso(until),
        items=items,
    )


def span_of(query: ReadingsQuery, clock: Clock) -> tuple[int, int]:
    """Return the span that is asked for, or raise Refused."""
    until = _moment(query.until, clock.now() + 1)
    since = _moment(query.since, until - HOUR)
    if since >= until:
        raise Refused(
            422,
            "invalid",
            "The span has no length.",
            field="since",
            remedy="Let since be before until.",
        )
    return since, until


def _moment(given: datetime | None, otherwise: int) -> int:
    """Return a time that was asked for, or another one."""
    return otherwise if given is None else to_moment(given)


def refuse_unknown(
    unknown: list[str], known: list[str], where: str = "readings"
) -> None:
    """Refuse a series that is not there."""
    if not unknown:
        return
    some = ", ".join(known[:5])
    raise Refused(
        404,
        "not_found",
        f"There is no series {unknown[0][:80]!r}.",
        field="series",
        remedy=f"List what there is with GET /api/v1/{where}: {some} ..."
        if known
        else "Set watch.enabled: nothing is measured here.",
    )
