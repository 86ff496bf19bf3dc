"""Deciding: the brain proposes, code has the last word."""

import asyncio
from collections.abc import Collection, Mapping

import msgspec
import pytest

from app.core.errors import BrainFailed
from app.decide.deciding import Decided, Decider, is_sure, tell_options
from app.models.case import Case
from app.models.choice import Call, Choice, Option, Why
from app.models.menu import Arguments, Menu
from app.ports import Brain
from tests.unit.decide.sites import case, grounder

CASE = case({"instance": "web-1:9100", "unit": "nginx.service"})
CALL: Arguments = {"host": "web-1", "service": "nginx"}
CALLS = (Call(brain="fake", model="m"),)
OPTIONS = tuple(
    Option(name, {}, probability)
    for name, probability in (
        ("restart_service", 0.5),
        ("escalate", 0.3),
        ("no_action", 0.1),
        ("collect_diagnostics", 0.05),
        ("free_memory", 0.05),
    )
)


class Reins(msgspec.Struct, frozen=True):
    """What is set."""

    brain: str = "fake"
    digest: str = "settings-1"
    confidence: float = 0.6

    def least(self, action: str) -> float:
        """Return the least confidence of any action."""
        del action
        return self.confidence


class Fake:
    """A brain that says one thing."""

    def __init__(self, said: Choice | Exception) -> None:
        self.said = said
        self.asked: list[tuple[Case, Menu]] = []

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return the choice, or fail."""
        self.asked.append((case, menu))
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def choose(
    action: str = "restart_service",
    arguments: Arguments = CALL,
    **more: object,
) -> Choice:
    """Return what a brain chooses."""
    choice = Choice(
        action=action,
        arguments=arguments,
        reason="It is down.",
        confidence=0.9,
        options=OPTIONS,
        calls=CALLS,
    )
    return msgspec.structs.replace(choice, **more)


def decide(
    said: Choice | Exception,
    about: Case = CASE,
    *,
    brain: str = "",
    only: Collection[str] | None = None,
    held: Reins | None = None,
) -> tuple[Decided, Fake]:
    """Return what is decided, and the brain that was or was not asked."""
    fake = Fake(said)
    known: Mapping[str, Brain] = {"fake": fake}
    decider = Decider(known, grounder, lambda _case: only)
    work = decider.decide(about, held or Reins(), brain)
    return asyncio.run(work), fake


def test_what_is_on_the_menu_and_sure_is_decided() -> None:
    """With the proof of each argument, and what was weighed."""
    decided, _ = decide(choose())
    decision = decided.decision
    assert decision.call_text == "restart_service(host=web-1, service=nginx)"
    assert decision.why == Why.CHOSEN
    assert not decision.asks
    assert [(one.argument, one.source) for one in decision.grounding] == [
        ("host", "labels.instance"),
        ("service", "labels.unit"),
    ]
    assert decision.reason == "It is down."
    assert decision.calls == CALLS
    assert decision.options == OPTIONS[:4]


def test_it_says_what_it_rests_on() -> None:
    """The digests of case, catalogue and settings, and the brain."""
    decided, fake = decide(choose())
    decision = decided.decision
    assert decision.case_digest == CASE.digest
    assert decision.catalogue_digest == decided.menu.catalogue != ""
    assert decision.settings_digest == "settings-1"
    assert decision.brain == "fake"
    assert decided.case == CASE
    assert fake.asked == [(CASE, decided.menu)]
    assert decided.milliseconds >= 0


def test_what_is_over_asks_nobody() -> None:
    """Nothing acts on a resolved alert, whatever the brain would say."""
    over = msgspec.structs.replace(CASE, status="resolved")
    decided, fake = decide(choose(), over)
    assert (decided.decision.action, decided.decision.why) == (
        "no_action",
        Why.RESOLVED,
    )
    assert fake.asked == []
    assert decided.decision.case_digest == over.digest


def test_an_unknown_brain_escalates() -> None:
    """It says which there are, and the command that sets one."""
    decided, fake = decide(choose(), brain="oracle")
    assert decided.decision.action == "escalate"
    assert decided.decision.why == Why.UNAVAILABLE
    assert "'oracle'" in decided.decision.reason
    assert "fake" in decided.decision.reason
    assert decided.decision.brain == "oracle"
    assert fake.asked == []
    assert "main.py reins set brain=" in decided.decision.reason


def test_a_failing_brain_escalates_with_the_remedy() -> None:
    """And what is known about its call."""
    call = Call(brain="fake", error="refused")
    error = BrainFailed("no server", remedy="Run ollama serve.", call=call)
    decision = decide(error)[0].decision
    assert decision.action == "escalate"
    assert decision.why == Why.UNAVAILABLE
    assert decision.reason == "fake: no server. Run ollama serve."
    assert decision.calls == (call,)
    bare = decide(BrainFailed("gone"))[0].decision
    assert (bare.reason, bare.calls) == ("fake: gone.", ())


@pytest.mark.parametrize(
    ("action", "arguments", "why"),
    [
        ("reboot", {}, "'reboot' is not on the menu"),
        ("kill_process", {"host": "web-1", "process": "x"}, "not on the menu"),
        ("restart_service", {"host": "web-1"}, "needs 'service'"),
        ("restart_service", {**CALL, "host": "db-1"}, "'db-1'"),
        ("restart_service", {**CALL, "service": "sshd"}, "'sshd'"),
        ("restart_service", {**CALL, "force": "yes"}, "no argument 'force'"),
        ("escalate", {"to": "the CTO"}, "no argument 'to'"),
        ("collect_diagnostics", {"host": "web-1", "topic": "x"}, "'x'"),
    ],
)
@pytest.mark.parametrize("asks", [True, False])
def test_what_is_not_on_the_menu_escalates(
    action: str, arguments: Arguments, why: str, asks: bool
) -> None:
    """However sure the brain is, and though a person would be asked."""
    said = choose(action, arguments, confidence=1.0, asks=asks)
    decision = decide(said)[0].decision
    assert decision.action == "escalate"
    assert decision.arguments == {}
    assert decision.why == Why.UNGROUNDED
    assert why in decision.reason
    assert not decision.asks
    assert decision.calls == CALLS


@pytest.mark.parametrize("confidence", [0.59, 0.0, None, float("nan")])
def test_below_the_confidence_it_escalates(confidence: float | None) -> None:
    """The two best are told; no number is no ground to act."""
    decision = decide(choose(confidence=confidence))[0].decision
    assert decision.action == "escalate"
    assert decision.why == Why.UNSURE
    assert decision.reason == (
        "Not sure enough: restart_service 50%, escalate 30%."
    )
    assert decision.options == OPTIONS[:4]
    # How sure it is of handing over is what was weighed for that.
    assert decision.confidence == 0.3


@pytest.mark.parametrize("confidence", [0.6, 0.61, 1.0])
def test_from_the_confidence_on_it_acts(confidence: float) -> None:
    """The bound itself is enough."""
    decision = decide(choose(confidence=confidence))[0].decision
    assert decision.action == "restart_service"
    assert decision.confidence == confidence


@pytest.mark.parametrize(
    ("confidence", "action"),
    [(None, "escalate"), (0.49, "escalate"), (0.5, "restart_service")],
)
def test_what_asks_must_be_likely_too(
    confidence: float | None, action: str
) -> None:
    """Below the threshold people get the incident, and no question."""
    held = Reins(confidence=0.5)
    decision = decide(choose(confidence=confidence, asks=True), held=held)[
        0
    ].decision
    assert decision.action == action
    assert decision.asks is (action == "restart_service")


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("escalate", {}),
        ("collect_diagnostics", {"host": "web-1", "topic": "service"}),
    ],
)
def test_what_changes_nothing_needs_no_confidence(
    action: str, arguments: Arguments
) -> None:
    """Looking and handing over are always allowed."""
    decision = decide(choose(action, arguments, confidence=None))[0].decision
    assert decision.action == action
    assert decision.why == Why.CHOSEN


@pytest.mark.parametrize("confidence", [0.5, None])
def test_keeping_silent_needs_confidence(confidence: float | None) -> None:
    """A problem that nobody hears of is no safe way out."""
    silent = choose("no_action", {}, confidence=confidence)
    decision = decide(silent)[0].decision
    assert (decision.action, decision.why) == ("escalate", Why.UNSURE)
    sure = choose("no_action", {}, confidence=0.6)
    assert decide(sure)[0].decision.action == "no_action"


def test_what_the_site_narrows_away_cannot_be_chosen() -> None:
    """Neither by a brain that saw another menu."""
    decided, _ = decide(choose(), only={"collect_diagnostics"})
    assert "restart_service" not in decided.menu.names
    assert decided.decision.why == Why.UNGROUNDED


def test_a_threshold_of_more_than_one_closes_everything() -> None:
    """Nobody is ever so sure."""
    held = Reins(confidence=1.01)
    decision = decide(choose(confidence=1.0), held=held)[0].decision
    assert decision.why == Why.UNSURE


def test_no_figure_is_said_when_there_is_none() -> None:
    """A brain without options has nothing to show."""
    decision = decide(choose(confidence=0.1, options=()))[0].decision
    assert decision.reason == "Not sure enough: no figure."
    assert tell_options((Option("escalate"), *OPTIONS)) == (
        "restart_service 50%"
    )


@pytest.mark.parametrize(
    ("confidence", "least", "expected"),
    [
        (None, 0.0, False),
        (0.0, 0.0, True),
        (0.5, 0.5, True),
        (0.4999, 0.5, False),
        (float("nan"), 0.0, False),
    ],
)
def test_who_is_sure(
    confidence: float | None, least: float, expected: bool
) -> None:
    """None and what is no number never are."""
    assert is_sure(confidence, least) is expected
