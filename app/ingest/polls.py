"""Which sources are polled, whom that asks, and when it is believed."""

import base64
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from app.core.configfile import Config, Section, reveal
from app.core.errors import ConfigError, ConfigProblem
from app.ingest.intake import Entrance
from app.ingest.poll import Listed

SECTION = "sources"
# The type of a source that can be polled.
POLLED = "alertmanager"
SECOND = 1_000_000


def _address(text: str) -> str:
    """Return the address of an Alertmanager without its last slash."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write http://HOST:9093, or https://")
    if parts.username or parts.password or "?" in text or "#" in text:
        raise ValueError("write the secret as bearer or basic, no query")
    if parts.port == 0:
        raise ValueError("no Alertmanager listens on port 0")
    return text.rstrip("/")


def _as_list(value: object) -> object:
    """Return one address as a list of one."""
    return [value] if isinstance(value, str) else value


Address = Annotated[str, AfterValidator(_address)]
Addresses = Annotated[
    tuple[Address, ...],
    BeforeValidator(_as_list),
    Field(min_length=1, max_length=16),
]


class PollSettings(Section):
    """Whom to ask, how often, and when to believe it."""

    url: Addresses
    seconds: float = Field(60.0, ge=0.1, le=86_400)
    timeout_seconds: float = Field(10.0, gt=0, le=300)
    body_bytes: int = Field(16_777_216, ge=1_024, le=268_435_456)
    bearer: SecretStr | None = None
    basic: SecretStr | None = None
    receiver: str = ""
    uptime_seconds: float = Field(300.0, ge=0)
    age_seconds: float = Field(60.0, ge=0)


class Poll(msgspec.Struct, frozen=True):
    """One source that is polled.

    Attributes:
        entrance: where its deliveries go in.
        urls: the members of its cluster.
        headers: what proves who asks.
        settings: how often, and when to believe it.
    """

    entrance: Entrance
    urls: tuple[str, ...]
    headers: Mapping[str, str]
    settings: PollSettings

    @property
    def age(self) -> int:
        """Return how long an alert is too young to have vanished."""
        return int(self.settings.age_seconds * SECOND)

    @property
    def uptime(self) -> int:
        """Return how long a member may not know all yet."""
        return int(self.settings.uptime_seconds * SECOND)

    def wants(self, alert: Listed) -> bool:
        """Tell whether an alert would be told to us, and may be."""
        if not alert.is_told(self.settings.receiver):
            return False
        return self.entrance.allowance.allows(alert.labels)


def make_polls(
    config: Config,
    entrances: Mapping[str, Entrance],
    environ: Mapping[str, str],
) -> list[Poll]:
    """Return the sources that are polled, or raise all that is wrong."""
    polls = []
    problems: list[ConfigProblem] = []
    for name, entrance in entrances.items():
        path = (SECTION, name, "poll")
        if "poll" not in config.names(SECTION, name):
            continue
        try:
            settings = config.read(PollSettings, *path)
            headers = _headers(path, settings, config, environ)
        except ConfigError as error:
            problems += error.problems
            continue
        if entrance.kind != POLLED:
            what = f"a source of the type {entrance.kind!r} is never polled"
            remedy = f"Only {POLLED} is; take it out."
            problems.append(config.problem(path, what, remedy))
        polls.append(Poll(entrance, settings.url, headers, settings))
    if problems:
        raise ConfigError(problems)
    return polls


def _headers(
    path: tuple[str, ...],
    settings: PollSettings,
    config: Config,
    environ: Mapping[str, str],
) -> dict[str, str]:
    """Return what proves who asks, or raise ConfigError."""
    if settings.bearer is not None and settings.basic is not None:
        what = "there are a bearer and a basic secret"
        problem = config.problem(path, what, "Leave one of them out.")
        raise ConfigError([problem])
    for kind in ("bearer", "basic"):
        secret = getattr(settings, kind)
        if secret is None:
            continue
        try:
            text = reveal(secret, environ)
            return {"Authorization": _proof(kind, text)}
        except ValueError as error:
            remedy = "Set it, or write another secret."
            problem = config.problem((*path, kind), str(error), remedy)
            raise ConfigError([problem]) from error
    return {}


def _proof(kind: str, text: str) -> str:
    """Return the value of the header that carries a secret."""
    if kind == "basic":
        if ":" not in text:
            raise ValueError("is not of the form user:password")
        return f"Basic {base64.b64encode(text.encode()).decode()}"
    if not (text.isascii() and text.isprintable()):
        raise ValueError("is no text that a header can carry")
    return f"Bearer {text}"
