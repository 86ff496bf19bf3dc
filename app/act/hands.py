"""Make the configured backends; what comes from them is tamed here.

Whatever a backend says is somebody else's text: it is cut to size, on one
line where it is one, and without secrets, before anybody stores or shows it.
"""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar

import msgspec
from pydantic import BaseModel, SecretStr

from app.act.masking import Secrets
from app.act.seams import Seams, unmarked
from app.act.weighing import Weighing
from app.core.brief import LONG, brief
from app.core.clock import Clock
from app.core.configfile import Config, reveal, suggest
from app.core.errors import (
    ConfigError,
    ConfigProblem,
    NotAccepted,
    NotHere,
    OutgoingFailed,
)
from app.core.place import Place
from app.core.registry import Factory
from app.models.action import ALWAYS, ActionSpec, Catalogue, Risk, Run
from app.models.job import Order, Progress
from app.ports import Backend, Hearing, Living

Model = TypeVar("Model", bound=BaseModel)
SECTION = "backends"
REASON_CHARS = 500
MOST_LINE = 2 * LONG
OUTPUT_CHARS = 1_048_576
PLACE_CHARS = 1_000
PIECE_CHARS = 4_096
CUT = "\n(THE REST OF THIS PIECE WAS LEFT OUT)\n"


class Surroundings(msgspec.Struct, frozen=True):
    """What backends are made with.

    Attributes:
        environ: where secrets may lie.
        clock: the time.
        home: what paths in settings are relative to.
    """

    environ: Mapping[str, str]
    clock: Clock
    home: Path


class Env(Place):
    """What one backend gets when it is made."""

    def __init__(
        self, name: str, config: Config, around: Surroundings, known: Secrets
    ) -> None:
        """Take the backend's name and what is around it."""
        super().__init__(SECTION, name, config, around.environ)
        self.clock = around.clock
        self.home = around.home
        self._known = known

    def secret(self, written: SecretStr, *path: str) -> str:
        """Return the text of a secret; no output shows it from now on."""
        text = super().secret(written, *path)
        self._known.add(text)
        return text


def make_backends(
    config: Config, plugins: Mapping[str, Factory], around: Surroundings
) -> "dict[str, Tame]":
    """Return the configured backends, or raise all that is wrong."""
    known = tuple(plugins)
    problems = [
        config.problem(
            (SECTION, name), "there is no such backend", suggest(name, known)
        )
        for name in config.names(SECTION)
        if name not in known
    ]
    secrets = Secrets(find_secrets(config, around.environ))
    made: dict[str, Tame] = {}
    for name in sorted(plugins):
        try:
            env = Env(name, config, around, secrets)
            backend = plugins[name](env)
        except ConfigError as error:
            problems += error.problems
        else:
            if backend is not None:
                made[name] = tame(backend, secrets)
    if problems:
        raise ConfigError(problems)
    return made


def find_secrets(config: Config, environ: Mapping[str, str]) -> list[str]:
    """Return the texts of all secrets that the settings refer to."""
    found = []
    for written in config.references():
        try:
            found.append(reveal(SecretStr(written), environ))
        except ValueError:
            # Whoever needs it says so, with the place where it is written.
            continue
    return found


def apply_runs(
    catalogue: Catalogue,
    runs: Mapping[str, tuple[Run, ...]],
    backends: Mapping[str, Backend],
    config: Config,
) -> Catalogue:
    """Return a catalogue whose actions run where this site wants them to.

    What an action declares itself, and nobody has here, is proposed and not
    run; what the site asks for must be there.

    Args:
        catalogue: the actions as they are declared.
        runs: the setting ``act.run``: where some of them run instead, the
            first choice first.
        backends: those that are configured.
        config: says where a setting was written.

    Raises:
        ConfigError: an action, a backend or one of its jobs is not there.
    """
    problems = []
    for name, ways in runs.items():
        path = ("act", "run", name)
        spec = catalogue.find(name)
        if spec is None or name in ALWAYS:
            names = [one.name for one in catalogue.specs]
            known = tuple(one for one in names if one not in ALWAYS)
            what = "is no action that can run"
            problems.append(config.problem(path, what, suggest(name, known)))
        problems += _complain(path, ways, backends, config)
    if problems:
        raise ConfigError(problems)

    def place(spec: ActionSpec) -> ActionSpec:
        """Return an action that runs where it shall."""
        run, *otherwise = runs.get(spec.name, spec.ways) or (None,)
        change = {"run": run, "otherwise": tuple(otherwise)}
        return spec.model_copy(update=change)

    return catalogue.changed(place)


def _complain(
    path: tuple[str, ...],
    ways: tuple[Run, ...],
    backends: Mapping[str, Backend],
    config: Config,
) -> Iterator[ConfigProblem]:
    """Yield what is wrong with where an action shall run."""
    for number, run in enumerate(ways):
        # One alone is written without a list.
        place = (*path, str(number)) if len(ways) > 1 else path
        backend = backends.get(run.backend)
        if backend is None:
            what = f"no backend {run.backend!r} is configured"
            remedy = suggest(run.backend, tuple(backends))
            yield config.problem((*place, "backend"), what, remedy)
        elif not backend.knows(run.job):
            what = f"the backend {run.backend} has no {run.job!r}"
            remedy = f"Add it to {SECTION}.{run.backend}, or name another job."
            yield config.problem((*place, "job"), what, remedy)


def without_hands(
    catalogue: Catalogue, backends: Mapping[str, Backend]
) -> tuple[ActionSpec, ...]:
    """Return the actions that can be proposed, and not be run here."""
    return tuple(
        spec
        for spec in catalogue.specs
        if spec.ways and not any(_has(run, backends) for run in spec.ways)
    )


def _has(run: Run, backends: Mapping[str, Backend]) -> bool:
    """Tell whether a job can be run at all."""
    backend = backends.get(run.backend)
    return backend is not None and backend.knows(run.job)


class HearingBackend(Backend, Hearing, Protocol):
    """A backend whose jobs are told that the problem is over."""


def tame(backend: Backend, secrets: Secrets) -> "Tame":
    """Return a backend whose words are cut to size and masked."""
    if isinstance(backend, Hearing):
        return TameHearing(backend, secrets)
    return Tame(backend, secrets)


class Tame:
    """A backend, and a hand before its mouth."""

    def __init__(self, backend: Backend, secrets: Secrets) -> None:
        """Take the backend and what nobody may see."""
        self._backend = backend
        self._secrets = secrets
        self._seams = Seams(secrets)

    def knows(self, job: str) -> bool:
        """Tell whether it has a job of this name."""
        return self._backend.knows(job)

    def reaches(self, host: str, *, is_here: bool) -> bool:
        """Tell whether its jobs can work on a host."""
        return self._backend.reaches(host, is_here=is_here)

    def risk_of(self, job: str) -> Risk:
        """Return how bad a job may be here, as far as the backend knows."""
        if isinstance(self._backend, Weighing):
            return self._backend.risk_of(job)
        return Risk.OBSERVE

    @property
    def chore(self) -> Living | None:
        """Return what it does as long as the service runs, or None."""
        return self._backend if isinstance(self._backend, Living) else None

    async def start(self, order: Order) -> Progress:
        """Start a job; see the port for what it raises."""
        try:
            said = await self._backend.start(unmarked(order))
            return await self._tamed(order, said)
        except OutgoingFailed as error:
            self._reword(error)

    async def watch(self, order: Order) -> Progress:
        """Return how a job goes on; see the port."""
        try:
            said = await self._backend.watch(unmarked(order))
            return await self._tamed(order, said)
        except OutgoingFailed as error:
            self._reword(error)

    async def abort(self, order: Order) -> Progress:
        """Ask that a job ends; see the port."""
        try:
            said = await self._backend.abort(unmarked(order))
            return await self._tamed(order, said)
        except OutgoingFailed as error:
            self._reword(error)

    async def find(self, order: Order) -> Progress | None:
        """Return a job by its key; see the port."""
        try:
            found = await self._backend.find(unmarked(order))
        except OutgoingFailed as error:
            self._reword(error)
        return None if found is None else await self._tamed(order, found)

    async def _tamed(self, order: Order, said: Progress) -> Progress:
        """Return what a backend says, fit to be stored and shown."""
        if max(len(said.reference), len(said.cursor)) > PLACE_CHARS:
            raise OutgoingFailed("the backend names a place that is too long")
        mask = self._seams.open(order)
        output = ""
        text = _plain(said.output)
        for at in range(0, len(text), PIECE_CHARS):
            output += mask.feed(text[at : at + PIECE_CHARS])
            # Masking takes its time; nobody else waits for all of it.
            await asyncio.sleep(0)
        cursor = self._seams.close(order, _plain(said.cursor), mask)
        if said.has_ended:
            # It may be asked for again, when this could not be written down.
            output += mask.copy().finish()
        return msgspec.structs.replace(
            said,
            reason=self._line(said.reason),
            output=output,
            reference=_plain(said.reference),
            cursor=cursor,
        )

    def _line(self, text: str) -> str:
        """Return a text on one line, without secrets, and not too long."""
        if len(text) > MOST_LINE:
            text = text[:MOST_LINE]
            text = text[: len(text) - self._secrets.begun(text)]
        return brief(self._secrets.hide(text), REASON_CHARS)

    def _reword(self, error: OutgoingFailed) -> NoReturn:
        """Raise a failure of the same kind without what it may not say."""
        text = self._line(str(error))
        if isinstance(error, NotAccepted):
            raise NotAccepted(text, may_retry=error.may_retry) from error
        if isinstance(error, NotHere):
            raise NotHere(text) from error
        raise OutgoingFailed(text) from error


class TameHearing(Tame):
    """The same of a backend whose running jobs can be told something."""

    def __init__(self, backend: HearingBackend, secrets: Secrets) -> None:
        """Take the backend and what nobody may see."""
        super().__init__(backend, secrets)
        self._hearing = backend

    async def hear(self, order: Order, word: str) -> bool:
        """Tell a running job something; see the port."""
        try:
            return await self._hearing.hear(unmarked(order), word)
        except OutgoingFailed as error:
            self._reword(error)


def _plain(text: str) -> str:
    """Return a text that every database can hold, and not too long."""
    if len(text) > OUTPUT_CHARS:
        text = text[:OUTPUT_CHARS] + CUT
    return text.replace("\x00", "\ufffd")
