"""The brain for OpenAI-compatible endpoints: what is sent, read and told."""

import asyncio
import json
import threading
from typing import Any

import pytest

from app.core.errors import BrainFailed
from app.decide.brains.openai import plugin
from app.models.choice import Choice
from app.ports import Brain
from tests.models.fake_openai import FakeOpenAI, completion, failure
from tests.models.server import Reply
from tests.unit.brains.making import FakeEnv, make_case, make_menu

RIGHT = {"host": "web-1", "service": "nginx"}
CALL = {"name": "restart_service", "arguments": RIGHT, "reason": "It failed."}
WRAPPED = json.dumps({"call": CALL})
CASE = make_case()
MENU = make_menu(CASE)


def make_brain(server: FakeOpenAI, **settings: Any) -> Brain:
    """Return the brain of a fake endpoint."""
    written = {"url": server.base, "model": "some-model", **settings}
    brain = plugin(FakeEnv("openai", written))
    assert brain is not None
    return brain


def decide(brain: Brain) -> Choice:
    """Return what a brain chooses, on an event loop of its own."""
    return asyncio.run(brain.decide(CASE, MENU))


def test_it_is_not_there_until_an_endpoint_is_set() -> None:
    """Without an address there is nobody to ask."""
    assert plugin(FakeEnv("openai")) is None


def test_a_call_is_chosen_and_recorded() -> None:
    """The choice is on the menu; the record says all about the call."""
    with FakeOpenAI(completion(WRAPPED)) as server:
        choice = decide(make_brain(server))
    assert (choice.action, choice.arguments) == ("restart_service", RIGHT)
    assert choice.reason == "It failed."
    (call,) = choice.calls
    assert (call.model, call.model_digest) == ("some-model", "fp_44709d6fcb")
    assert (call.tokens_in, call.tokens_out) == (640, 31)
    assert call.repairs == ()


def test_what_is_sent() -> None:
    """An object at the root, anyOf inside: the strict mode wants it so."""
    with FakeOpenAI(completion(WRAPPED)) as server:
        decide(make_brain(server, key="sesame"))
        (asked,) = server.asked
    assert asked.headers["authorization"] == "Bearer sesame"
    assert asked.body["max_tokens"] == 160
    assert asked.body["temperature"] == 0
    form = asked.body["response_format"]["json_schema"]
    assert form["strict"] is True
    calls = form["schema"]["properties"]["call"]["anyOf"]
    names = [one["properties"]["name"]["const"] for one in calls]
    assert names == list(MENU.names)
    assert all(one["additionalProperties"] is False for one in calls)


def test_no_key_is_no_header() -> None:
    """A local server is asked without any."""
    with FakeOpenAI(completion(WRAPPED)) as server:
        decide(make_brain(server, temperature=None, seed=None))
        (asked,) = server.asked
    assert "authorization" not in asked.headers
    assert "temperature" not in asked.body
    assert "seed" not in asked.body


def test_tools_are_read() -> None:
    """A native call carries its arguments as JSON in a text."""
    reply = completion(None, calls=[("restart_service", RIGHT)])
    with FakeOpenAI(reply) as server:
        choice = decide(make_brain(server, mode="tools"))
        (asked,) = server.asked
    assert choice.arguments == RIGHT
    assert asked.body["tool_choice"] == "required"
    assert "response_format" not in asked.body


def test_auto_tries_the_other_way() -> None:
    """After an answer that nobody can read come function calls."""
    replies = (completion("Hm."), completion("", calls=[("escalate", "")]))
    with FakeOpenAI(*replies) as server:
        choice = decide(make_brain(server))
        assert "tools" in server.asked[1].body
    assert choice.action == "escalate"
    assert len(choice.calls) == 2


def test_confidence_comes_from_the_tokens_that_chose() -> None:
    """The tokens of the name, and none of those around it."""
    pieces = [
        ('{"call": {"name": "', -5.0),
        ("restart", -0.2),
        ("_service", -0.3),
        (WRAPPED.split("restart_service")[1], -5.0),
    ]
    with FakeOpenAI(completion(WRAPPED, pieces=pieces)) as server:
        choice = decide(make_brain(server))
    assert choice.options[0].probability == pytest.approx(0.6065, abs=1e-3)


# A charset of which Python makes no text.
HEX = {"content-type": "text/plain; charset=hex"}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (failure(401, "Incorrect API key provided"), "brains.openai.key"),
        (failure(404, "model not found"), "brains.openai.url"),
        (failure(429, "Rate limit reached"), "concurrency"),
        (failure(503, "Loading model"), "503"),
        (failure(500, "boom"), "500"),
        (Reply(b"boom", 503, headers=HEX), "503: boom"),
        (failure(200, "overloaded"), "overloaded"),
        (Reply(b"not json"), "wire format"),
        (Reply({"choices": []}), "wire format"),
        (Reply({"choices": [{"message": 5}]}), "wire format"),
        (Reply(b"[" * 100_000), "wire format"),
        (Reply(b"x" * 3_000_000), "the answer is too long"),
        (completion(WRAPPED, finish="length"), ""),
        (Reply({"choices": [{"message": {}}]}, is_cut=True), "broke off"),
        (completion(None), "no usable answer"),
    ],
)
def test_a_broken_answer_is_a_failure_in_words(
    reply: Reply, words: str
) -> None:
    """No status and no body makes anything but a choice or BrainFailed."""
    with FakeOpenAI(reply) as server:
        brain = make_brain(server)
        if not words:
            assert "cut off by the server" in decide(brain).calls[0].repairs
            return
        with pytest.raises(BrainFailed) as caught:
            decide(brain)
    assert words in f"{caught.value} {caught.value.remedy}"


def test_a_server_that_is_not_there_is_to_be_started() -> None:
    """Nobody listens; who answers and breaks off is there."""
    with FakeOpenAI(completion(WRAPPED)) as server:
        brain = make_brain(server)
        server._server.shutdown()
        server._server.server_close()
        with pytest.raises(BrainFailed, match="cannot be reached") as caught:
            decide(brain)
    assert "Start its server" in caught.value.remedy


@pytest.mark.parametrize("status", [200, 401])
def test_a_key_that_is_echoed_is_not_told(status: int) -> None:
    """What a failure says goes into the log, and to people."""
    key = "open sesame 17"
    reply = Reply({"error": f"you sent {key} and I do not know {key}"}, status)
    with FakeOpenAI(reply) as server, pytest.raises(BrainFailed) as caught:
        decide(make_brain(server, key=key))
    assert key not in str(caught.value)
    assert "you sent (SECRET) and" in str(caught.value)


def test_a_slow_answer_is_given_up() -> None:
    """A deadline ends the wait."""
    slow = completion(WRAPPED)
    slow.wait = threading.Event()
    with FakeOpenAI(slow) as server:
        with pytest.raises(BrainFailed, match=r"within 0\.3 s"):
            decide(make_brain(server, timeout_seconds=0.3))
        slow.wait.set()
