"""The watch: what looks at this machine, made out of the settings."""

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.access.keyring import PREFIX
from app.bootstrap.ground import Ground
from app.core.clock import Clock
from app.core.configfile import Config, reveal
from app.core.errors import ConfigError, ConfigProblem
from app.core.host import HostSettings
from app.core.look.readings import Readings
from app.core.remote import bearer
from app.core.site import site_of
from app.ingest.auth import AuthSettings
from app.ingest.entrances import SourceSettings
from app.ingest.tokens import KINDS
from app.watch.settings import WatchSettings
from app.watch.watching import Place, Watch

SECTION = "watch"


class Whom(NamedTuple):
    """Who is told, and where is kept what.

    Attributes:
        url: the service.
        folder: for the file of what outlives a restart.
    """

    url: str
    folder: Path


class Watching(msgspec.Struct, frozen=True):
    """What watches this machine.

    Attributes:
        readings: what it measured, None when nothing watches.
        chores: what it does as long as the service runs.
    """

    readings: Readings | None = None
    chores: tuple[Watch, ...] = ()


def make_watching(ground: Ground) -> Watching:
    """Return what watches, or raise ConfigError with what is wrong."""
    config, outside = ground.config, ground.outside
    settings = config.read(WatchSettings, SECTION)
    if not settings.enabled:
        return Watching()
    url = settings.url
    if not url:
        if settings.source not in config.names("sources"):
            raise ConfigError([_missing(config, settings.source)])
        _need_open(config, settings, outside.environ)
        server = ground.settings.server
        url = site_of(server.host, server.port)
    file = ground.location.file
    folder = outside.home / "var" if file is None else file.parent
    place = Whom(url, folder)
    watch, readings = make_watch(config, outside.environ, outside.clock, place)
    return Watching(readings, (watch,))


def make_watch(
    config: Config, environ: Mapping[str, str], clock: Clock, whom: Whom
) -> tuple[Watch, Readings]:
    """Return a watch and its readings, or raise ConfigError.

    Args:
        config: the settings, with the sections watch and host.
        environ: where secrets may lie.
        clock: the time.
        whom: the service that it tells.
    """
    settings = config.read(WatchSettings, SECTION)
    readings = Readings(clock, settings.every_seconds)
    place = Place(
        name=settings.host or socket.gethostname(),
        host=config.read(HostSettings, "host"),
        url=f"{whom.url.rstrip('/')}/webhooks/{settings.source}",
        headers=_headers(config, settings, environ),
        clock=clock,
        readings=readings,
        state=whom.folder / settings.state_file
        if settings.state_file
        else None,
    )
    return Watch(settings, place), readings


def _headers(
    config: Config, settings: WatchSettings, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return what opens the source, or raise ConfigError."""
    if not settings.secret.get_secret_value():
        return {}
    try:
        return bearer(reveal(settings.secret, environ))
    except ValueError as error:
        remedy = "Set it, or write another secret."
        problem = config.problem((SECTION, "secret"), str(error), remedy)
        raise ConfigError([problem]) from error


def _need_open(
    config: Config, settings: WatchSettings, environ: Mapping[str, str]
) -> None:
    """Raise ConfigError when our own source would refuse what we tell."""
    name = settings.source
    source = config.read(SourceSettings, "sources", name)
    shown = ""
    if _headers(config, settings, environ):
        shown = reveal(settings.secret, environ)
    where, said = "source", ""
    if not source.enabled:
        said = f"the source {name!r} is switched off"
    elif source.auth.kind != "none":
        known = [reveal(one, environ) for one in source.auth.secrets]
        where, said = _why_closed(name, source.auth, shown, known)
    if said:
        remedy = "Nothing that it tells would arrive: let both say the same."
        raise ConfigError([config.problem((SECTION, where), said, remedy)])


def _why_closed(
    name: str, auth: AuthSettings, shown: str, known: Sequence[str]
) -> tuple[str, str]:
    """Return which of our settings is wrong, and why; no words when none."""
    is_bearer = auth.kind == "bearer" and auth.scheme.lower() == "bearer"
    if shown.startswith(PREFIX) and auth.kind in KINDS:
        # Which source an account's token opens is not in the settings.
        return "secret", ""
    if not is_bearer and auth.kind != "token":
        said = f"the source {name!r} takes no bearer, and we show nothing else"
        return "source", said
    if not shown:
        return "secret", f"the source {name!r} asks for one"
    if is_bearer and shown not in known:
        return "secret", f"the source {name!r} has another one"
    return "secret", ""


def _missing(config: Config, source: str) -> ConfigProblem:
    """Return the problem of a watch that nobody would listen to."""
    return config.problem(
        (SECTION, "source"),
        f"there is no source {source!r} that takes what it tells",
        f"Add it to 'sources': {source}: {{type: alertmanager,"
        " auth: {kind: none}}.",
    )
