"""The login: a form that works without a script."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.access.paths import local_path
from app.api.cookies import give_cookie, guest_of
from app.api.problems import headers_of
from app.console.forms import read_form
from app.console.pages import Pages
from app.console.visitor import find_visitor
from app.core.errors import Refused, TooBusy, TooOften

# However long: who has to sign in is not told of a wrong parameter.
Next = Annotated[str, Query(alias="next")]
STRANGE = ("cross-site", "same-site")
# The form must say which page it is of, or nobody believes it.
OURS = {"referrer-policy": "same-origin"}


def make_router(pages: Pages) -> APIRouter:
    """Return the routes of the login."""
    router = APIRouter(include_in_schema=False)
    product = pages.product
    gate, signing = product.gate, product.access.signing

    @router.get("/console/login")
    def show(request: Request, wanted: Next = "") -> Response:
        """Show the form, or go on when somebody is signed in."""
        path = local_path(wanted)
        if request.headers.get("sec-fetch-site") in STRANGE:
            # A link on another site brings no cookie; our own page does.
            return pages.draw("bounce.html", path=path)
        visitor = find_visitor(product, request)
        if visitor is not None and visitor.way == "session":
            return RedirectResponse(path, 303)
        return draw(pages, path)

    @router.post("/console/login")
    async def sign_in(request: Request) -> Response:
        """Sign in, and go on to where somebody wanted to go."""
        path, name = local_path(""), ""
        try:
            fields = await read_form(product, request)
            path = local_path(fields.get("next", ""))
            name = fields.get("name", "")[:200]
            password = fields.get("password", "")
            guest = guest_of(gate, request)
            entered = await signing.sign_in(name, password, guest)
        except Refused as refusal:
            return draw(pages, path, name, refusal)
        response = RedirectResponse(path, 303)
        give_cookie(response, request, gate, entered)
        return response

    return router


def draw(
    pages: Pages, path: str, name: str = "", refusal: Refused | None = None
) -> Response:
    """Return the form, and what was wrong the last time."""
    oidc = pages.product.access.oidc
    page = pages.draw(
        "login.html",
        200 if refusal is None else refusal.status,
        path=path,
        quoted=quote(path),
        name=name,
        says=say(refusal),
        label=oidc.label if oidc is not None else "",
    )
    page.headers.update(OURS)
    if isinstance(refusal, TooOften):
        page.headers["retry-after"] = str(refusal.seconds)
    elif isinstance(refusal, TooBusy):
        page.headers.update(headers_of(refusal.status))
    return page


def say(refusal: Refused | None) -> str:
    """Return what a person is told of a refusal."""
    if refusal is None:
        return ""
    return f"{refusal.detail} {refusal.remedy}".strip()
