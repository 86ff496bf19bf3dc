"""What is one's own: where one is signed in, and one's tokens."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from app.access.accounts import By, sign_out
from app.api.access import Allow, Who
from app.api.cookies import take_cookie
from app.api.examples import AT, LATER
from app.api.people_views import EndedView, SessionView
from app.api.speech import RowId
from app.api.token_views import TokenPage, TokenView
from app.api.tokens import PageQuery, show_page
from app.api.turns import write
from app.bootstrap import Product
from app.core.errors import Refused
from app.models.account import Caller, Role
from app.store.ledger import Connection
from app.store.sessions import list_sessions

LOST: dict[int | str, dict[str, Any]] = {
    404: {"description": "One has no such session or token."},
    409: {"description": "Only who has signed in may."},
}
SESSIONS: dict[str, Any] = {
    "items": [
        {
            "id": 4,
            "way": "password",
            "agent": "Firefox on Linux",
            "created_at": AT,
            "seen_at": LATER,
            "expires_at": LATER,
        }
    ],
    "current": 4,
}
TOKENS: dict[str, Any] = {
    "items": [
        {
            "id": 2,
            "account": 3,
            "owner": "ana",
            "label": "dashboard",
            "role": "viewer",
            "teams": [],
            "sources": [],
            "created_at": AT,
            "created_by": "kim",
            "expires_at": LATER,
            "used_at": None,
            "revoked_at": None,
        }
    ],
    "next": None,
}


class MySessions(BaseModel):
    """Where one is signed in, the newest first."""

    items: list[SessionView]
    current: int = Field(description="the session that asks, or 0")


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(
        prefix="/api/v1/me", dependencies=[may], tags=["session"]
    )

    @router.get("/sessions", responses=_shown(SESSIONS))
    def get_sessions(who: Who) -> MySessions:
        """List where one is signed in."""
        find = partial(_find_sessions, who=who, now=product.clock.now())
        return MySessions(
            items=product.reader.ask(find), current=who.session_id
        )

    @router.get("/tokens", responses=_shown(TOKENS))
    def get_tokens(
        request: Request, query: Annotated[PageQuery, Query()], who: Who
    ) -> TokenPage:
        """List the tokens of one's account, the newest first."""
        return show_page(product, request, query, who.account_id)

    _add_ending(router, product)
    return router


def _add_ending(router: APIRouter, product: Product) -> None:
    """Add the routes by which one shuts one's own doors."""
    keys = product.access.keys

    @router.delete("/sessions")
    async def end_sessions(who: Who, response: Response) -> EndedView:
        """Sign out in every browser, this one too."""
        _must_be_signed_in(who)
        by = By.of(who, product.clock.now())
        work = partial(sign_out, number=who.account_id, by=by)
        ended = await write(product, work)
        product.gate.forget()
        take_cookie(response)
        return EndedView(ended=ended)

    @router.delete("/sessions/{session_id}", responses=LOST)
    async def end_session(
        session_id: RowId, who: Who, response: Response
    ) -> EndedView:
        """Sign out in one browser, such as one that is not at hand."""
        _must_be_signed_in(who)
        work = partial(
            sign_out,
            number=who.account_id,
            by=By.of(who, product.clock.now()),
            session=session_id,
        )
        ended = await write(product, work)
        product.gate.forget()
        if session_id == who.session_id:
            take_cookie(response)
        return EndedView(ended=ended)

    @router.delete("/tokens/{token_id}", responses=LOST)
    async def delete_token(token_id: RowId, who: Who) -> TokenView:
        """Revoke a token of one's own; it opens nothing more in seconds."""
        _must_be_signed_in(who)
        work = partial(
            keys.tokens.revoke,
            number=token_id,
            caller=who,
            account=who.account_id,
        )
        revoked = await write(product, work)
        await keys.locksmith.look()
        return TokenView.of(revoked.token, revoked.owner)


def _must_be_signed_in(who: Caller) -> None:
    """Refuse programs: a token that may only see would shut its person out."""
    if not who.session_id:
        raise Refused(
            409,
            "no_session",
            "Only who has signed in can sign out, or revoke own tokens.",
            remedy="Sign in first, or ask an admin.",
        )


def _shown(example: Any) -> dict[int | str, dict[str, Any]]:
    """Return what the page of the API says about an answer."""
    return {200: {"content": {"application/json": {"example": example}}}}


def _find_sessions(
    connection: Connection, who: Caller, now: int
) -> list[SessionView]:
    """Return the sessions of who asks."""
    if not who.account_id:
        return []
    found = list_sessions(connection, who.account_id, now)
    return [SessionView.of(one) for one in found]
