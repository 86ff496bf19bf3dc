"""The inventory that people write: hosts with what runs on them, in YAML."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from pydantic import BeforeValidator, Field, model_validator

from app.core.configfile import Section
from app.core.errors import ConfigError, ConfigProblem
from app.core.shape import SHAPES
from app.core.yamlfile import YamlFile, read_yaml
from app.models.inventory import Thing
from app.ports import InventoryEnv, InventorySource

REMEDY = "See docs/inventory.md for what may stand there."
MOST_THINGS = 100_000
Word = Annotated[str, Field(max_length=200)]


def _named(value: object) -> object:
    """Return a plain list of names as names without anything to say."""
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return {name: {} for name in value}
    if isinstance(value, dict):
        return {k: {} if v is None else v for k, v in value.items()}
    return value


def _said(value: object) -> object:
    """Refuse a list that was begun and not written: it might mean all."""
    if value is None:
        raise ValueError("is empty: write [] for none, or leave it out")
    return value


Actions = Annotated[tuple[str, ...] | None, BeforeValidator(_said)]


class Part(Section):
    """A service or container of a host."""

    actions: Actions = None


Parts = Annotated[Mapping[str, Part], BeforeValidator(_named)]


class Host(Section):
    """One host."""

    aliases: tuple[Word, ...] = ()
    role: Word = ""
    environment: Word = ""
    team: Word = ""
    actions: Actions = None
    services: Parts = Field(default_factory=dict)
    containers: Parts = Field(default_factory=dict)


class Written(Section):
    """The whole file."""

    hosts: Annotated[Mapping[str, Host], BeforeValidator(_named)]


class FileSettings(Section):
    """Where the file lies: inventory.file says only its path."""

    path: Path

    @model_validator(mode="before")
    @classmethod
    def _is_path(cls, value: Any) -> Any:
        """Take a path for settings with a path."""
        if not isinstance(value, str) or not value.strip():
            raise ValueError("is not the path of a file")
        return {"path": value}


class FileInventory:
    """Reads the file, and reads it again once it has changed."""

    def __init__(self, path: Path, actions: Collection[str]) -> None:
        """Take the file, and the names of the catalogue's actions."""
        self._path = path
        self._actions = actions
        self._stamp: tuple[int, ...] = ()
        self._things: tuple[Thing, ...] = ()

    async def load(self) -> tuple[Thing, ...]:
        """Return what the file says, or raise ConfigError."""
        return await asyncio.to_thread(self.read)

    def read(self) -> tuple[Thing, ...]:
        """Return what the file says now; one that is the same is not read.

        Raises:
            ConfigError: it is not there, or something in it is wrong.
        """
        stamp = _stamp(self._path)
        if not stamp or stamp != self._stamp:
            file = read_yaml(self._path, REMEDY)
            self._things = self._understand(file)
            self._stamp = stamp
        return self._things

    def _understand(self, file: YamlFile) -> tuple[Thing, ...]:
        """Return the things of a file, or raise all that is wrong in it."""
        written = file.read(Written, REMEDY)
        problems = list(self._complain(written, file))
        if problems:
            raise ConfigError(problems)
        things = tuple(
            thing
            for name, host in written.hosts.items()
            for thing in _things(name, host)
        )
        if len(things) > MOST_THINGS:
            what = f"{len(things)} things are more than {MOST_THINGS}"
            raise ConfigError([file.problem((), what, REMEDY)])
        return things

    def _complain(
        self, written: Written, file: YamlFile
    ) -> Iterator[ConfigProblem]:
        """Yield what no model can see: shapes of names, unknown actions."""
        for name, host in written.hosts.items():
            place = ("hosts", name)
            yield from _misshapen(file, place, "host", (name,))
            below = (*place, "aliases")
            yield from _misshapen(file, below, "host", host.aliases)
            yield from self._unknown(file, place, host.actions)
            for kind, parts in _parts_of(host):
                for part_name, part in parts.items():
                    inner = (*place, f"{kind}s", part_name)
                    yield from _misshapen(file, inner, kind, (part_name,))
                    yield from self._unknown(file, inner, part.actions)

    def _unknown(
        self,
        file: YamlFile,
        place: tuple[str, ...],
        actions: tuple[str, ...] | None,
    ) -> Iterator[ConfigProblem]:
        """Yield the actions that the catalogue does not hold."""
        for name in actions or ():
            if name not in self._actions:
                known = ", ".join(sorted(self._actions))
                yield file.problem(
                    (*place, "actions"),
                    f"there is no action {name[:80]!r}",
                    f"Known here: {known}.",
                )


def _misshapen(
    file: YamlFile,
    place: tuple[str, ...],
    kind: str,
    names: tuple[str, ...],
) -> Iterator[ConfigProblem]:
    """Yield the names that have not the shape of their kind."""
    for name in names:
        # An alert's own spelling is brought to this one: write this one.
        if SHAPES[kind].fit(name) != name:
            what = f"{name[:80]!r} is not {SHAPES[kind].says}"
            remedy = "Write the bare name: no port, no .service."
            yield file.problem(place, what, remedy)


def _parts_of(host: Host) -> tuple[tuple[str, Mapping[str, Part]], ...]:
    """Return what runs on a host, by kind."""
    return ("service", host.services), ("container", host.containers)


def _things(name: str, host: Host) -> Iterator[Thing]:
    """Yield a host and what runs on it."""
    whole = Thing(
        kind="host",
        name=name,
        aliases=host.aliases,
        role=host.role,
        environment=host.environment,
        team=host.team,
        actions=_allowed(host.actions),
        source="file",
    )
    yield whole
    for kind, parts in _parts_of(host):
        for part_name, part in parts.items():
            yield msgspec.structs.replace(
                whole,
                kind=kind,
                name=part_name,
                host=name,
                aliases=(),
                actions=_allowed(part.actions),
            )


def _allowed(actions: tuple[str, ...] | None) -> frozenset[str] | None:
    """Return the allowed actions as a set; None stays None."""
    return None if actions is None else frozenset(actions)


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what changes when a file does; empty when it is not there."""
    try:
        seen = path.stat()
    except OSError:
        return ()
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


def plugin(env: InventoryEnv) -> InventorySource | None:
    """Return the inventory of the file, or None without one."""
    if not env.is_configured:
        return None
    path = env.home / env.settings(FileSettings).path
    made = FileInventory(path, env.actions)
    made.read()
    return made
