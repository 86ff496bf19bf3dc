"""The cascade: rules first, then two voices; who has the last word."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from app.core.errors import BrainFailed
from app.core.registry import scan
from app.decide import brains
from app.decide.brains.cascade import AGREED, Cascade, combine
from app.models.case import Case
from app.models.choice import Call, Choice, Option
from app.models.menu import Arguments, Menu
from app.ports import Brain
from tests.unit.brains.making import FakeEnv, make_case, make_menu

CASE = make_case(
    labels={
        "instance": "web-1:9100",
        "unit": "nginx.service",
        "service": "apache2",
    }
)
MENU = make_menu(CASE)
NGINX: Arguments = {"host": "web-1", "service": "nginx"}
APACHE: Arguments = {"host": "web-1", "service": "apache2"}
LOOK: Arguments = {"host": "web-1", "topic": "service"}


class Voice:
    """A brain that says one thing."""

    def __init__(self, said: Choice | Exception) -> None:
        self.said = said
        self.asked = 0

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return the choice, or fail."""
        del case, menu
        self.asked += 1
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def sober(
    action: str,
    arguments: Arguments | None = None,
    *,
    probability: float | None = 0.7,
    asks: bool = False,
) -> Choice:
    """Return what the gate chooses."""
    return Choice(
        action=action,
        arguments=arguments or {},
        reason="The gate says so.",
        confidence=0.8,
        asks=asks,
        options=(
            Option(action, arguments or {}, probability),
            Option("no_action", {}, 0.1),
            Option("free_memory", {"host": "web-1"}, 0.05),
            Option("kill_process", {}, 0.01),
        ),
        calls=(Call(brain="reflex"),),
    )


def said(action: str, arguments: Arguments | None = None) -> Choice:
    """Return what a language model chooses."""
    return Choice(
        action=action,
        arguments=arguments or {},
        reason="I think so.",
        confidence=0.4,
        calls=(Call(brain="ollama"),),
    )


def decide(
    gate: Choice, voice: Choice | Exception | None = None, rules: Any = None
) -> Choice:
    """Return what the cascade makes of it."""
    cascade = Cascade(
        Voice(gate),
        None if rules is None else Voice(rules),
        None if voice is None else Voice(voice),
    )
    return asyncio.run(cascade.decide(CASE, MENU))


def names(choice: Choice) -> list[str]:
    """Return the brains whose calls are recorded."""
    return [call.brain for call in choice.calls]


def test_a_rule_that_matches_is_enough() -> None:
    """Nobody else is asked."""
    rule = said("no_action")
    gate, voice = Voice(sober("escalate")), Voice(said("escalate"))
    cascade = Cascade(gate, Voice(rule), voice)
    assert asyncio.run(cascade.decide(CASE, MENU)) == rule
    assert gate.asked == voice.asked == 0


def test_without_a_matching_rule_the_voices_are_heard() -> None:
    """That no rule matches is no failure."""
    choice = decide(
        sober("escalate"),
        said("escalate"),
        rules=BrainFailed("no rule matches"),
    )
    assert choice.action == "escalate"
    assert names(choice) == ["reflex", "ollama"]


def test_without_a_voice_the_gate_decides() -> None:
    """As it is on a machine without a model server."""
    gate = sober("restart_service", NGINX, asks=True)
    assert decide(gate) == gate


@pytest.mark.parametrize(
    ("probability", "asks", "still_asks"),
    [
        (AGREED, True, False),
        (0.99, True, False),
        (AGREED - 0.01, True, True),
        (None, True, True),
        (0.1, False, False),
    ],
)
def test_both_agree(
    probability: float | None, asks: bool, still_asks: bool
) -> None:
    """A call that both make runs unasked when the gate holds it likely."""
    gate = sober("restart_service", NGINX, probability=probability, asks=asks)
    choice = decide(gate, said("restart_service", NGINX))
    assert (choice.action, choice.arguments) == ("restart_service", NGINX)
    assert choice.asks is still_asks
    assert choice.confidence == gate.confidence
    assert choice.reason.endswith("The model agrees.")


def test_the_same_action_on_another_thing_is_no_agreement() -> None:
    """The gate's call stands, asked as before, and people see both."""
    gate = sober("restart_service", NGINX, asks=True)
    choice = decide(gate, said("restart_service", APACHE))
    assert choice.arguments == NGINX
    assert choice.asks
    assert "The model says restart_service: I think so." in choice.reason


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (sober("escalate"), ("escalate", {})),
        (
            sober("collect_diagnostics", LOOK),
            ("collect_diagnostics", LOOK),
        ),
        # Nothing is wrong, says one, and act, says the other.
        (sober("no_action"), ("escalate", {})),
    ],
)
def test_a_model_alone_never_acts(
    gate: Choice, expected: tuple[str, Arguments]
) -> None:
    """It is said what it wanted, and somebody looks."""
    choice = decide(gate, said("restart_service", NGINX))
    assert (choice.action, choice.arguments) == expected
    assert "The model says restart_service" in choice.reason
    assert Option("restart_service", NGINX, 0.4) in choice.options


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize(
    "other", ["escalate", "no_action", "collect_diagnostics", "free_memory"]
)
def test_the_gate_s_own_leave_stands(other: str, asks: bool) -> None:
    """What it may run unasked it may; what it must ask, it asks."""
    gate = sober("restart_service", NGINX, asks=asks)
    choice = decide(gate, said(other))
    assert (choice.action, choice.arguments) == ("restart_service", NGINX)
    assert choice.asks is asks
    assert f"The model says {other}" in choice.reason


@pytest.mark.parametrize("one", ["escalate", "no_action"])
@pytest.mark.parametrize("other", ["escalate", "no_action"])
def test_of_two_that_do_not_act_the_gate_decides(one: str, other: str) -> None:
    """Nothing runs either way."""
    choice = decide(sober(one), said(other))
    assert choice.action == one
    assert not choice.asks


@pytest.mark.parametrize("asks", [True, False])
def test_a_voice_that_fails_leaves_the_gate_s_word(asks: bool) -> None:
    """Its call is recorded with the error and the remedy."""
    error = BrainFailed(
        "no server", remedy="ollama serve", call=Call(brain="ollama", raw="x")
    )
    gate = sober("restart_service", NGINX, asks=asks)
    choice = decide(gate, error)
    assert choice.action == "restart_service"
    assert choice.asks is asks
    assert choice.options == gate.options
    assert names(choice) == ["reflex", "ollama"]
    assert choice.calls[1].error == "no server ollama serve"
    assert choice.calls[1].raw == "x"


def test_a_failure_without_a_record_is_recorded_too() -> None:
    """Something is known about every hop."""
    choice = decide(sober("escalate"), BrainFailed("gone"))
    assert len(choice.calls) == 2
    assert choice.calls[1].error.strip() == "gone"


def test_a_gate_that_fails_is_no_decision() -> None:
    """The model alone is not trusted."""
    cascade = Cascade(
        Voice(BrainFailed("no weights")),
        None,
        Voice(said("restart_service", NGINX)),
    )
    with pytest.raises(BrainFailed, match="no weights"):
        asyncio.run(cascade.decide(CASE, MENU))


def test_what_is_combined_has_four_options_at_most() -> None:
    """The model's call is among them; what was weighed stays in order."""
    gate = sober("collect_diagnostics", LOOK)
    choice = combine(gate, said("restart_service", NGINX), MENU)
    assert [one.action for one in choice.options] == [
        "collect_diagnostics",
        "no_action",
        "free_memory",
        "restart_service",
    ]
    same = combine(gate, said("kill_process"), MENU)
    assert same.options == gate.options


class PeersEnv(FakeEnv):
    """What the cascade gets, with other brains around it."""

    def __init__(
        self, peers: Mapping[str, Brain], settings: Mapping[str, Any]
    ) -> None:
        super().__init__("cascade", settings)
        self.peers = peers
        self.wanted: list[str] = []

    def peer(self, name: str) -> Brain | None:
        """Return another brain."""
        self.wanted.append(name)
        return self.peers.get(name)


def test_the_plug_in_asks_for_those_that_are_set() -> None:
    """An empty name is none."""
    gate, voice = Voice(sober("escalate")), Voice(said("escalate"))
    env = PeersEnv(
        {"mine": gate, "llm": voice},
        {"gate": "mine", "rules": "", "voice": "llm"},
    )
    brain: Brain = scan(brains)["cascade"](env)
    assert env.wanted == ["mine", "llm"]
    assert names(asyncio.run(brain.decide(CASE, MENU))) == ["reflex", "ollama"]


def test_without_its_gate_there_is_no_cascade() -> None:
    """Restraint is not optional."""
    env = PeersEnv({"rules": Voice(said("escalate"))}, {})
    assert scan(brains)["cascade"](env) is None


def test_by_default_it_is_rules_and_reflex() -> None:
    """No model is asked on a machine that has none."""
    env = PeersEnv({"reflex": Voice(sober("escalate"))}, {})
    brain: Brain = scan(brains)["cascade"](env)
    assert env.wanted == ["reflex", "rules"]
    assert names(asyncio.run(brain.decide(CASE, MENU))) == ["reflex"]
