"""What a check is made of in tests: an environment and subjects."""

import asyncio
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr

from app.core.clock import Clock
from app.core.errors import ConfigProblem
from app.core.host import HostSettings
from app.core.registry import scan
from app.models.action import ActionSpec
from app.models.action import Check as Declared
from app.models.inventory import Inventory, Thing
from app.models.verdict import Reading, Subject
from app.ports import Check, Readings
from app.verify import checks
from tests.fakes import FakeClock

Settings = TypeVar("Settings", bound=BaseModel)
WEB = Thing(kind="host", name="web-1", aliases=("10.1.2.3",))


class FakeEnv:
    """What a check gets: its settings as they would stand in the file."""

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any] | None = None,
        things: tuple[Thing, ...] = (),
        host: HostSettings | None = None,
    ) -> None:
        self.name = name
        self.time = FakeClock()
        self.clock: Clock = self.time
        self.is_configured = settings is not None
        self.host = host or HostSettings()
        self.readings: Readings | None = None
        self._written = dict(settings or {})
        self._things = things

    def settings(self, model: type[Settings]) -> Settings:
        """Return the settings."""
        return model.model_validate(self._written)

    def secret(self, written: SecretStr, *path: str) -> str:
        """Return a secret as it is written."""
        del path
        return written.get_secret_value()

    def problem(self, what: str, remedy: str, *path: str) -> ConfigProblem:
        """Return a problem of a setting."""
        setting = ".".join(("checks", self.name, *path))
        return ConfigProblem(setting, "here", what, remedy)

    def inventory(self) -> Inventory:
        """Return what is known."""
        return Inventory(self._things)


def make_check(
    name: str,
    settings: Mapping[str, Any] | None = None,
    things: tuple[Thing, ...] = (),
    host: HostSettings | None = None,
) -> Check:
    """Return a check of the folder."""
    env = FakeEnv(name, settings, things, host)
    check: Check | None = scan(checks)[name.replace("_", "-")](env)
    assert check is not None
    return check


def here(**more: Any) -> Subject:
    """Return a subject on this machine."""
    return Subject(**{"host": "web-1", "is_here": True, **more})


def away(**more: Any) -> Subject:
    """Return a subject on another machine."""
    return Subject(**{"host": "web-7", "is_here": False, **more})


def measure(check: Check, subject: Subject) -> Reading:
    """Return one reading."""
    return asyncio.run(check.measure(subject))


def make_spec(
    check: Declared | None = None, preconditions: tuple[str, ...] = ()
) -> ActionSpec:
    """Return an action with a check."""
    return ActionSpec.model_validate(
        {
            "name": "mend_it",
            "purpose": "Mend it.",
            "when_to_use": "It is broken.",
            "when_not_to_use": "It is not.",
            "risk": "observe",
            "check": check,
            "preconditions": preconditions,
        }
    )
