"""The front door: who answers deliveries, and FastAPI for the rest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.api import (
    approvals,
    board,
    brains,
    catalogue,
    decide,
    decisions,
    export,
    foresight,
    halt,
    handover,
    health,
    jobs,
    ladder,
    links,
    messages,
    meters,
    mine,
    missions,
    mutes,
    people,
    policy,
    problems,
    propose,
    readings,
    reins,
    session,
    simulator,
    status,
    stream,
    tokens,
    v1,
    words,
)
from app.api.docs import add_docs
from app.api.exchange import Webhook
from app.api.openapi import describe_webhooks
from app.api.sight import Sight
from app.bootstrap import Product
from app.core.errors import Refused
from app.core.version import VERSION

ABOUT = """The on-call responder that lands on an alert before anyone wakes.

Monitoring systems post alerts to /webhooks/NAME; a 2xx means that the
delivery is on disk."""

# In the order of the page of the API.
ROUTES = (
    v1,
    export,
    stream,
    words,
    mutes,
    catalogue,
    decisions,
    decide,
    reins,
    brains,
    ladder,
    foresight,
    missions,
    jobs,
    approvals,
    propose,
    halt,
    policy,
    messages,
    readings,
    meters,
    simulator,
    status,
    board,
    handover,
    links,
    mine,
    session,
    people,
    tokens,
)


def make_webhooks(product: Product) -> dict[str, Webhook]:
    """Return who answers deliveries, by path."""
    limits = product.settings.server.limits
    return {
        path: Webhook(
            entrance,
            product.intake,
            product.clock,
            limits,
            # Prometheus insists on 200; elsewhere 202 is the honest word.
            200 if path in entrance.source.paths else 202,
        )
        for entrance in (*product.entrances.values(), *product.own)
        for path in entrance.paths
    }


def make_app(product: Product) -> FastAPI:
    """Return what is not on the lean path."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        """Run the product while the service runs."""
        await product.start()
        yield
        await product.stop()

    app = FastAPI(
        title="Smokejumper",
        description=ABOUT,
        version=VERSION,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.sight = Sight(product.reader, product.rules.team_label)
    problems.install(app)
    app.include_router(health.make_router(product))
    for routes in ROUTES:
        app.include_router(routes.make_router(product))
    _add_unknown(app, product)
    describe_webhooks(app, product)
    add_docs(app)
    return app


def _add_unknown(app: FastAPI, product: Product) -> None:
    """Name the sources to whoever asks for one that is not there."""

    @app.api_route(
        "/webhooks/{name}",
        methods=["GET", "POST", "PUT"],
        include_in_schema=False,
    )
    async def unknown(name: str) -> None:
        """Refuse a source that is not configured."""
        known = ", ".join(sorted(product.entrances)) or "none"
        raise Refused(
            404,
            "unknown_source",
            f"There is no source {name[:80]!r}; there are: {known}.",
            field="path",
            remedy="Add it to 'sources' in the settings.",
        )
