"""The status: what the head of every page says, in one cheap answer."""

import socket
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from app.api.access import Allow, Who
from app.api.sharing import Answers
from app.api.tagged import TaggedRoute, known_tags, shown
from app.bootstrap import Product
from app.core.clock import to_iso
from app.core.numbers import LAST_ID
from app.core.version import VERSION
from app.models.account import Role
from app.store.halts import Halt, find_halt
from app.store.lanes import count_needs
from app.store.ledger import Connection
from app.store.log import find_end
from app.store.teams import Teams

EXAMPLE: dict[str, Any] = {
    "seq": 5531,
    "at": "2026-11-21T03:12:09Z",
    "node": "watch-01:8080",
    "version": VERSION,
    "halted": True,
    "halt_reason": "the storage is being moved",
    "halt_by": "ana",
    "halted_at": "2026-11-21T03:10:00Z",
    "brain": "cascade",
    "mode": "approve",
    "needs_you": 2,
    "faults": 1,
    "faulty": ["cpu"],
    # The page of the API leaves out what is null.
    "faults_lost_at": "2026-11-21T03:11:40Z",
}
After = Annotated[
    int,
    Query(
        ge=0,
        le=LAST_ID,
        description="the last entry that the caller has heard of: an answer "
        "that knows it may be a second old",
    ),
]


class StatusView(BaseModel):
    """How the service stands at this moment."""

    seq: int = Field(description="the last entry of the log")
    at: str
    node: str = Field(description="which one answers")
    version: str
    halted: bool = Field(description="whether nothing may start")
    halt_reason: str
    halt_by: str
    halted_at: str | None
    brain: str = Field(description="what decides")
    mode: str = Field(description="how far actions are trusted by default")
    needs_you: int = Field(description="what waits for a person")
    faults: int = Field(
        description="faults of the simulator that run, as was seen last"
    )
    faulty: list[str] = Field(description="their kinds")
    faults_lost_at: str | None = Field(
        description="since when the simulator cannot be asked what runs; "
        "null: it can, or there is none"
    )


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    # Every page asks it by itself, whether somebody is there or not.
    access = Depends(Allow(product.gate, Role.VIEWER, is_use=False))
    router = APIRouter(
        prefix="/api/v1",
        dependencies=[access, Depends(known_tags)],
        tags=["read"],
        route_class=TaggedRoute,
    )
    node = name_node(product)
    answers = Answers(product.clock)

    @router.get("/status", response_model=StatusView, responses=shown(EXAMPLE))
    def get_status(who: Who, after: After = 0) -> Response:
        """Say how the service stands: what every page shows at its head."""
        teams = tuple(sorted(who.teams))
        make = partial(_make, product, node, teams)
        return answers.find(teams, after, make).to(who)

    return router


def _make(product: Product, node: str, teams: Teams, now: int) -> StatusView:
    """Return how the service stands, as somebody of some teams sees it."""
    seq, halt, waiting = product.reader.ask(partial(_look, teams=teams))
    file = product.acting.halting.look()
    trust = product.acting.guard.policy.says.trust
    faulty = product.simulator.running
    return StatusView(
        seq=seq,
        at=to_iso(now) or "",
        node=node,
        version=VERSION,
        halted=halt.is_halted or bool(file),
        halt_reason=halt.reason if halt.is_halted else file,
        halt_by=halt.by if halt.is_halted else "",
        halted_at=to_iso(halt.at) if halt.is_halted else None,
        brain=product.desk.reins().brain,
        mode=trust.otherwise,
        needs_you=waiting,
        faults=len(faulty),
        faulty=list(faulty),
        faults_lost_at=to_iso(product.simulator.lost_at),
    )


def name_node(product: Product) -> str:
    """Return what people call the node that answers."""
    return f"{socket.gethostname()[:40]}:{product.settings.server.port}"


def _look(connection: Connection, teams: Teams) -> tuple[int, Halt, int]:
    """Return the end of the log, the switch, and how many need a person."""
    return (
        find_end(connection).id,
        find_halt(connection),
        count_needs(connection, teams),
    )
