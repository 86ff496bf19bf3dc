"""Is it alive, is it ready, what does it count, which release is it."""

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from app.bootstrap import Product
from app.core.errors import StorageFailed, TooBusy
from app.core.log import get_log
from app.core.version import VERSION

READY_SECONDS = 2.0
log = get_log("api")


class State(BaseModel):
    """Whether it is well."""

    status: str


class Version(BaseModel):
    """Which release it is."""

    name: str
    version: str


def make_router(product: Product) -> APIRouter:
    """Return the routes that watch the service itself."""
    router = APIRouter(tags=["health"])

    # What asks for the head alone is a load balancer.
    @router.head("/health", include_in_schema=False)
    @router.get("/health")
    async def health() -> State:
        """Say that the process answers; it says nothing about the disk."""
        return State(status="alive")

    @router.head("/ready", include_in_schema=False)
    @router.get("/ready")
    async def ready() -> State:
        """Say that alerts can be taken: a row was written and read back."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await product.committer.probe()
        except TimeoutError as error:
            detail = "The disk did not answer in time."
            raise TooBusy("not_ready", detail) from error
        except StorageFailed as error:
            # What it says is for the log, not for strangers.
            log.warning("probe.failed", error=str(error))
            detail = "The database did not take a row."
            raise TooBusy("not_ready", detail) from error
        return State(status="ready")

    @router.get("/version")
    async def version() -> Version:
        """Say which release this is."""
        return Version(name="smokejumper", version=VERSION)

    @router.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Return the metrics in Prometheus' text form."""
        text = generate_latest(product.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return router
