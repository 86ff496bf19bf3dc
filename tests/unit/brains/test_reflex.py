"""The embedded brain: what it says of what the gate weighed."""

import asyncio

import pytest
from pydantic import ValidationError

from app.core.registry import scan
from app.decide import brains
from app.decide.brains.reflex import Reflex
from app.models.case import Case
from app.models.choice import Choice, Option, Weighed
from app.models.menu import Menu
from app.ports import Brain, Gate
from tests.unit.brains.making import FakeEnv, make_case, make_menu

CALL = {"host": "web-1", "service": "nginx"}


class FakeGate:
    """A gate that has weighed already."""

    version = "w-1"

    def __init__(
        self, *options: Option, allows: frozenset[str] = frozenset()
    ) -> None:
        self.weighed = Weighed(options, 0.83, allows, ("service",), "w-1")
        self.asked: list[tuple[Case, Menu]] = []

    def weigh(self, case: Case, menu: Menu) -> Weighed:
        """Return what it is told to."""
        self.asked.append((case, menu))
        return self.weighed


class GateEnv(FakeEnv):
    """What the brain gets, with a gate."""

    def __init__(self, gate: Gate, settings: dict[str, object]) -> None:
        super().__init__("reflex", settings)
        self._gate = gate

    def gate(self) -> Gate:
        """Return the gate."""
        return self._gate


def decide(gate: FakeGate) -> Choice:
    """Return what the brain makes of a web server that is down."""
    case = make_case()
    menu = make_menu(case)
    choice = asyncio.run(Reflex("reflex", gate).decide(case, menu))
    assert gate.asked == [(case, menu)]
    return choice


def option(action: str, probability: float | None = 0.7) -> Option:
    """Return an option of the gate."""
    arguments = {"restart_service": CALL, "escalate": {}}
    return Option(action, {**arguments.get(action, {})}, probability)


def test_it_chooses_what_is_first() -> None:
    """With its arguments, the calibrated number and all that was weighed."""
    best, next_best = option("restart_service"), option("escalate", 0.2)
    choice = decide(FakeGate(best, next_best))
    assert choice.action == "restart_service"
    assert choice.arguments == CALL
    assert choice.confidence == 0.83
    assert choice.options == (best, next_best)


@pytest.mark.parametrize(
    ("action", "allows", "asks"),
    [
        ("restart_service", (), True),
        ("restart_service", ("restart_service",), False),
        ("restart_service", ("kill_process",), True),
        ("collect_diagnostics", (), False),
        ("escalate", (), False),
        ("no_action", (), False),
    ],
)
def test_it_asks_before_a_change_that_may_not_run(
    action: str, allows: tuple[str, ...], asks: bool
) -> None:
    """What changes nothing needs nobody's leave."""
    gate = FakeGate(option(action), allows=frozenset(allows))
    assert decide(gate).asks is asks


def test_it_says_why_in_one_sentence() -> None:
    """The best two, as shares."""
    acts = decide(
        FakeGate(option("restart_service", 0.7), option("escalate", 0.2))
    )
    assert acts.reason == (
        "Most like what restart_service is right for: 70%, escalate 20%."
    )
    hands_over = decide(
        FakeGate(option("escalate", 0.61), option("restart_service", None))
    )
    assert hands_over.reason == "People should look: escalate 61%."
    alone = decide(FakeGate(option("escalate", None)))
    assert alone.reason == "People should look: escalate ?."


def test_it_records_which_weights_it_asked() -> None:
    """So that a decision can be made again."""
    (call,) = decide(FakeGate(option("escalate"))).calls
    assert (call.brain, call.model, call.model_digest) == (
        "reflex",
        "reflex",
        "w-1",
    )
    assert set(call.milliseconds) == {"weigh"}
    assert (call.tokens_in, call.tokens_out, call.error) == (0, 0, "")


def test_the_plug_in_is_always_there() -> None:
    """It needs no setting, and knows none."""
    plugin = scan(brains)["reflex"]
    gate = FakeGate(option("escalate"))
    brain: Brain = plugin(GateEnv(gate, {}))
    case = make_case()
    choice = asyncio.run(brain.decide(case, make_menu(case)))
    assert choice.action == "escalate"
    with pytest.raises(ValidationError):
        plugin(GateEnv(gate, {"threshold": 0.1}))
