"""Run the service."""

import gc
import os
import signal
from typing import Annotated

import typer

from app.api.server import make_server
from app.bootstrap import Product, build
from app.cli.output import stop
from app.cli.setup import WRONG_SETTINGS, ConfigFile, explain, read_config
from app.console.site import make_site
from app.core.errors import ConfigError, StorageFailed
from app.core.log import get_log, set_up_log
from app.core.version import VERSION
from app.store.migrate import look, migrate

log = get_log("serve")
NO_DATABASE = 3
NOT_SERVED = 4


def serve(
    config: ConfigFile = None,
    port: Annotated[
        int | None, typer.Option(help="Listen here instead.", min=0)
    ] = None,
) -> None:
    """Accept alerts until told to stop (SIGTERM or Ctrl-C)."""
    if port is not None:
        os.environ["SMOKEJUMPER_SERVER__PORT"] = str(port)
    try:
        product = build(read_config(config))
    except ConfigError as error:
        stop(explain(error), WRONG_SETTINGS)
    settings = product.settings
    set_up_log(settings.log.level, settings.log.format)
    _look_at_database(product)
    log.info(
        "service.started",
        version=VERSION,
        database=str(product.location),
        sources=sorted(product.entrances),
    )
    server = make_server(product, make_site(product))
    # uvicorn drains at the first signal and raises it again at the end.
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, signal.SIG_IGN)
    # What is here now stays to the end: the collector need not look at it.
    gc.collect()
    gc.freeze()
    try:
        server.run()
    except SystemExit:
        # uvicorn's way to say that it cannot listen; it logged why.
        host, taken = settings.server.host, settings.server.port
        stop(
            f"It cannot listen on {host}:{taken}; the line above says why."
            " Stop what listens there, or choose another server.port.",
            NOT_SERVED,
        )
    if not server.started:
        stop("It did not start; the lines above say why.", NOT_SERVED)
    log.info("service.stopped")


def _look_at_database(product: Product) -> None:
    """Have the schema of this release, or end with what to do."""
    may_migrate = product.settings.database.migrate_on_start
    try:
        if may_migrate:
            migrate(product.location)
        else:
            look(product.location)
    except StorageFailed as error:
        stop(str(error), NO_DATABASE)
