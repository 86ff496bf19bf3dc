"""Run the service until it is told to stop."""

import socket

import uvicorn

from app.api.door import make_app, make_webhooks
from app.api.protocol import make_protocol
from app.bootstrap import Product

DRAIN_SECONDS = 10


class Server(uvicorn.Server):
    """uvicorn's server, which ends what never ends before it waits."""

    def __init__(self, config: uvicorn.Config, product: Product) -> None:
        """Take the settings of uvicorn and whose streams are to end."""
        super().__init__(config)
        self._product = product

    async def shutdown(
        self, sockets: list[socket.socket] | None = None
    ) -> None:
        """End the streams, then drain."""
        for end in self._product.endless:
            end()
        await super().shutdown(sockets)


def make_server(product: Product) -> uvicorn.Server:
    """Return a server that is ready to run."""
    server = product.settings.server
    config = uvicorn.Config(
        make_app(product),
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
