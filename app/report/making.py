"""Make the channels of this site: section ``channels``, each by its kind.

What a channel says about a failure is the other end's text: it is cut to
one line, and none of our secrets is in it, before anybody stores it.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
)
from pydantic import create_model as extend

from app.core.brief import brief
from app.core.clock import Clock
from app.core.configfile import Config, Model, suggest
from app.core.errors import (
    ConfigError,
    ConfigProblem,
    NotAccepted,
    OutgoingFailed,
)
from app.core.place import Place
from app.core.redaction import SHOWN, hide_secrets
from app.core.registry import Factory
from app.models.message import Letter
from app.ports import Channel
from app.report.settings import Name, ReportSettings

SECTION = "channels"
REASON_CHARS = 500
REFERENCE_CHARS = 200
# A shorter secret would take away every word that it is part of.
LEAST_CHARS = 6
fit_name = TypeAdapter(Name).validate_python


class Head(BaseModel):
    """What every channel has: which file of app/report/channels it is."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True
    )

    kind: str = Field(min_length=1, max_length=63)


class Env(Place):
    """What one channel gets when it is made."""

    def __init__(
        self, name: str, config: Config, around: "Surroundings"
    ) -> None:
        """Take the channel's name and what is around it."""
        super().__init__(SECTION, name, config, around.environ)
        self.clock = around.clock
        self.home = around.home
        self.secrets: list[str] = []

    def settings(self, model: type[Model], *path: str) -> Model:
        """Return the channel's own settings, or raise ConfigError."""
        if path:
            return super().settings(model, *path)
        whole: Any = extend(model.__name__, __base__=model, kind=(str, ...))
        found: Model = super().settings(whole)
        return found

    def secret(self, written: SecretStr, *path: str) -> str:
        """Return the text of a secret; no reason shows it from now on."""
        text = super().secret(written, *path)
        self.secrets.append(text)
        return text


class Surroundings:
    """What channels are made with."""

    def __init__(
        self, environ: Mapping[str, str], clock: Clock, home: Path
    ) -> None:
        """Take where secrets may lie, the time, and where paths begin."""
        self.environ = environ
        self.clock = clock
        self.home = home


def make_channels(
    config: Config,
    plugins: Mapping[str, Factory],
    environ: Mapping[str, str],
    clock: Clock,
    home: Path,
) -> "dict[str, Channel]":
    """Return the channels by name, or raise all that is wrong.

    Args:
        config: the settings: sections ``channels`` and ``report``.
        plugins: the kinds of channels: scan(app.report.channels).
        environ: where secrets may lie.
        clock: the time.
        home: what paths in settings are relative to.

    Raises:
        ConfigError: a channel is wrong, or a route names one that is not
            there.
    """
    around = Surroundings(environ, clock, home)
    made: dict[str, Channel] = {}
    problems: list[ConfigProblem] = []
    names = config.names(SECTION)
    for name in names:
        try:
            made[name] = _make(name, config, plugins, around)
        except ConfigError as error:
            problems += error.problems
    try:
        settings = config.read(ReportSettings, "report")
        problems += _strangers(config, settings, names)
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems)
    return made


def find_pagers(channels: Mapping[str, Channel]) -> list[str]:
    """Return the names of those that say that they wake people."""
    return [
        name
        for name, channel in channels.items()
        if getattr(channel, "is_pager", False)
    ]


def _make(
    name: str,
    config: Config,
    plugins: Mapping[str, Factory],
    around: Surroundings,
) -> "Tame":
    """Return one channel, or raise what is wrong with it."""
    path = (SECTION, name)
    try:
        fit_name(name)
    except ValidationError as error:
        what = "is no name of a channel"
        remedy = "Write small letters, digits, points and dashes."
        raise ConfigError([config.problem(path, what, remedy)]) from error
    kind = config.read(Head, *path).kind
    if kind not in plugins:
        what = f"there is no channel of the kind {kind!r}"
        remedy = suggest(kind, tuple(plugins))
        raise ConfigError([config.problem((*path, "kind"), what, remedy)])
    env = Env(name, config, around)
    return Tame(plugins[kind](env), env.secrets)


def _strangers(
    config: Config, settings: ReportSettings, names: Sequence[str]
) -> Iterator[ConfigProblem]:
    """Yield a problem for each channel of a route that is not there."""
    for name in settings.pagers or ():
        if name not in names:
            what = f"there is no channel {name!r}"
            remedy = suggest(name, tuple(names))
            yield config.problem(("report", "pagers"), what, remedy)
    for number, route in enumerate(settings.routes):
        for step, level in enumerate(route.levels):
            path = ("report", "routes", str(number), "levels", str(step))
            for name in level.channels:
                if name not in names:
                    what = f"there is no channel {name!r}"
                    remedy = suggest(name, tuple(names))
                    yield config.problem((*path, "channels"), what, remedy)


class Tame:
    """A channel, and a hand before its mouth."""

    def __init__(self, channel: Channel, secrets: Sequence[str]) -> None:
        """Take the channel and what nobody may see."""
        self._channel = channel
        self.is_pager = bool(getattr(channel, "is_pager", False))
        long = {text for text in secrets if len(text) >= LEAST_CHARS}
        self._secrets = sorted(long, key=len, reverse=True)

    async def send(self, letter: Letter) -> str:
        """Send a letter; see the port for what it raises."""
        try:
            said = await self._channel.send(letter)
        except OutgoingFailed as error:
            self._reword(error)
        return self._line(said, REFERENCE_CHARS)

    def _line(self, text: str, most: int) -> str:
        """Return a text on one line, without secrets, and not too long."""
        for secret in self._secrets:
            text = text.replace(secret, SHOWN)
        return brief(hide_secrets(text[:8_000]), most)

    def _reword(self, error: OutgoingFailed) -> NoReturn:
        """Raise a failure of the same kind without what it may not say."""
        text = self._line(str(error), REASON_CHARS)
        if isinstance(error, NotAccepted):
            raise NotAccepted(
                text,
                may_retry=error.may_retry,
                after_seconds=error.after_seconds,
            ) from error
        raise OutgoingFailed(text) from error
