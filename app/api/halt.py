"""The kill switch: nothing is started any more, and what runs is ended."""

from functools import partial
from typing import Any, Self

from fastapi import APIRouter, Depends, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from app.api import acting_examples as examples
from app.api.access import Allow, Who, require, signed
from app.api.sight import needs_all_teams
from app.api.speech import Signature, Text
from app.api.turns import Match, write
from app.bootstrap import Product
from app.core.clock import to_iso
from app.engine.stopping import Stop
from app.models.account import Role
from app.store.halts import Halt, find_halt

REFUSALS: dict[int | str, dict[str, Any]] = {
    409: {"description": "Somebody else was first: read it again."}
}
SHOWN: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"example": examples.HALT}}}
}


class HaltBody(BaseModel):
    """Who halts or resumes, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "author": "ana",
                    "reason": "it restarts the wrong hosts",
                    "halted": True,
                }
            ]
        },
    )

    author: Signature = Field("", description="who says so")
    reason: Text = Field(description="why")
    halted: bool = Field(description="false: actions may start again")


class HaltView(BaseModel):
    """Whether anything may be started."""

    halted: bool = Field(
        description="whether nothing may start: by the switch or the file"
    )
    switch: bool = Field(description="whether the switch halts")
    reason: str = Field(description="why the switch was set last")
    by: str = Field(description="who set it last")
    at: str | None = Field(description="when; null: it was never set")
    version: int = Field(description="rises with every change of the switch")
    file: str = Field(
        description="what the file says that halts, too; empty: not there"
    )

    @classmethod
    def of(cls, halt: Halt, file: str) -> Self:
        """Return the switch and the file as the API shows them."""
        return cls(
            halted=halt.is_halted or bool(file),
            switch=halt.is_halted,
            reason=halt.reason,
            by=halt.by,
            at=to_iso(halt.at) if halt.version else None,
            version=halt.version,
            file=file,
        )


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may_read = Depends(Allow(product.gate, Role.VIEWER))
    may_halt = Depends(Allow(product.gate, Role.RESPONDER))
    router = APIRouter(prefix="/api/v1", tags=["act"])
    acting = product.acting

    @router.get("/halt", responses=SHOWN, dependencies=[may_read])
    def get_halt(response: Response) -> HaltView:
        """Show whether anything may be started."""
        halt = product.reader.ask(find_halt)
        response.headers["etag"] = f'"{halt.version}"'
        return HaltView.of(halt, acting.halting.look())

    @router.put("/halt", responses=REFUSALS, dependencies=[may_halt])
    async def put_halt(
        body: HaltBody, match: Match, response: Response, who: Who
    ) -> HaltView:
        """Let nothing start any more, and end what runs; or let it again.

        To halt needs the role responder, to let it again approver, and to
        see all teams: it lets go everybody's.
        """
        if not body.halted:
            require(who, Role.APPROVER)
            if who.teams:
                raise needs_all_teams()
        body = signed(body, who)
        stop = Stop(
            author=body.author, reason=body.reason, version=match.version
        )
        stopping = acting.stopping
        change = stopping.halt if body.halted else stopping.resume
        work = partial(change, stop=stop)
        halt = await write(product, work, is_urgent=body.halted)
        # Nobody waits until the lookout sees it.
        acting.stop_all()
        response.headers["etag"] = f'"{halt.version}"'
        return HaltView.of(halt, await run_in_threadpool(acting.halting.look))

    return router
