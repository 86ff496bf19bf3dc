"""watch: this machine's own monitor, as a process of its own."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from app.bootstrap import HOME
from app.bootstrap.watch import Whom, make_watch
from app.cli.output import stop
from app.cli.setup import WRONG_SETTINGS, explain
from app.core.clock import SystemClock
from app.core.configfile import Config, load_config
from app.core.errors import ConfigError
from app.core.log import get_log, set_up_log
from app.core.version import VERSION
from app.watch.settings import StandaloneSettings, WatchSettings
from app.watch.watching import Watch

log = get_log("watch")


def watch(
    to: Annotated[
        str,
        typer.Option(
            help="The service that is told, such as http://10.1.2.3:8080;"
            " watch.url of the settings file when left out.",
        ),
    ] = "",
    settings: Annotated[
        Path | None,
        typer.Option(
            help="A file with the sections watch and host.",
            show_default="every setting as it is when nobody sets it",
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--log", help="json, or console for people.")
    ] = "json",
) -> None:
    """Watch this machine and tell a service elsewhere of it."""
    try:
        chore, url = _make(settings, to)
    except ConfigError as error:
        stop(explain(error), WRONG_SETTINGS)
    set_up_log("info", "console" if form == "console" else "json")
    log.info("watch.started", version=VERSION, to=url)
    asyncio.run(_until_told(chore))
    log.info("watch.stopped")


def _make(file: Path | None, to: str) -> tuple[Watch, str]:
    """Return the watch and whom it tells, or raise ConfigError."""
    origins: dict[tuple[str, ...], str] = {(): "the command line"}
    config = Config({}, origins) if file is None else _read(file)
    url = to or config.read(WatchSettings, "watch").url
    checked = Config({"watch": {"url": url}}, {(): "--to"})
    checked.read(WatchSettings, "watch")
    if not url:
        what = "nobody is named that is told"
        remedy = "Say --to http://HOST:PORT, or set watch.url."
        raise ConfigError([config.problem(("watch", "url"), what, remedy)])
    whom = Whom(url, HOME / "var" / "watch")
    made, _ = make_watch(config, os.environ, SystemClock(), whom)
    return made, url


def _read(file: Path) -> Config:
    """Return the settings of a file, or raise ConfigError."""
    config = load_config(file, {})
    config.read(StandaloneSettings)
    return config


async def _until_told(chore: Watch) -> None:
    """Watch until SIGTERM or Ctrl-C."""
    task = asyncio.create_task(chore.run())
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
