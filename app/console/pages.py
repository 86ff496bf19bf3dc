"""Pages: the shell of every screen; what they show comes from the API."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.api.paging import RowId
from app.bootstrap import Product
from app.console.assets import Assets
from app.console.screens import COMMON, INCIDENT, ME, SCREENS, Screen
from app.console.visitor import find_visitor
from app.core.version import VERSION
from app.models.account import Caller, Role

FOLDER = Path(__file__).parent / "templates"
HOME = "/console/incidents"
# A page says who looks at it: no cache may give it to another one.
NOT_KEPT = {"cache-control": "no-store"}


class Pages:
    """Draws pages out of templates."""

    def __init__(self, product: Product, assets: Assets) -> None:
        """Take what the pages are about, and their files."""
        self.product = product
        self.assets = assets
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def draw(
        self, template: str, status: int = 200, **given: Any
    ) -> HTMLResponse:
        """Return a page of a template."""
        page = self._templates.get_template(template)
        text = page.render(static=self.assets.root, **given)
        return HTMLResponse(text, status, headers=NOT_KEPT)

    def screen(
        self,
        screen: Screen,
        caller: Caller,
        template: str = "screen.html",
        **given: Any,
    ) -> HTMLResponse:
        """Return the page of a screen, as this person may see it."""
        return self.draw(
            template,
            name=screen.name,
            title=screen.title,
            me=caller,
            boot=json.dumps(self._boot(caller)),
            nav=self.menu(caller),
            sheets=screen.sheets,
            modules=COMMON + screen.modules,
            script=screen.name,
            **given,
        )

    def menu(self, caller: Caller) -> list[Screen]:
        """Return the screens that somebody has; others are not there."""
        return [
            one
            for one in SCREENS
            if may_open(caller, one)
            and (one.name != "simulator" or self.product.simulator.is_there)
        ]

    def _boot(self, caller: Caller) -> dict[str, Any]:
        """Return what the scripts know before they ask."""
        return {
            "name": caller.name,
            "role": caller.role,
            "teams": caller.teams,
            "team_label": self.product.rules.team_label,
            "sight": caller.sight,
            "way": caller.way,
            "open": caller.way == "local",
            "version": VERSION,
        }


def may_open(caller: Caller, screen: Screen) -> bool:
    """Tell whether somebody may do what a screen is there for.

    All that needs an admin is everybody's: the API refuses it to who sees
    some teams only, so there is no screen for it either.
    """
    is_parted = bool(caller.teams) and screen.role is Role.ADMIN
    return caller.may(screen.role) and not is_parted


def to_login(request: Request) -> RedirectResponse:
    """Send somebody to sign in, and back to where they wanted to go."""
    wanted = request.url.path
    if request.url.query:
        wanted += f"?{request.url.query}"
    return RedirectResponse(f"/console/login?next={quote(wanted)}", 303)


def make_router(pages: Pages) -> APIRouter:
    """Return the routes of the screens."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    @router.get("/console")
    @router.get("/console/")
    def home() -> RedirectResponse:
        """Send whoever comes to the first screen."""
        return RedirectResponse(HOME, 303)

    @router.get("/console/incidents/{number}")
    def incident(number: RowId, request: Request) -> Response:
        """Show one incident; its script reads the number off the address."""
        del number
        return _show(pages, INCIDENT, request)

    for screen in (*SCREENS, ME):
        _add_screen(router, pages, screen)
    return router


def _add_screen(router: APIRouter, pages: Pages, screen: Screen) -> None:
    """Add the page of one screen."""

    @router.get(f"/console/{screen.name}", name=screen.name)
    def show(request: Request) -> Response:
        """Show the screen."""
        return _show(pages, screen, request)


def _show(pages: Pages, screen: Screen, request: Request) -> Response:
    """Return a screen, or send somebody to sign in."""
    caller = find_visitor(pages.product, request)
    if caller is None:
        return to_login(request)
    if not may_open(caller, screen):
        return pages.draw(
            "refused.html", 403, caller=caller, needed=screen.role
        )
    return pages.screen(screen, caller)
