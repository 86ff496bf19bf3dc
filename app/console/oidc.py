"""The way to the provider that people sign in with, and back.

The session's cookie is sent to no page that another site leads to. So the
way back ends on a page of ours, which goes on by itself.
"""

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.access.oidc import Back, SingleSignOn
from app.access.oidc_claims import Person
from app.access.oidc_state import COOKIE, SAFE_COOKIE, SECONDS
from app.access.paths import local_path
from app.access.signing_in import Entered
from app.api.cookies import give_cookie
from app.console.login import Next, draw
from app.console.pages import Pages
from app.core.errors import Refused
from app.core.log import get_log
from app.store.ledger import Connection

PATH = "/console/login/oidc"
NOT_KEPT = {"cache-control": "no-store"}
log = get_log("access")


def make_router(pages: Pages) -> APIRouter:
    """Return the routes, none when there is no provider."""
    router = APIRouter(prefix=PATH, include_in_schema=False)
    oidc = pages.product.access.oidc
    if oidc is not None:
        _add_routes(router, pages, oidc)
    return router


def _add_routes(router: APIRouter, pages: Pages, oidc: SingleSignOn) -> None:
    """Add the way there, and back."""
    gate, signing = pages.product.gate, pages.product.access.signing
    is_https = gate.settings.public_url.startswith("https://")
    # A browser takes the safe name for all pages only.
    name, place = (SAFE_COOKIE, "/") if is_https else (COOKIE, PATH)

    @router.get("")
    async def go(
        wanted: Next = "",
    ) -> Response:
        """Send a browser to the provider."""
        path = local_path(wanted)
        try:
            address, cookie = await oidc.begin(path)
        except Refused as refusal:
            return draw(pages, path, refusal=refusal)
        response = RedirectResponse(address, 303, headers=NOT_KEPT)
        response.set_cookie(
            name,
            cookie,
            max_age=SECONDS,
            path=place,
            secure=is_https,
            httponly=True,
            # Not strict: the provider is another site that leads here.
            samesite="lax",
        )
        return response

    @router.get("/callback")
    async def come_back(request: Request) -> Response:
        """Let somebody in who comes back from the provider."""
        agent = request.headers.get("user-agent", "")
        cookie = request.cookies.get(name, "")
        try:
            person, path = await oidc.finish(_read(request), cookie)
            entered = await signing.write(_enter(pages, oidc, person, agent))
        except Refused as refusal:
            log.info("oidc.refused", reason=refusal.reason)
            response = draw(pages, local_path(""), refusal=refusal)
        else:
            response = pages.draw("bounce.html", path=path)
            give_cookie(response, request, gate, entered)
        response.delete_cookie(
            name, path=place, secure=is_https, httponly=True, samesite="lax"
        )
        return response


def _read(request: Request) -> Back:
    """Return what a browser brings back."""
    given = request.query_params
    return Back(
        state=given.get("state", ""),
        code=given.get("code", "")[:4_000],
        issuer=given.get("iss"),
        error=given.get("error", ""),
    )


def _enter(
    pages: Pages, oidc: SingleSignOn, person: Person, agent: str
) -> Callable[[Connection], Entered]:
    """Return what opens a session for somebody, in one turn."""

    def work(connection: Connection) -> Entered:
        """Find or make the account, and open a session."""
        account = oidc.enter(connection, person)
        signing = pages.product.access.signing
        return signing.open(connection, account, "oidc", agent)

    return work
