"""The brain for decision models: one typed question, probabilities back."""

import asyncio
from typing import Any

import pytest

from app.core.errors import BrainFailed
from app.decide.brains.systemone import plugin
from app.models.choice import Choice, calls_of
from app.ports import Brain
from tests.models.fake_systemone import FakeSystemOne, choice, verdict
from tests.models.server import Reply
from tests.unit.brains.making import FakeEnv, make_case, make_menu

CASE = make_case()
MENU = make_menu(CASE)
SURE = {"restart_service": 0.7, "escalate": 0.2, "no_action": 0.1}


def make_brain(server: FakeSystemOne, **settings: Any) -> Brain:
    """Return the brain of a fake endpoint."""
    written = {"url": server.url, "model": "decider", **settings}
    brain = plugin(FakeEnv("systemone", written))
    assert brain is not None
    return brain


def decide(brain: Brain) -> Choice:
    """Return what a brain chooses, on an event loop of its own."""
    return asyncio.run(brain.decide(CASE, MENU))


def test_it_is_not_there_until_an_endpoint_is_set() -> None:
    """Without an address there is nobody to ask."""
    assert plugin(FakeEnv("systemone")) is None


def test_the_most_likely_option_is_chosen() -> None:
    """Code fills the arguments in; the probabilities are the options."""
    with FakeSystemOne(SURE) as server:
        found = decide(make_brain(server))
    assert found.action == "restart_service"
    assert found.arguments == {"host": "web-1", "service": "nginx"}
    assert found.confidence == pytest.approx(0.35)
    assert [o.probability for o in found.options[:3]] == [0.7, 0.2, 0.1]
    (call,) = found.calls
    assert (call.model, call.tokens_in) == ("decider", 512)
    assert call.milliseconds["total"] > 0


def test_what_is_sent() -> None:
    """The state is the case as data; the options are the menu's functions."""
    with FakeSystemOne(SURE) as server:
        found = decide(make_brain(server, key="sesame"))
        (asked,) = server.asked
    assert asked.path == "/v1/systemone"
    assert asked.headers["authorization"] == "Bearer sesame"
    question = asked.body["questions"]["action"]
    assert question["type"] == "choice"
    assert list(question["criteria"]) == list(MENU.names)
    assert all(isinstance(text, str) for text in question["criteria"].values())
    assert "nginx entered the failed state" in asked.body["state"]
    system, user = found.calls[0].asked
    assert user.text == asked.body["state"]
    assert all(text in system.text for text in question["criteria"].values())


def test_the_address_may_end_in_v1() -> None:
    """People copy it from the settings of the chat endpoint."""
    with FakeSystemOne(SURE) as server:
        brain = make_brain(server, url=f"{server.url}/v1")
        assert decide(brain).action == "restart_service"


def answer(best: str, given: dict[str, Any]) -> Reply:
    """Return an answer to our question."""
    return verdict({"action": choice(best, given)})


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer("drop_tables", {"drop_tables": 1.0}), "not on the menu"),
        (answer("escalate", {"escalate": 1.5}), "probability"),
        (answer("escalate", {"escalate": -0.1}), "probability"),
        (answer("escalate", {"escalate": 1.0, "no_action": 1.0}), "in all"),
        (answer("escalate", {"escalate": 0.1, "no_action": 0.9}), "likely"),
        (answer("escalate", {}), "no option"),
        (answer("escalate", {"escalate": "high"}), "wire format"),
        (verdict({}), "without an answer"),
        (verdict({"other": choice("escalate", SURE)}), "without an answer"),
        (Reply({"error": {"message": "no decision model"}}, 501), "decisions"),
        (Reply({"error": {"message": "too many options"}}, 422), "menu"),
        (Reply({"error": {"message": "queue"}}, 503), "503"),
        (Reply(b"<html>"), "wire format"),
        (Reply(b"[" * 100_000), "wire format"),
        (
            answer("escalate", {"escalate": 1.0, "x" * 3_000_000: 0.0}),
            "too long",
        ),
    ],
)
def test_an_impossible_answer_is_a_failure_in_words(
    reply: Reply, words: str
) -> None:
    """What makes no sense is no choice, and the record says what came."""
    with (
        FakeSystemOne(None, reply) as server,
        pytest.raises(BrainFailed) as caught,
    ):
        decide(make_brain(server))
    assert words in f"{caught.value} {caught.value.remedy}"


def test_an_answer_in_vain_is_paid_for() -> None:
    """Its tokens are counted, whatever comes of it."""
    with (
        FakeSystemOne(None, answer("drop_tables", {"drop_tables": 1.0})) as s,
        pytest.raises(BrainFailed) as caught,
    ):
        decide(make_brain(s))
    (call,) = calls_of(caught.value)
    assert call.tokens_in == 512


def test_a_menu_that_is_too_long_is_not_cut() -> None:
    """An option that was left out silently could be the right one."""
    with FakeSystemOne(SURE) as server:
        with pytest.raises(BrainFailed, match="too many"):
            decide(make_brain(server, most_options=2))
        assert server.asked == []
