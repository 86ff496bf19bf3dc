"""Make the configured sources out of the settings and the plug-ins."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Annotated, TypeVar

import msgspec
from pydantic import BaseModel, Field

from app.core.clock import Clock
from app.core.configfile import (
    Config,
    Section,
    check_header,
    reveal,
    suggest,
)
from app.core.errors import ConfigError, ConfigProblem
from app.core.naming import is_loopback
from app.ingest.allowance import Allowance
from app.ingest.auth import (
    AuthSettings,
    challenge_of,
    make_authenticator,
)
from app.ingest.counters import Counters
from app.ingest.intake import Entrance
from app.ingest.polls import PollSettings
from app.ingest.tokens import (
    KINDS,
    NO_TOKENS,
    SourceTokens,
    WithTokens,
)
from app.models.canary import CANARY
from app.ports import Authenticator, Fetch, Source, SourceEnv

Model = TypeVar("Model", bound=BaseModel)
Plugins = Mapping[str, Callable[[SourceEnv], Source | None]]
# Without one nothing would be narrowed down: left out by mistake.
Patterns = Annotated[tuple[str, ...], Field(min_length=1)]
SECTION = "sources"
# A name is a part of a path, of a metric's label and of a log line.
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
# What each kind of proof cannot do without.
NEEDS: dict[str, tuple[str, ...]] = {
    "bearer": ("secrets",),
    "basic": ("secrets",),
    "hmac": ("secrets", "header"),
    "mtls": ("header", "names", "proxies"),
    "own": (),
    "token": (),
    "none": (),
}
# What each kind looks at; the rest would be written there for nothing.
USES: dict[str, tuple[str, ...]] = {
    "bearer": ("secrets", "scheme"),
    "basic": ("secrets",),
    "hmac": (
        *("secrets", "header", "timestamp_header"),
        *("separator", "prefix", "tolerance_seconds"),
    ),
    "mtls": ("header", "names", "proxies"),
    "own": (),
    "token": (),
    "none": ("beyond_loopback",),
}


class SourceSettings(Section):
    """One source; its plug-in's own settings stand under ``options``."""

    type: str = ""
    enabled: bool = True
    auth: AuthSettings
    allow: dict[str, Patterns] = Field(default_factory=dict)
    strict: bool = False
    options: dict[str, object] = Field(default_factory=dict)
    poll: PollSettings | None = None


class World(msgspec.Struct, frozen=True):
    """What is outside of the settings, handed in by bootstrap."""

    environ: Mapping[str, str]
    clock: Clock
    fetch: Fetch
    counters: Counters
    listens_on: str
    tokens: SourceTokens = NO_TOKENS


class Env:
    """What one source gets when it is made."""

    def __init__(self, name: str, config: Config, world: World) -> None:
        """Take the source's name and what is around it."""
        self.name = name
        self.clock = world.clock
        self.fetch = world.fetch
        self._config = config

    def settings(self, model: type[Model]) -> Model:
        """Return the plug-in's own settings, or raise ConfigError."""
        return self._config.read(model, SECTION, self.name, "options")


def make_entrances(
    config: Config, plugins: Plugins, world: World
) -> dict[str, Entrance]:
    """Return the enabled sources by name, or raise all that is wrong."""
    entrances = {}
    problems: list[ConfigProblem] = []
    for name in config.names(SECTION):
        try:
            entrance = _make(name, config, plugins, world)
        except ConfigError as error:
            problems += error.problems
        else:
            if entrance is not None:
                entrances[name] = entrance
    problems += _shared_paths(config, entrances)
    if problems:
        raise ConfigError(problems)
    return entrances


def _make(
    name: str, config: Config, plugins: Plugins, world: World
) -> Entrance | None:
    """Return one source, None when it is switched off or not configured."""
    if not NAME.fullmatch(name):
        what = "is no name for a source"
        remedy = "Use a-z, 0-9, '.', '_' and '-', a letter or digit first."
        raise ConfigError([config.problem((SECTION, name), what, remedy)])
    if name == CANARY:
        what = "is the name of what the service sends itself"
        problem = config.problem((SECTION, name), what, "Choose another one.")
        raise ConfigError([problem])
    settings = config.read(SourceSettings, SECTION, name)
    if not settings.enabled:
        return None
    kind = settings.type or name
    if kind not in plugins:
        what = f"there is no source of the type {kind!r}"
        remedy = suggest(kind, tuple(plugins))
        place = (SECTION, name, "type")
        raise ConfigError([config.problem(place, what, remedy)])
    secrets = _secrets(name, settings.auth, config, world)
    source = plugins[kind](Env(name, config, world))
    if source is None:
        return None
    if settings.auth.kind == "own" and not hasattr(source, "authenticate"):
        what = f"a source of the type {kind!r} has no signature of its own"
        path = (SECTION, name, "auth", "kind")
        raise ConfigError([config.problem(path, what, "Use another kind.")])
    return Entrance(
        name=name,
        kind=kind,
        source=source,
        authenticator=_make_authenticator(name, settings.auth, secrets, world),
        allowance=Allowance(settings.allow),
        is_strict=settings.strict,
        counters=world.counters.of(name),
        challenge=challenge_of(settings.auth),
    )


def _make_authenticator(
    name: str, auth: AuthSettings, secrets: list[str], world: World
) -> Authenticator:
    """Return who checks a source's deliveries."""
    check = make_authenticator(auth, secrets, world.clock)
    if auth.kind in KINDS:
        return WithTokens(name, check, world.tokens)
    return check


def _secrets(
    name: str, auth: AuthSettings, config: Config, world: World
) -> list[str]:
    """Return the texts of the secrets, or raise what is wrong with auth."""
    path = (SECTION, name, "auth")
    problems = [
        config.problem(
            (*path, need),
            f"is missing for kind {auth.kind!r}",
            f"Add {need!r}, or choose another kind.",
        )
        for need in NEEDS[auth.kind]
        if not getattr(auth, need)
    ]
    problems += _unused_problems(path, auth, config)
    problems += _open_problems(path, auth, config, world)
    problems += _proxy_problems(path, auth, config)
    found = []
    for index, secret in enumerate(auth.secrets):
        place = (*path, "secrets", str(index))
        try:
            text = reveal(secret, world.environ)
            if auth.kind == "bearer":
                check_header(text)
        except ValueError as error:
            remedy = "Set it, or write another secret."
            problems.append(config.problem(place, str(error), remedy))
            continue
        if auth.kind == "basic" and ":" not in text:
            what = "is not of the form user:password"
            problems.append(config.problem(place, what, "Write both."))
        found.append(text)
    if problems:
        raise ConfigError(problems)
    return found


def _unused_problems(
    path: tuple[str, ...], auth: AuthSettings, config: Config
) -> list[ConfigProblem]:
    """Return what is set and means nothing to the kind, such as a secret.

    Whoever wrote it takes the door for locked by it.
    """
    plain = AuthSettings(kind=auth.kind)
    return [
        config.problem(
            (*path, name),
            f"is nothing that kind {auth.kind!r} looks at",
            "Leave it out, or choose another kind.",
        )
        for name in sorted(auth.model_fields_set - {"kind"})
        if name not in USES[auth.kind]
        and getattr(auth, name) != getattr(plain, name)
    ]


def _open_problems(
    path: tuple[str, ...], auth: AuthSettings, config: Config, world: World
) -> list[ConfigProblem]:
    """Return what is wrong with taking deliveries from anybody."""
    if auth.kind != "none" or auth.beyond_loopback:
        return []
    if is_loopback(world.listens_on):
        return []
    what = (
        f"is none while the service listens on {world.listens_on},"
        " so anybody could send alerts"
    )
    remedy = (
        "Choose bearer with a secret, listen on 127.0.0.1, or say it twice "
        "with beyond_loopback: true."
    )
    return [config.problem((*path, "kind"), what, remedy)]


def _proxy_problems(
    path: tuple[str, ...], auth: AuthSettings, config: Config
) -> list[ConfigProblem]:
    """Return which proxies are no addresses."""
    problems = []
    for index, text in enumerate(auth.proxies):
        try:
            ip_network(text)
        except ValueError:
            place = (*path, "proxies", str(index))
            remedy = "Write an address or a network, such as 10.0.0.0/24."
            problems.append(config.problem(place, "is no address", remedy))
    return problems


def _shared_paths(
    config: Config, entrances: Mapping[str, Entrance]
) -> list[ConfigProblem]:
    """Return a problem for each path that two sources want."""
    problems = []
    owners: dict[str, str] = {}
    for name, entrance in entrances.items():
        for path in entrance.paths:
            owner = owners.setdefault(path, name)
            if owner != name:
                what = f"answers on {path}, as {owner!r} does"
                problem = config.problem(
                    (SECTION, name), what, "Rename one of them."
                )
                problems.append(problem)
    return problems
