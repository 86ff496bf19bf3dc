"""What a brain is made of in tests: an environment, cases and menus."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr

from app.act import actions
from app.act.catalogue import make_catalogue
from app.core.clock import Clock
from app.core.registry import scan
from app.decide.dialogue import TextDialogue
from app.decide.grounding import Grounder
from app.decide.knowledge import read_knowledge
from app.models.action import Catalogue
from app.models.case import Case
from app.models.choice import Calibrated
from app.models.inventory import Inventory
from app.models.menu import Menu
from app.ports import Brain, Dialogue, Gate
from tests.fakes import FakeClock

Settings = TypeVar("Settings", bound=BaseModel)


@cache
def catalogue() -> Catalogue:
    """Return the actions that come with the product."""
    return make_catalogue(scan(actions), [])


def make_case(**fields: Any) -> Case:
    """Return a case; what is not said is of a web server that is down."""
    plain = {
        "source": "alertmanager",
        "name": "SystemdUnitFailed",
        "severity": "warning",
        "target_kind": "host",
        "target": "web-1",
        "labels": {"instance": "web-1:9100", "unit": "nginx.service"},
        "summary": "nginx entered the failed state",
    }
    return Case(**{**plain, **fields})


def make_menu(case: Case, only: Sequence[str] | None = None) -> Menu:
    """Return what may be chosen for a case."""
    grounder = Grounder(catalogue(), Inventory(), read_knowledge())
    return grounder.menu(case, only)


class FakeEnv:
    """What a brain gets: its settings as they would stand in the file."""

    def __init__(
        self, name: str, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.name = name
        self.time = FakeClock()
        self.clock: Clock = self.time
        self.dialogue: Dialogue = TextDialogue()
        self.catalogue = catalogue()
        self.home = Path.cwd()
        self.patience_seconds = 120.0
        self.written = dict(settings or {})
        self.calibrated: list[tuple[str, float, str]] = []
        self.model_now = ""

    def settings(self, model: type[Settings]) -> Settings:
        """Return the settings."""
        return model.model_validate(self.written)

    def secret(self, written: SecretStr) -> str:
        """Return a secret as it is written."""
        return written.get_secret_value()

    def gate(self) -> Gate:
        """Have no classifier."""
        raise AssertionError("no brain of a model needs the gate")

    def calibrate(
        self, model: str, raw: float, build: str = ""
    ) -> Calibrated | None:
        """Halve a number, so that it can be seen that it was asked."""
        self.calibrated.append((model, raw, build))
        return Calibrated(raw / 2, "halved")

    def model(self, brain: str) -> str:
        """Return the model that is set at run time."""
        assert brain == self.name
        return self.model_now

    def peer(self, name: str) -> Brain | None:
        """Have no other brain."""
        raise AssertionError(f"no brain of a model asks {name}")
