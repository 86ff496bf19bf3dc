"""The cascade: rules first, then two voices; who has the last word."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from app.core.errors import BrainFailed, ConfigError
from app.core.registry import scan
from app.decide import brains
from app.decide.brains.cascade import (
    AGREED,
    Cascade,
    CascadeSettings,
    combine,
)
from app.models.case import Case
from app.models.choice import NO_RULE, Call, Choice, Option
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


class Silent:
    """A brain that never answers."""

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError(case.name, menu.names)


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
        rules=BrainFailed(NO_RULE),
    )
    assert choice.action == "escalate"
    assert names(choice) == ["rules", "reflex", "ollama"]
    assert choice.calls[0].error == NO_RULE
    assert not any(call.has_failed for call in choice.calls)


def test_rules_that_matched_nothing_are_recorded_as_they_say() -> None:
    """With what their record holds; the gate alone is asked besides."""
    passed = Call(brain="mine", model_digest="d1", error=NO_RULE)
    gate = sober("escalate")
    choice = decide(gate, rules=BrainFailed(NO_RULE, call=passed))
    assert choice.calls == (passed, *gate.calls)


def test_rules_that_break_are_told_apart() -> None:
    """Somebody must see that they failed, and do not only pass."""
    choice = decide(sober("escalate"), rules=BrainFailed("gone", remedy="x"))
    assert choice.calls[0].error == "gone x"
    assert choice.calls[0].has_failed


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


@pytest.mark.parametrize(
    ("backing", "still_asks"),
    [(None, False), (AGREED, False), (AGREED - 0.01, True), (0.0, True)],
)
def test_what_a_site_taught_spares_no_question(
    backing: float | None, still_asks: bool
) -> None:
    """The gate must have held it likely as it was shipped, too."""
    gate = sober("restart_service", NGINX, probability=0.99, asks=True)
    gate = msgspec.structs.replace(gate, backing=backing)
    choice = decide(gate, said("restart_service", NGINX))
    assert choice.action == "restart_service"
    assert choice.asks is still_asks


def test_the_same_action_on_another_thing_is_no_agreement() -> None:
    """The gate's call stands, asked, and people see both."""
    gate = sober("restart_service", NGINX)
    choice = decide(gate, said("restart_service", APACHE))
    assert choice.arguments == NGINX
    assert choice.asks
    assert "The model says restart_service: I think so." in choice.reason
    assert Option("restart_service", APACHE, 0.4) in choice.options


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
def test_who_differs_about_acting_asks(other: str, asks: bool) -> None:
    """Whatever the gate may: people see both, and say."""
    gate = sober("restart_service", NGINX, asks=asks)
    choice = decide(gate, said(other))
    assert (choice.action, choice.arguments) == ("restart_service", NGINX)
    assert choice.asks
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


def test_each_try_of_a_voice_that_fails_is_recorded() -> None:
    """The first was paid for, too."""
    error = BrainFailed("no", call=Call(brain="ollama", tokens_in=2))
    error.earlier = (Call(brain="ollama", tokens_in=1, error="unreadable"),)
    choice = decide(sober("escalate"), error)
    assert [call.tokens_in for call in choice.calls] == [0, 1, 2]
    assert [call.error for call in choice.calls] == ["", "unreadable", "no"]


def test_a_failure_without_a_record_is_recorded_too() -> None:
    """Under the name that it is set by."""
    cascade = Cascade(
        Voice(sober("escalate")),
        None,
        Voice(BrainFailed("gone")),
        CascadeSettings(voice="ollama"),
    )
    choice = asyncio.run(cascade.decide(CASE, MENU))
    assert names(choice) == ["reflex", "ollama"]
    assert choice.calls[1].error == "gone"


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
    assert set(env.wanted) == {"mine", "llm"}
    assert names(asyncio.run(brain.decide(CASE, MENU))) == ["reflex", "ollama"]


@pytest.mark.parametrize("missing", ["gate", "voice"])
def test_what_is_named_must_be_there(missing: str) -> None:
    """Restraint is not optional, and nothing is left out in silence."""
    env = PeersEnv({"reflex": Voice(sober("escalate"))}, {missing: "nowhere"})
    with pytest.raises(ConfigError, match=f"brains.cascade.{missing}"):
        scan(brains)["cascade"](env)


def test_the_first_model_that_is_turned_on_is_heard() -> None:
    """Nothing else is to be set for it."""
    peers = {
        "reflex": Voice(sober("restart_service", NGINX)),
        "openai": Voice(said("restart_service", NGINX)),
        "systemone": Voice(said("escalate")),
    }
    brain: Brain = scan(brains)["cascade"](PeersEnv(peers, {}))
    choice = asyncio.run(brain.decide(CASE, MENU))
    assert choice.reason.endswith("The model agrees.")


def test_a_voice_that_is_too_slow_leaves_the_gate_alone() -> None:
    """The gate's word is there; the record says what was missing."""
    cascade = Cascade(
        Voice(sober("restart_service", NGINX)),
        None,
        Silent(),
        CascadeSettings(voice="ollama", voice_seconds=0.01),
    )
    choice = asyncio.run(cascade.decide(CASE, MENU))
    assert choice.action == "restart_service"
    assert choice.calls[-1].brain == "ollama"
    assert "no answer within" in choice.calls[-1].error


def test_a_voice_is_not_waited_for_until_it_is_too_late() -> None:
    """Who waits for the decision gives up then, and with it the gate."""
    peers: dict[str, Brain] = {
        "reflex": Voice(sober("restart_service", NGINX)),
        "ollama": Silent(),
    }
    env = PeersEnv(peers, {"voice_seconds": 60})
    env.patience_seconds = 1.0
    brain: Brain = scan(brains)["cascade"](env)

    async def wait() -> Choice:
        """Wait for longer: on a busy machine a second is soon over."""
        async with asyncio.timeout(30.0):
            return await brain.decide(CASE, MENU)

    choice = asyncio.run(wait())
    assert choice.action == "restart_service"
    # It is less than is waited for the whole.
    assert "no answer within 0.8 s" in choice.calls[-1].error


def test_by_default_it_is_rules_and_reflex() -> None:
    """No model is asked on a machine that has none."""
    env = PeersEnv({"reflex": Voice(sober("escalate"))}, {})
    brain: Brain = scan(brains)["cascade"](env)
    assert env.wanted[0] == "rules"
    assert names(asyncio.run(brain.decide(CASE, MENU))) == ["reflex"]
