"""The simulator: what an admin may cause, passed on and written down."""

import asyncio
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from app.api.access import Allow, Who, author_of, signed
from app.api.examples import AT
from app.api.speech import Signature, one_line
from app.bootstrap import Product
from app.engine.simulating import Change
from app.models.account import Role

Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
# A number of JSON that every program reads alike.
MOST = 2**53
LONGEST_WORD = 200


def _plain(value: Any) -> Any:
    """Return what an option may be: whatever else could not be passed on."""
    if isinstance(value, str) and len(value) <= LONGEST_WORD:
        return one_line(value)
    # Infinity is beyond it, too, and what is no number is not within.
    if isinstance(value, int | float) and -MOST <= value <= MOST:
        return value
    raise ValueError("must be a word or a number")


Option = Annotated[Any, AfterValidator(_plain)]
OptionName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    AfterValidator(one_line),
]
Signed = Annotated[
    Signature, Query(description="who ends it; left out: who asks")
]
REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no simulator, or nothing of that name"},
    409: {"description": "Something of that kind runs already"},
    503: {"description": "The simulator does not answer"},
}
STATE: dict[str, Any] = {
    "enabled": True,
    "host": "simulator",
    "kinds": [{"name": "cpu", "unit": "% of one core", "level": 90}],
    "running": [{"fault": "cpu", "level": 90, "seconds": 120, "began_at": AT}],
    "scenarios": [],
    "playing": None,
}


class FaultBody(BaseModel):
    """How much of a fault, and for how long; the simulator has defaults."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"author": "ana", "level": 90, "seconds": 120}]
        },
    )

    author: Signature = Field("", description="who begins it")
    level: float | None = Field(
        None, allow_inf_nan=False, description="how much, in its unit"
    )
    seconds: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="for how long"
    )
    options: dict[OptionName, Option] = Field(
        {}, max_length=20, description="words and numbers, by name"
    )

    def to_order(self) -> dict[str, Any]:
        """Return what the simulator is told."""
        order: dict[str, Any] = {"options": self.options}
        for name in ("level", "seconds"):
            value = getattr(self, name)
            if value is not None:
                whole = float(value).is_integer()
                order[name] = int(value) if whole else value
        return order


class PlayBody(BaseModel):
    """Who plays a scenario."""

    model_config = ConfigDict(extra="forbid")

    author: Signature = Field("", description="who begins it")


class SimulatorView(BaseModel):
    """What the simulator says, word by word: docs/simulator.md."""

    state: dict[str, Any]


class TruthView(BaseModel):
    """What really happened, as the simulator has written it down."""

    truth: list[dict[str, Any]]


class AnswerView(BaseModel):
    """What the simulator answered to a change."""

    answer: dict[str, Any]


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    router = APIRouter(
        prefix="/api/v1/simulator",
        dependencies=[Depends(Allow(product.gate, Role.ADMIN))],
        tags=["simulator"],
        responses=REFUSALS,
    )
    simulator = product.simulator

    @router.get(
        "",
        responses={
            200: {
                "content": {"application/json": {"example": {"state": STATE}}}
            }
        },
    )
    async def get_simulator() -> SimulatorView:
        """Show what can be caused, and what runs."""
        return SimulatorView(state=await simulator.state())

    @router.get("/truth")
    async def list_truth(since: AwareDatetime | None = None) -> TruthView:
        """List what really happened at or after a moment."""
        query = {"since": since.isoformat()} if since else {}
        told = await simulator.ask("GET", f"/api/truth?{urlencode(query)}")
        return TruthView(truth=told.get("truth", []))

    _add_faults(router, product)
    _add_scenarios(router, product)
    return router


def _add_faults(router: APIRouter, product: Product) -> None:
    """Add what begins faults and ends them."""

    @router.post("/faults/{name}", status_code=201)
    async def begin_fault(name: Name, body: FaultBody, who: Who) -> AnswerView:
        """Begin a fault; it ends by itself."""
        body = signed(body, who)
        order = body.to_order()
        says = f"the fault {name} was begun"
        path = f"/api/faults/{name}"
        change = Change("POST", path, says, body.author, order)
        return await _change(product, change)

    @router.delete("/faults/{name}")
    async def end_fault(
        name: Name, who: Who, author: Signed = ""
    ) -> AnswerView:
        """End a fault."""
        by = author_of(who, author, "query.author")
        says = f"the fault {name} was ended"
        change = Change("DELETE", f"/api/faults/{name}", says, by)
        return await _change(product, change)

    @router.delete("/faults")
    async def end_all(who: Who, author: Signed = "") -> AnswerView:
        """End the scenario and every fault."""
        by = author_of(who, author, "query.author")
        change = Change("DELETE", "/api/faults", "all faults were ended", by)
        return await _change(product, change)


def _add_scenarios(router: APIRouter, product: Product) -> None:
    """Add what plays scenarios."""

    @router.post("/scenarios/{name}", status_code=201)
    async def play(name: Name, body: PlayBody, who: Who) -> AnswerView:
        """Begin a scenario."""
        body = signed(body, who)
        says = f"the scenario {name} was begun"
        path = f"/api/scenarios/{name}"
        return await _change(product, Change("POST", path, says, body.author))

    @router.delete("/scenarios")
    async def stop_playing(who: Who, author: Signed = "") -> AnswerView:
        """End the scenario that plays, with what it began."""
        by = author_of(who, author, "query.author")
        says = "the scenario was ended"
        change = Change("DELETE", "/api/scenarios", says, by)
        return await _change(product, change)


async def _change(product: Product, change: Change) -> AnswerView:
    """Have something changed, and write down that it was."""
    simulator = product.simulator
    body = change.body if change.method == "POST" else None
    answer = await simulator.ask(change.method, change.path, body)
    await simulator.look()
    work = partial(simulator.note, change=change)
    await asyncio.shield(asyncio.wrap_future(product.keeper.ask(work)))
    return AnswerView(answer=answer)
