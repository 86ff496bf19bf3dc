"""Run the service until it is told to stop."""

import asyncio
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.api.door import make_webhooks
from app.api.protocol import make_protocol
from app.bootstrap import Product

DRAIN_SECONDS = 10


class Server(uvicorn.Server):
    """uvicorn's server, which ends what never ends before it waits."""

    def __init__(self, config: uvicorn.Config, product: Product) -> None:
        """Take the settings of uvicorn and whose streams are to end."""
        super().__init__(config)
        self._product = product
        self._signalled = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Wait for a signal; uvicorn wakes ten times a second for that."""
        self._loop = asyncio.get_running_loop()
        await self._signalled.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal, and end the wait, or let none begin."""
        super().handle_exit(sig, frame)
        if self._loop is None:
            self._signalled.set()
        else:
            self._loop.call_soon_threadsafe(self._signalled.set)

    async def shutdown(
        self, sockets: list[socket.socket] | None = None
    ) -> None:
        """End the streams, then drain."""
        for end in self._product.endless:
            end()
        await super().shutdown(sockets)


def make_server(product: Product, app: FastAPI) -> uvicorn.Server:
    """Return a server that is ready to run.

    Args:
        product: whose deliveries take the lean path.
        app: what answers everything else.
    """
    server = product.settings.server
    config = uvicorn.Config(
        app,
        host=server.host,
        port=server.port,
        loop="uvloop",
        http=make_protocol(server.limits, make_webhooks(product)),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        backlog=2048,
    )
    return Server(config, product)
