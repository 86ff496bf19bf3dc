"""The front door: deliveries go the lean way, the rest through FastAPI."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.api import health, problems, v1
from app.api.openapi import describe_webhooks
from app.api.webhooks import Receive, Scope, Send, WebhookApp
from app.bootstrap import Product
from app.core.errors import Refused
from app.core.version import VERSION

ABOUT = """The on-call responder that lands on an alert before anyone wakes.

Monitoring systems post alerts to /webhooks/NAME; a 2xx means that the
delivery is on disk."""


class Door:
    """The whole service as one ASGI app."""

    def __init__(self, product: Product) -> None:
        limits = product.settings.server.limits
        self._app = make_app(product)
        self._webhooks = {
            path: WebhookApp(entrance, product.intake, product.clock, limits)
            for entrance in product.entrances.values()
            for path in entrance.paths
        }

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send a request to whoever answers it."""
        if scope["type"] == "http":
            webhook = self._webhooks.get(scope["path"])
            if webhook is not None:
                await webhook(scope, receive, send)
                return
        await self._app(scope, receive, send)


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
    )
    problems.install(app)
    app.include_router(health.make_router(product))
    app.include_router(v1.make_router(product))
    _add_unknown(app, product)
    describe_webhooks(app, product)
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
