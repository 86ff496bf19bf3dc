"""What people say and decide about an incident.

Whoever is signed in speaks as who they are; this machine says who it is.
"""

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from app.api.access import Allow, Who, signed
from app.api.sight import OfTeams, Sight
from app.api.speech import (
    AcknowledgeBody,
    CorrectionBody,
    Given,
    MergeBody,
    NoteBody,
    OwnerBody,
    RowId,
    Speech,
    SplitBody,
    WordPage,
    WordView,
)
from app.bootstrap import Product
from app.core.errors import Refused
from app.core.numbers import LAST_ID
from app.models.account import Role
from app.models.word import Kind, Word
from app.store.incidents import find_incidents
from app.store.ledger import Connection
from app.store.people import find_family, find_words
from app.store.teams import keep_seen

REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such incident."},
    409: {
        "description": "Somebody else was first: it says who, and when; or "
        "the incident lives on in another one."
    },
}


class Spoken:
    """Who speaks, and the headers; a FastAPI dependency."""

    def __init__(self, who: Who, headers: Given) -> None:
        """Take both as they came."""
        self.who = who
        self.headers = headers


By = Annotated[Spoken, Depends()]


class Desk:
    """Takes what people ask for to the keeper."""

    def __init__(self, product: Product) -> None:
        """Take whom to ask."""
        self._product = product
        self._sight = Sight(product.reader, product.rules.team_label)

    async def say(
        self, kind: Kind, number: int, body: Speech, given: Spoken
    ) -> WordView:
        """Have a call done, and return the word that is kept."""
        headers = given.headers
        body = signed(body, given.who)
        if isinstance(body, MergeBody):
            await self._sight.check_into(body.into, given.who.teams)
        call = body.to_call(kind, number, headers.key, headers.version)
        work = partial(self._product.people.say, call=call)
        asked = asyncio.wrap_future(self._product.keeper.ask(work))
        # Whoever hangs up does not stop what was begun.
        return WordView.of(await asyncio.shield(asked))


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may_read = Depends(Allow(product.gate, Role.VIEWER))
    may_speak = Depends(Allow(product.gate, Role.RESPONDER))
    router = APIRouter(prefix="/api/v1", tags=["words"], responses=REFUSALS)
    reading = APIRouter(dependencies=[may_read])
    _add_list(reading, product)
    speaking = APIRouter(dependencies=[may_speak])
    desk = Desk(product)
    _add_words(speaking, desk)
    _add_decisions(speaking, desk)
    _add_regrouping(speaking, desk)
    router.include_router(speaking)
    router.include_router(reading)
    return router


def _add_words(router: APIRouter, desk: Desk) -> None:
    """Add the routes of what decides nothing."""

    @router.post("/incidents/{incident_id}/notes", status_code=201)
    async def add_note(
        incident_id: RowId, body: NoteBody, given: By
    ) -> WordView:
        """Write a note about an incident."""
        return await desk.say(Kind.NOTE, incident_id, body, given)

    @router.post("/incidents/{incident_id}/corrections", status_code=201)
    async def add_correction(
        incident_id: RowId, body: CorrectionBody, given: By
    ) -> WordView:
        """Say what was wrong about an incident."""
        return await desk.say(Kind.CORRECTION, incident_id, body, given)


def _add_decisions(router: APIRouter, desk: Desk) -> None:
    """Add the routes of who looks at it."""

    @router.post("/incidents/{incident_id}/acknowledge", status_code=201)
    async def acknowledge(
        incident_id: RowId, body: AcknowledgeBody, given: By
    ) -> WordView:
        """Say that somebody looks at an incident."""
        return await desk.say(Kind.ACKNOWLEDGE, incident_id, body, given)

    @router.post("/incidents/{incident_id}/unacknowledge", status_code=201)
    async def unacknowledge(
        incident_id: RowId, body: AcknowledgeBody, given: By
    ) -> WordView:
        """Take an acknowledgement back."""
        return await desk.say(Kind.UNACKNOWLEDGE, incident_id, body, given)

    @router.post("/incidents/{incident_id}/owner", status_code=201)
    async def set_owner(
        incident_id: RowId, body: OwnerBody, given: By
    ) -> WordView:
        """Say who takes care of an incident; an empty name releases it."""
        return await desk.say(Kind.OWNER, incident_id, body, given)


def _add_regrouping(router: APIRouter, desk: Desk) -> None:
    """Add the routes of what belongs together."""

    @router.post("/incidents/{incident_id}/split", status_code=201)
    async def split(
        incident_id: RowId, body: SplitBody, given: By
    ) -> WordView:
        """Move some episodes of an incident into one of their own."""
        return await desk.say(Kind.SPLIT, incident_id, body, given)

    @router.post("/incidents/{incident_id}/merge", status_code=201)
    async def merge(
        incident_id: RowId, body: MergeBody, given: By
    ) -> WordView:
        """Move all of an incident into another one, which lives on."""
        return await desk.say(Kind.MERGE, incident_id, body, given)


def _add_list(router: APIRouter, product: Product) -> None:
    """Add the route that shows words."""

    @router.get("/incidents/{incident_id}/words")
    def list_words(
        incident_id: RowId,
        teams: OfTeams,
        after: Annotated[int, Query(ge=0, le=LAST_ID)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> WordPage:
        """List what people said about an incident, the oldest first.

        The words about incidents that were merged into it are among them.
        """

        def question(connection: Connection) -> list[Word]:
            """Find the words of the incident and of those merged into it."""
            if not find_incidents(connection, [incident_id]):
                raise _missing(incident_id)
            family = find_family(connection, incident_id)
            family = keep_seen(connection, family, teams)
            return find_words(connection, family, after, limit + 1)

        words = product.reader.ask(question)
        items = [WordView.of(word) for word in words[:limit]]
        following = None
        if len(words) > limit:
            following = (
                f"/api/v1/incidents/{incident_id}/words"
                f"?after={items[-1].id}&limit={limit}"
            )
        return WordPage(items=items, next=following)


def _missing(number: int) -> Refused:
    """Return the refusal for an incident that is not there."""
    return Refused(
        404,
        "not_found",
        f"There is no incident {number}.",
        field="incident_id",
        remedy="List what there is with GET /api/v1/incidents.",
    )
