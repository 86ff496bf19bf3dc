"""The simulator's server: its REST and its page.

It is made of a House (house.py); everything slow runs in worker threads,
and the House does all of its starting in threads of its own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from simulator import answers
from simulator.fault import Order
from simulator.house import House
from simulator.lock import Lock
from simulator.problem import Refused, Unable, Unknown
from simulator.truth import Truth, parse_iso

HERE = Path(__file__).parent
PARTS = ("level", "seconds", "options")
# Nothing but what is ours, and in nobody's frame.
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; connect-src 'self';"
    " img-src data:; script-src 'self'; style-src 'unsafe-inline';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
Body = Annotated[dict[str, Any], Depends(answers.read_order)]


def make_app(house: House) -> FastAPI:
    """Return the server of a house; it opens and closes it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        """Open the house while the server runs."""
        await run_in_threadpool(house.open)
        try:
            yield
        finally:
            await run_in_threadpool(house.close)

    app = FastAPI(
        title="Smokejumper's problem simulator",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    answers.install(app)
    app.add_middleware(Lock, token=house.token)
    _add_faults(app, house)
    _add_scenarios(app, house)
    _add_services(app, house)
    _add_page(app, house)
    return app


def make_order(kind: str, body: dict[str, Any]) -> Order:
    """Return what a body orders, or raise Refused with the field."""
    for name in body:
        if name not in PARTS:
            raise Refused(
                f"an order has no {name[:40]!r}",
                field=name[:40],
                remedy=f"It has: {', '.join(PARTS)}",
            )
    options = body.get("options") or {}
    if not isinstance(options, dict):
        raise Refused(
            "the options are no mapping",
            field="options",
            remedy='Write them as {"name": value}',
        )
    return Order(kind, body.get("level"), body.get("seconds"), options)


def _add_faults(app: FastAPI, house: House) -> None:
    """Add what begins faults, ends them, and tells of them."""

    @app.get("/api/state")
    def state() -> dict[str, Any]:
        """Return all that there is, and what runs."""
        return house.state()

    @app.post("/api/faults/{kind}", status_code=201)
    async def begin(kind: str, body: Body) -> dict[str, Any]:
        """Begin a fault."""
        order = make_order(kind, body)
        truth = await run_in_threadpool(house.stage.start, order)
        return truth.as_json()

    @app.delete("/api/faults/{kind}")
    def end(kind: str) -> dict[str, Any]:
        """End one kind."""
        return _told(house.stage.stop(kind))

    @app.delete("/api/faults")
    def end_all() -> dict[str, Any]:
        """End the scenario and all faults."""
        return _told(house.all_off())

    @app.get("/api/truth")
    def truth(since: str = "") -> dict[str, Any]:
        """Return what ran at or after a moment."""
        moment = None
        if since:
            try:
                # In an address a plus that nobody escaped is a space.
                moment = parse_iso(since.replace(" ", "+"))
            except ValueError as error:
                raise Refused(
                    f"{since[:40]!r} is no moment",
                    field="since",
                    remedy="Write it as 2026-11-21T20:00:00Z",
                ) from error
        return _told(_truths(house, moment))


def _truths(house: House, moment: datetime | None) -> list[Truth]:
    """Return what ran at or after a moment, or raise Unable."""
    try:
        return house.stage.truths.since(moment)
    except OSError as error:
        raise Unable(
            f"what happened cannot be read now: {error.strerror}",
            field="folder",
            remedy="Try again when this machine has room for it",
        ) from error


def _told(truths: list[Any]) -> dict[str, Any]:
    """Return truths as they are sent."""
    return {"truth": [one.as_json() for one in truths]}


def _add_scenarios(app: FastAPI, house: House) -> None:
    """Add what plays scenarios."""

    @app.get("/api/scenarios")
    def scenarios() -> dict[str, Any]:
        """Return what can be played, and what is."""
        return {"scenarios": house.scenarios(), "playing": house.playing()}

    @app.post("/api/scenarios/{name}", status_code=201)
    def play(name: str) -> dict[str, Any]:
        """Begin a scenario."""
        house.play(name)
        return {"playing": house.playing()}

    @app.delete("/api/scenarios")
    def stop() -> dict[str, Any]:
        """End the scenario that plays, and its faults."""
        return _told(house.stop_playing())


def _add_services(app: FastAPI, house: House) -> None:
    """Add what ctl.py asks."""

    @app.get("/api/services")
    def services() -> dict[str, Any]:
        """Return how all services are."""
        return {"services": house.services()}

    @app.get("/api/services/{name}")
    def service(name: str) -> dict[str, Any]:
        """Return how a service is."""
        return house.keeper.look(name).told()

    @app.post("/api/services/{name}/restart")
    def restart(name: str) -> dict[str, Any]:
        """Start a service anew."""
        return house.keeper.restart(name).told()


def _add_page(app: FastAPI, house: House) -> None:
    """Add the page, and whether the server lives."""

    @app.get("/health")
    def health() -> dict[str, str]:
        """Say that it lives."""
        return {"status": "ok"}

    @app.get("/", include_in_schema=False)
    def page() -> Response:
        """Show the page."""
        return _file(house, "page.html")

    @app.get("/page.js", include_in_schema=False)
    def script() -> Response:
        """Return what the page runs."""
        return _file(house, "page.js")


def _file(house: House, name: str) -> Response:
    """Return a file of the page, unless the settings want none."""
    if not house.settings.page:
        raise Unknown(
            "this simulator has no page",
            field="page",
            remedy="Set 'page: true', or use python -m simulator",
        )
    return FileResponse(HERE / name, headers=HEADERS)
