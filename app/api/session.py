"""Coming in and going out: a session, the set-up link, a new password."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from app.access.asked import check_page
from app.access.gate import cookie_of
from app.api.access import Allow, Who, to_asked
from app.api.cookies import give_cookie, guest_of, take_cookie
from app.api.people_views import (
    MeView,
    PasswordBody,
    SetupBody,
    SignInBody,
)
from app.bootstrap import Product
from app.core.errors import Refused
from app.models.account import Caller, Role
from app.store.sessions import find_session

REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "The name or the password is wrong."},
    429: {"description": "Too many tries failed: wait first."},
}
SETUP: dict[int | str, dict[str, Any]] = {
    403: {"description": "The link was used already, or is over."}
}
EXAMPLE = {
    "name": "ana",
    "role": "approver",
    "teams": [],
    "way": "session",
    "expires_at": "2026-11-21T14:47:30Z",
    "open": False,
}
SHOWN: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"example": EXAMPLE}}}
}


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    router = APIRouter(prefix="/api/v1", tags=["session"])
    _add_doors(router, product)
    may = Depends(Allow(product.gate, Role.VIEWER))
    inside = APIRouter(dependencies=[may])
    _add_me(inside, product)
    router.include_router(inside)
    return router


def _add_doors(router: APIRouter, product: Product) -> None:
    """Add the routes that anybody may ask."""
    gate, signing = product.gate, product.access.signing
    url = gate.settings.public_url

    @router.post("/session", responses=REFUSALS)
    async def sign_in(
        body: SignInBody, request: Request, response: Response
    ) -> MeView:
        """Sign in with a name and a password."""
        check_page(to_asked(request), url)
        guest = guest_of(gate, request)
        entered = await signing.sign_in(body.name, body.password, guest)
        give_cookie(response, request, gate, entered)
        return MeView.of(entered.caller, entered.ends_at, is_open=False)

    @router.post("/setup", responses=SETUP)
    async def set_up(
        body: SetupBody, request: Request, response: Response
    ) -> MeView:
        """Use a link once: set a password, or make the first admin."""
        check_page(to_asked(request), url)
        agent = request.headers.get("user-agent", "")
        entered = await signing.set_up(
            body.token, body.name, body.password, agent
        )
        give_cookie(response, request, gate, entered)
        return MeView.of(entered.caller, entered.ends_at, is_open=False)


def _add_me(router: APIRouter, product: Product) -> None:
    """Add the routes about who asks."""
    gate, signing = product.gate, product.access.signing

    @router.get("/me", responses=SHOWN)
    def get_me(who: Who) -> MeView:
        """Say who one is here, and what one may do."""
        find = partial(find_session, number=who.session_id)
        session = product.reader.ask(find) if who.session_id else None
        ends_at = session.expires_at if session else None
        return MeView.of(who, ends_at, is_open=gate.is_open())

    @router.put("/me/password", responses=REFUSALS)
    async def put_password(
        body: PasswordBody, request: Request, response: Response, who: Who
    ) -> MeView:
        """Set a new password; all other sessions of one's own end."""
        number = _account_of(who)
        guest = guest_of(gate, request)
        entered = await signing.change_password(
            number, body.old, body.new, guest
        )
        give_cookie(response, request, gate, entered)
        return MeView.of(entered.caller, entered.ends_at, is_open=False)

    @router.delete("/session", status_code=204)
    async def sign_out(request: Request, who: Who) -> Response:
        """Sign out: this session is over at once, on every node."""
        if who.session_id:
            url = gate.settings.public_url
            await signing.sign_out(cookie_of(to_asked(request), url))
        response = Response(status_code=204)
        take_cookie(response)
        return response


def _account_of(caller: Caller) -> int:
    """Return whose session it is.

    Raises:
        Refused: it is none.
    """
    if caller.session_id:
        return caller.account_id
    raise Refused(
        409,
        "no_session",
        "Only who has signed in can change their password.",
        remedy="Sign in with the old one first.",
    )
