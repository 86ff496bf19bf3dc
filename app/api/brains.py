"""Brains: what there is to decide with, and how each of them does."""

import statistics
import sys
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Allow
from app.api.sight import OfTeams
from app.bootstrap import Product
from app.core.clock import to_iso
from app.core.line import Remote
from app.core.registry import Factory, scan
from app.decide import brains
from app.decide.budgets import bounds_of
from app.decide.calibration import Calibration
from app.decide.reins import DecideSettings, Reins
from app.models.account import Role
from app.store.brainwork import Brainwork, find_brainwork
from app.store.decisions import Spent, count_spent
from app.store.ledger import Connection
from app.store.log import find_end
from app.store.teams import Teams

DAY = 86_400_000_000
SLOW = 0.95
EXAMPLE: dict[str, Any] = {
    "seq": 812,
    "since": "2026-11-20T02:14:00Z",
    "items": [
        {
            "name": "ollama",
            "about": "A language model behind an Ollama server.",
            "is_on": True,
            "is_live": True,
            "is_shadow": False,
            "model": "llama3.2",
            "resting_seconds": 0.0,
            "work": {
                "decisions": 23,
                "unavailable": 0,
                "unsure": 2,
                "shared": 4,
                "tokens": 0,
                "last_at": "2026-11-21T02:14:05Z",
                "failed_at": "2026-11-21T01:02:03Z",
                "median_ms": 1412.0,
                "slow_ms": 2770.0,
            },
            "calibration": {
                "model": "llama3.2",
                "version": "9c1f0f4f2f1b",
                "cases": 214,
                "error": 0.031,
            },
        }
    ],
    "budgets": {
        "calls_per_incident": 3,
        "calls_per_minute": 600,
        "calls_of_minute": 2,
        "tokens_per_day": 2_000_000,
        "tokens_of_day": 10_311,
    },
}


EXAMPLES: dict[str, Any] = {
    "items": [
        {
            "source": "alertmanager",
            "kind": "alertmanager",
            "payload": '{"version": "4", "alerts": []}',
        }
    ]
}


class WorkView(BaseModel):
    """What a brain did lately, on all nodes."""

    decisions: int
    unavailable: int = Field(description="how often it had no answer")
    unsure: int
    shared: int = Field(description="identical cases: it was not asked")
    tokens: int
    last_at: str | None
    failed_at: str | None = Field(description="when it had no answer last")
    median_ms: float | None = Field(description="null: it was never asked")
    slow_ms: float | None = Field(description="95 of 100 are faster")

    @classmethod
    def of(cls, work: Brainwork | None) -> Self:
        """Return what a brain did, or that it did nothing."""
        if work is None:
            return cls(
                decisions=0,
                unavailable=0,
                unsure=0,
                shared=0,
                tokens=0,
                last_at=None,
                failed_at=None,
                median_ms=None,
                slow_ms=None,
            )
        times = sorted(work.times)
        return cls(
            decisions=work.decisions,
            unavailable=work.unavailable,
            unsure=work.unsure,
            shared=work.shared,
            tokens=work.tokens,
            last_at=to_iso(work.last_at),
            failed_at=to_iso(work.failed_at),
            median_ms=statistics.median(times) if times else None,
            slow_ms=times[int(SLOW * (len(times) - 1))] if times else None,
        )


class CalibrationView(BaseModel):
    """What the numbers of a model were measured to mean."""

    model: str
    version: str
    cases: int
    error: float = Field(description="the expected calibration error")

    @classmethod
    def of(cls, one: Calibration) -> Self:
        """Return a calibration as the API shows it."""
        return cls(
            model=one.model,
            version=one.version,
            cases=one.cases,
            error=one.measured.ece_after,
        )


class BrainView(BaseModel):
    """One brain."""

    name: str
    about: str = Field(description="what it is, in one line")
    is_on: bool = Field(description="whether it can be asked")
    is_live: bool = Field(description="whether it decides now")
    is_shadow: bool = Field(description="whether it decides beside it")
    model: str = Field(description="that is asked, empty: no server")
    resting_seconds: float | None = Field(
        description="so long this node leaves its server alone, as it failed "
        "too often; 0: it is asked; null: it has none"
    )
    work: WorkView
    calibration: CalibrationView | None = Field(
        description="null: its own number means nothing"
    )


class BudgetsView(BaseModel):
    """How much may be asked, and how much was."""

    calls_per_incident: int
    calls_per_minute: int
    calls_of_minute: int
    tokens_per_day: int = Field(description="0: none are counted")
    tokens_of_day: int

    @classmethod
    def of(cls, settings: DecideSettings, spent: Spent) -> Self:
        """Return the bounds with what is spent."""
        return cls(
            calls_per_incident=settings.calls_per_incident,
            calls_per_minute=settings.calls_per_minute,
            calls_of_minute=spent.of_minute,
            tokens_per_day=settings.tokens_per_day,
            tokens_of_day=spent.tokens,
        )


class BrainPage(BaseModel):
    """All brains, the one that decides first."""

    seq: int = Field(description="the last entry of the log at this moment")
    since: str = Field(description="from when on their work is counted")
    items: list[BrainView]
    budgets: BudgetsView


class ExampleView(BaseModel):
    """What a source may send: something to try brains on."""

    source: str = Field(description="its name here")
    kind: str
    payload: str


class ExamplePage(BaseModel):
    """An example of each source that is configured."""

    items: list[ExampleView]


class BrainQuery(BaseModel):
    """How far the list looks back."""

    model_config = ConfigDict(extra="forbid")

    hours: int = Field(24, ge=1, le=24 * 30)


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(
        prefix="/api/v1", dependencies=[access], tags=["decide"]
    )
    plugins = scan(brains)

    @router.get(
        "/brains",
        responses=_shown(EXAMPLE),
    )
    def list_brains(
        query: Annotated[BrainQuery, Query()], teams: OfTeams
    ) -> BrainPage:
        """List the brains with what each did lately, and how it is."""
        now = product.clock.now()
        since = max(0, now - query.hours * DAY // 24)
        seq, work, spent = product.reader.ask(
            lambda one: _look(one, since, now, teams)
        )
        reins = product.desk.reins()
        first = (reins.brain, reins.shadow)
        names = sorted(
            {*plugins, *product.desk.decider.brains},
            key=lambda name: (*(name != one for one in first), name),
        )
        return BrainPage(
            seq=seq,
            since=to_iso(since) or "",
            items=[
                make_view(product, (name, plugins.get(name)), reins, work)
                for name in names
            ],
            budgets=BudgetsView.of(product.desk.settings, spent),
        )

    _add_examples(router, product)
    return router


def _shown(example: Any) -> dict[int | str, dict[str, Any]]:
    """Return what the page of the API says about an answer."""
    return {200: {"content": {"application/json": {"example": example}}}}


def _add_examples(router: APIRouter, product: Product) -> None:
    """Add the route that gives something to try brains on."""

    @router.get("/brains/examples", responses=_shown(EXAMPLES))
    def list_examples() -> ExamplePage:
        """Give a payload of each source, to try brains on: POST /decide."""
        return ExamplePage(
            items=[
                ExampleView(
                    source=name,
                    kind=entrance.kind,
                    payload=entrance.source.example.body.decode(
                        errors="replace"
                    ),
                )
                for name, entrance in sorted(product.entrances.items())
            ]
        )


def make_view(
    product: Product,
    plugin: tuple[str, Factory | None],
    reins: Reins,
    work: dict[str, Brainwork],
) -> BrainView:
    """Return one brain as the API shows it."""
    name, factory = plugin
    decider = product.desk.decider
    brain = decider.brains.get(name)
    model = _model(brain, reins, name)
    known = (
        one
        for one in decider.calibrations.entries
        if (one.brain, one.model) == (name, model)
    )
    found = next(known, None)
    return BrainView(
        name=name,
        about=_about(factory),
        is_on=brain is not None,
        is_live=name == reins.brain,
        is_shadow=name == reins.shadow,
        model=model,
        resting_seconds=_resting(brain),
        work=WorkView.of(work.get(name)),
        calibration=None if found is None else CalibrationView.of(found),
    )


def _model(brain: object, reins: Reins, name: str) -> str:
    """Return which model a brain asks now, empty when it asks none."""
    if not isinstance(brain, Remote):
        return ""
    return reins.models.get(name, "") or brain.model


def _resting(brain: object) -> float | None:
    """Return how long a brain's server is left alone, None without one."""
    if not isinstance(brain, Remote):
        return None
    return round(brain.resting_seconds, 1)


def _about(factory: Factory | None) -> str:
    """Return what a brain is: the first line of its file."""
    if factory is None:
        return ""
    module = sys.modules[factory.__module__]
    return (module.__doc__ or "").partition("\n")[0]


def _look(
    connection: Connection, since: int, now: int, teams: Teams
) -> tuple[int, dict[str, Brainwork], Spent]:
    """Return the end of the log, the work of brains, and what it took."""
    bounds = bounds_of(now)
    return (
        find_end(connection).id,
        find_brainwork(connection, since, teams),
        count_spent(connection, 0, bounds["minute"], bounds["day"]),
    )
