"""The set-up: a link that holds once becomes a password."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.access.accounts import find_link
from app.api.cookies import give_cookie
from app.console.forms import read_form
from app.console.login import OURS, say
from app.console.pages import HOME, Pages
from app.core.errors import Refused
from app.models.account import Invitation
from app.store.accounts import find_account
from app.store.ledger import Connection

Token = Annotated[str, Query(max_length=200)]
TWO = Refused(422, "not_the_same", "The two passwords are not the same.")


def make_router(pages: Pages) -> APIRouter:
    """Return the routes of the set-up."""
    router = APIRouter(include_in_schema=False)
    product = pages.product
    gate, signing = product.gate, product.access.signing

    @router.get("/console/setup")
    def show(token: Token = "") -> Response:
        """Show the form that sets a password."""
        now, issuer = product.clock.now(), gate.settings.issuer
        find = partial(find_name, token=token, now=now, issuer=issuer)
        try:
            return draw(pages, token, product.reader.ask(find))
        except Refused as refusal:
            return draw(pages, "", "", refusal)

    @router.post("/console/setup")
    async def set_up(request: Request) -> Response:
        """Set the password, and come in."""
        token, name = "", ""
        try:
            fields = await read_form(product, request)
            token, name = fields.get("token", ""), fields.get("name", "")
            password = fields.get("password", "")
            if password != fields.get("again", ""):
                raise TWO
            agent = request.headers.get("user-agent", "")
            entered = await signing.set_up(token, name, password, agent)
        except Refused as refusal:
            return draw(pages, token, name[:200], refusal)
        response = RedirectResponse(HOME, 303)
        give_cookie(response, request, gate, entered)
        return response

    return router


def find_name(
    connection: Connection, token: str, now: int, issuer: str
) -> str:
    """Return for whom a link is; empty: for whoever opens it.

    Raises:
        Refused: it holds no longer.
    """
    link: Invitation = find_link(connection, token, now, issuer)
    account = find_account(connection, link.account_id)
    return account.name if account is not None else ""


def draw(
    pages: Pages, token: str, name: str, refusal: Refused | None = None
) -> Response:
    """Return the form, and what was wrong the last time."""
    is_dead = refusal is not None and refusal.reason == "link_used"
    page = pages.draw(
        "setup.html",
        200 if refusal is None else refusal.status,
        token="" if is_dead else token,
        name=name,
        says=say(refusal),
    )
    page.headers.update(OURS)
    return page
