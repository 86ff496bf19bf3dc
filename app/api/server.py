"""Run the service until it is told to stop."""

import uvicorn

from app.api.door import make_app, make_webhooks
from app.api.protocol import make_protocol
from app.bootstrap import Product

DRAIN_SECONDS = 10


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
    return uvicorn.Server(config)
