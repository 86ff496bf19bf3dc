"""A brain for tests: it says what it is told to, and counts."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec

from app.act import actions
from app.act.catalogue import make_catalogue
from app.core.errors import BrainFailed
from app.core.registry import scan
from app.decide.deciding import Decider
from app.decide.grounding import Grounder
from app.decide.knowledge import read_knowledge
from app.decide.reins import model_of
from app.models.action import Catalogue
from app.models.case import Case
from app.models.choice import Call, Choice, Option
from app.models.dialogue import Turn
from app.models.inventory import Inventory
from app.models.menu import Menu
from app.ports import Brain


class FakeBrain:
    """Chooses what it is told to when that is on the menu."""

    def __init__(
        self,
        action: str = "escalate",
        *,
        name: str = "fake",
        confidence: float | None = 0.9,
        tokens: int = 100,
    ) -> None:
        self.name = name
        self.action = action
        self.confidence = confidence
        self.tokens = tokens
        self.cases: list[Case] = []
        self.failure: Exception | None = None
        # Cleared, it lets nobody go on.
        self.gate = asyncio.Event()
        self.gate.set()

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return the choice, when the gate is open."""
        self.cases.append(case)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        offer = menu.find(self.action)
        if offer is None:
            raise BrainFailed(f"{self.action} is not on the menu")
        call = Call(
            brain=self.name,
            model=model_of(self.name) or "fake-1",
            model_digest="d1",
            tokens_in=self.tokens,
            tokens_out=1 if self.tokens else 0,
            milliseconds={"total": 2.0},
            asked=(Turn("system", "a role"), Turn("user", _prompt(case))),
            raw="SECRET-ANSWER",
        )
        return Choice(
            action=self.action,
            arguments=offer.best(),
            reason=f"It is what {self.name} always says.",
            confidence=self.confidence,
            options=(Option(self.action, offer.best(), self.confidence),),
            calls=(call,),
        )


def _prompt(case: Case) -> str:
    """Return what a model would be shown: a mark, and the alert's texts."""
    texts = (case.name, case.summary, *case.texts.values())
    return "\n".join(("SECRET-CASE", *texts, *case.labels.values()))


class SlowBrain(FakeBrain):
    """Writes a line for each call into a file, and takes its time."""

    def __init__(
        self,
        file: Path,
        seconds: float,
        action: str = "collect_diagnostics",
    ) -> None:
        super().__init__(action, tokens=10)
        self._file = file
        self._seconds = seconds

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return the choice after a while; the line is there at once."""
        with self._file.open("a") as lines:
            lines.write(f"{case.incident}\n")
        await asyncio.sleep(self._seconds)
        return await super().decide(case, menu)


def the_catalogue() -> Catalogue:
    """Return the actions of the product."""
    return make_catalogue(scan(actions), [])


def make_decider(brains: Mapping[str, Brain]) -> Decider:
    """Return who decides with these brains on the product's catalogue."""
    catalogue, knowledge = the_catalogue(), read_knowledge()
    inventory = Inventory()
    return Decider(
        dict(brains),
        lambda: Grounder(catalogue, inventory, knowledge),
        lambda _case: None,
    )


def make_case(**more: object) -> Case:
    """Return a case with just enough in it."""
    values: dict[str, object] = {
        "incident": 1,
        "source": "alertmanager",
        "name": "DiskFull",
        "severity": "warning",
        "target_kind": "host",
        "target": "web-01",
        "problem": "DiskFull",
        "labels": {"instance": "web-01:9100", "mountpoint": "/var"},
        **more,
    }
    return msgspec.convert(values, Case)
