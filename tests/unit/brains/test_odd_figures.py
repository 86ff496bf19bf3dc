"""What a server says of itself is no more than what can be."""

import asyncio
import json
from typing import Any

import pytest

from app.core.errors import BrainFailed
from app.decide.brains import ollama, openai, systemone
from app.models.choice import Call, Choice
from app.ports import Brain
from tests.models.fake_ollama import FakeOllama, chat, tool_call
from tests.models.fake_openai import FakeOpenAI, completion
from tests.models.fake_systemone import FakeSystemOne, choice
from tests.models.server import Reply
from tests.unit.brains.making import FakeEnv, make_case, make_menu

CASE = make_case()
MENU = make_menu(CASE)
RIGHT = {"host": "web-1", "service": "nginx"}
CALL = json.dumps({"name": "restart_service", "arguments": RIGHT})
LONG = "m" * 100_000
# What a server counts, and what of it can be.
COUNTS = [
    (640, 640),
    (12.0, 12),
    (-5_000, 0),
    (2**63, 0),
    (10**30, 0),
    (None, 0),
    (True, 1),
]


def decide(brain: Brain | None) -> Choice:
    """Return what a brain chooses."""
    assert brain is not None
    return asyncio.run(brain.decide(CASE, MENU))


def ask_openai(reply: Reply) -> Choice:
    """Return what comes of an answer of an endpoint."""
    with FakeOpenAI(reply) as server:
        return decide(openai.plugin(FakeEnv("openai", {"url": server.base})))


def ask_ollama(reply: Reply) -> Choice:
    """Return what comes of an answer of an Ollama server."""
    with FakeOllama(reply) as server:
        settings = {"enabled": True, "url": server.url}
        return decide(ollama.plugin(FakeEnv("ollama", settings)))


def ask_systemone(reply: Reply) -> Choice:
    """Return what comes of an answer of a System One endpoint."""
    with FakeSystemOne(None, reply) as server:
        settings = {"url": server.url}
        return decide(systemone.plugin(FakeEnv("systemone", settings)))


def with_(reply: Reply, **fields: Any) -> Reply:
    """Return an answer with other fields."""
    return Reply(json.loads(reply.raw) | fields)


@pytest.mark.parametrize(("said", "kept"), COUNTS)
def test_tokens_that_cannot_be_are_none(said: object, kept: int) -> None:
    """No database holds some of them, and less than none would pay."""
    usage = {"prompt_tokens": said, "completion_tokens": said}
    (call,) = ask_openai(with_(completion(CALL), usage=usage)).calls
    assert (call.tokens_in, call.tokens_out) == (kept, kept)
    counts = {"prompt_eval_count": said, "eval_count": said}
    (call,) = ask_ollama(with_(chat(CALL), **counts)).calls
    assert (call.tokens_in, call.tokens_out) == (kept, kept)
    body = {
        "model": None,
        "answers": {"action": choice("escalate", {"escalate": 1.0})},
        "usage": {"input_tokens": said, "output_tokens": said},
    }
    (call,) = ask_systemone(Reply(body)).calls
    assert (call.tokens_in, call.tokens_out) == (kept, kept)


@pytest.mark.parametrize("said", [10**400, 10**30, -1])
def test_a_time_that_cannot_be_is_none(said: int) -> None:
    """It is no reason to lose the answer."""
    (call,) = ask_ollama(with_(chat(CALL), eval_duration=said)).calls
    assert call.milliseconds["generate"] == 0
    assert call.milliseconds["prompt"] == 300


def test_a_name_is_no_novel() -> None:
    """It is kept with each decision."""
    said = {"model": LONG, "system_fingerprint": LONG}
    (call,) = ask_openai(with_(completion(CALL), **said)).calls
    assert (call.model, call.model_digest) == (LONG[:200], LONG[:200])
    (call,) = ask_ollama(with_(chat(CALL), model=LONG)).calls
    assert call.model == LONG[:200]


def test_a_model_without_a_name_is_the_one_that_was_asked() -> None:
    """Some servers answer null."""
    assert ask_openai(with_(completion(CALL), model=None)).calls[0].model == ""


def test_arguments_that_nobody_wants_are_told_in_short() -> None:
    """Each of them is dropped; the record says so of some."""
    arguments = {**RIGHT, **{f"odd_{n}": "x" for n in range(100)}}
    choice = ask_openai(
        completion(None, calls=[("restart_service", arguments)])
    )
    assert choice.arguments == RIGHT
    repairs = choice.calls[0].repairs
    assert (len(repairs), repairs[-1]) == (21, "81 more")


@pytest.mark.parametrize(
    "reply",
    [
        chat('{"name": "\ud800", "arguments": {}}'),
        tool_call(("\ud800", {})),
        tool_call(("restart_service", {"service": "\ud800"})),
    ],
)
def test_half_a_letter_is_no_call(reply: Reply) -> None:
    """It cannot be sent back, nor kept; the model is told, and no more."""
    with pytest.raises(BrainFailed, match="no usable answer") as caught:
        ask_ollama(reply)
    assert isinstance(caught.value.call, Call)
    assert "\ud800" not in caught.value.call.raw


def test_what_is_nested_without_end_is_no_call() -> None:
    """A call that nobody can walk through."""
    deep = '{"a": ' * 600 + "1" + "}" * 600
    raw = tool_call(("restart_service", {"host": "web-1"})).raw
    reply = Reply(raw.replace(b'"web-1"', deep.encode()))
    with pytest.raises(BrainFailed, match="no usable answer") as caught:
        ask_ollama(reply)
    assert isinstance(caught.value.call, Call)
    assert "a call nested too deep" in caught.value.call.repairs


def test_more_than_certain_is_no_probability() -> None:
    """One impossible token beside another does not make a possible one."""
    rest = CALL.partition("restart_service")[2]
    pieces = [
        ('{"name": "', 0.0),
        ("restart", 5.0),
        ("_service", -5.2),
        (rest, 0.0),
    ]
    choice = ask_openai(completion(CALL, pieces=pieces))
    assert choice.options[0].probability is None
    assert choice.confidence is None


def test_the_address_of_another_wire_format_is_no_missing_model() -> None:
    """To pull it would not help: that page is not there at all."""
    with FakeOllama(chat(CALL)) as server:
        settings = {"enabled": True, "url": f"{server.url}/v1"}
        with pytest.raises(BrainFailed, match="no Ollama server") as caught:
            decide(ollama.plugin(FakeEnv("ollama", settings)))
    assert "pull" not in caught.value.remedy
    assert "brains.ollama.url (without /v1)" in caught.value.remedy
