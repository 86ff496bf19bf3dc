"""The brain that asks an Ollama server: what is sent, read and told."""

import asyncio
import json
import math
import threading
from typing import Any

import pytest

from app.core.errors import BrainFailed
from app.core.line import ONLY_TO
from app.decide.brains.ollama import OllamaBrain, OllamaSettings, plugin
from app.models.choice import Call, Choice, calls_of
from app.models.menu import Menu
from tests.fakes import FakeClock
from tests.models.fake_ollama import (
    BUSY,
    DIGEST,
    FakeOllama,
    chat,
    tool_call,
)
from tests.models.server import Reply
from tests.programs import free_port
from tests.unit.brains.making import FakeEnv, make_case, make_menu

RIGHT = {"host": "web-1", "service": "nginx"}
CALL = json.dumps({"name": "restart_service", "arguments": RIGHT})
CASE = make_case()
MENU = make_menu(CASE)


def make_brain(server: FakeOllama, **settings: Any) -> OllamaBrain:
    """Return the brain of a fake server."""
    env = FakeEnv("ollama", {"enabled": True, "url": server.url, **settings})
    brain = plugin(env)
    assert isinstance(brain, OllamaBrain)
    return brain


def decide(brain: OllamaBrain, menu: Menu = MENU) -> Choice:
    """Return what a brain chooses, on an event loop of its own."""
    return asyncio.run(brain.decide(CASE, menu))


def fails(brain: OllamaBrain) -> BrainFailed:
    """Return how a brain fails."""
    with pytest.raises(BrainFailed) as caught:
        decide(brain)
    return caught.value


def asked(call: Call) -> list[dict[str, str]]:
    """Return the texts of a record as a server gets them."""
    return [{"role": one.role, "content": one.text} for one in call.asked]


def test_it_is_off_until_it_is_turned_on() -> None:
    """A machine without a model server is not asked for one."""
    assert plugin(FakeEnv("ollama")) is None


def test_a_call_is_chosen_and_recorded() -> None:
    """The choice is on the menu; the record says all about the call."""
    with FakeOllama(chat(CALL)) as server:
        choice = decide(make_brain(server))
        (sent,) = server.chats
    assert (choice.action, choice.arguments) == ("restart_service", RIGHT)
    (call,) = choice.calls
    assert call.model_digest == DIGEST
    assert (call.tokens_in, call.tokens_out) == (640, 31)
    assert call.milliseconds["load"] == 12
    assert call.milliseconds["prompt"] == 300
    assert call.milliseconds["generate"] == 500
    assert call.milliseconds["total"] > 0
    assert call.raw == CALL
    assert len(call.prompt_hash) == 16
    assert asked(call) == sent["messages"]
    assert call.error == ""


def test_what_is_sent() -> None:
    """Two messages, the schema of this menu, and a model held still."""
    with FakeOllama(chat(CALL)) as server:
        decide(make_brain(server, num_thread=1))
        (body,) = server.chats
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    names = [o["properties"]["name"]["const"] for o in body["format"]["oneOf"]]
    assert names == list(MENU.names)
    assert body["options"] == {
        "temperature": 0.0,
        "seed": 1,
        "num_ctx": 4096,
        "num_predict": 160,
        "num_thread": 1,
    }
    assert body["keep_alive"] == "30m"
    assert body["stream"] is False
    assert body["logprobs"] is True
    assert body.get("tools") in (None, [])


def test_tools_are_sent_and_read() -> None:
    """In the mode of function calls the candidates are enums."""
    with FakeOllama(tool_call(("restart_service", RIGHT))) as server:
        choice = decide(make_brain(server, mode="tools"))
        (body,) = server.chats
    assert choice.arguments == RIGHT
    assert "format" not in body
    (tool,) = (
        t["function"]
        for t in body["tools"]
        if t["function"]["name"] == "restart_service"
    )
    assert tool["parameters"]["properties"]["host"]["enum"] == ["web-1"]


def test_a_bad_answer_gets_one_more_try_that_shows_the_error() -> None:
    """The model sees its answer and what is wrong with it."""
    wrong = json.dumps(
        {"name": "restart_service", "arguments": {**RIGHT, "host": "db-1"}}
    )
    with FakeOllama(chat(wrong), chat(CALL)) as server:
        choice = decide(make_brain(server, mode="format"))
        again = server.chats[1]["messages"]
    assert choice.action == "restart_service"
    assert [m["role"] for m in again][2:] == ["assistant", "user"]
    assert again[2]["content"] == wrong
    assert "db-1" in again[3]["content"]
    first, second = choice.calls
    assert "db-1" in first.error
    assert second.error == ""
    assert [asked(first), asked(second)] == [again[:2], again]


def test_two_bad_answers_are_a_failure_with_its_record() -> None:
    """There is no third try, and nothing is guessed."""
    with FakeOllama(chat("I would restart it.")) as server:
        failed = fails(make_brain(server))
        assert len(server.chats) == 2
    assert isinstance(failed.call, Call)
    assert failed.call.raw == "I would restart it."
    # What it said at first is in what it was shown the second time.
    assert failed.call.asked[2].text == "I would restart it."


@pytest.mark.parametrize(
    ("second", "tokens"), [(chat("Hm."), [671, 671]), (BUSY, [671, 0])]
)
def test_the_first_of_two_tries_in_vain_is_counted(
    second: Reply, tokens: list[int]
) -> None:
    """It was paid for, and says why there was a second one."""
    with FakeOllama(chat("I would restart it."), second) as server:
        calls = calls_of(fails(make_brain(server)))
    assert [one.tokens_in + one.tokens_out for one in calls] == tokens
    assert calls[0].raw == "I would restart it."
    assert all(one.error for one in calls)


@pytest.mark.parametrize(
    ("capabilities", "is_by_tools"),
    [(["completion", "tools"], True), (["completion"], False)],
)
def test_auto_tries_the_other_way_when_the_model_can(
    capabilities: list[str], is_by_tools: bool
) -> None:
    """Some runners ignore the schema: then function calls are tried."""
    replies = (chat("Hm."), tool_call(("restart_service", RIGHT)))
    with FakeOllama(*replies, capabilities=capabilities) as server:
        choice = decide(make_brain(server))
        again = server.chats[1]
    assert choice.action == "restart_service"
    assert ("format" not in again) is is_by_tools


def test_two_calls_at_once_are_no_choice() -> None:
    """A model that calls two functions has chosen none."""
    both = tool_call(("restart_service", RIGHT), ("escalate", {}))
    with FakeOllama(both, chat(CALL)) as server:
        choice = decide(make_brain(server, mode="tools"))
    assert choice.calls[0].error
    assert "several calls at once" in choice.calls[0].repairs


def test_an_answer_that_was_cut_says_so() -> None:
    """What the server cut off is read as far as it goes, and named."""
    cut = CALL[:-1] + ', "reason": "It has fai'
    with FakeOllama(chat(cut, done_reason="length")) as server:
        choice = decide(make_brain(server))
    assert choice.arguments == RIGHT
    assert "cut off by the server" in choice.calls[0].repairs


def tokens(text: str, logprob: float) -> list[dict[str, Any]]:
    """Return a text as tokens of three characters."""
    parts = [text[i : i + 3] for i in range(0, len(text), 3)]
    return [{"token": part, "logprob": logprob} for part in parts]


def test_confidence_comes_from_the_tokens_that_chose() -> None:
    """Only the name had a choice here; the rest of the answer is form."""
    head, name = '{"name": "', "restart_service"
    rest = CALL.removeprefix(head + name)
    pieces = [*tokens(head, -9.0), *tokens(name, -0.1), *tokens(rest, -9.0)]
    # The border between two kinds of tokens is a border between tokens.
    assert "".join(p["token"] for p in pieces) == CALL
    with FakeOllama(chat(CALL, logprobs=pieces)) as server:
        choice = decide(make_brain(server))
    raw = choice.options[0].probability
    assert raw == pytest.approx(math.exp(-0.1 * 5))
    assert choice.confidence == pytest.approx(math.exp(-0.1 * 5) / 2)


def test_without_probabilities_there_is_no_confidence() -> None:
    """The model's own claim is never taken for one."""
    claim = {"name": "escalate", "arguments": {}, "confidence": 0.99}
    with FakeOllama(chat(json.dumps(claim))) as server:
        choice = decide(make_brain(server))
    assert choice.action == "escalate"
    assert choice.confidence is None


def test_tokens_of_another_text_give_no_confidence() -> None:
    """Some servers list what they drew before the schema had its say."""
    pieces = tokens("```json something else", -0.1)
    with FakeOllama(chat(CALL, logprobs=pieces)) as server:
        assert decide(make_brain(server)).confidence is None


def test_a_missing_server_names_the_command() -> None:
    """Nobody listens: the remedy starts a server."""
    with FakeOllama(chat(CALL)) as server:
        brain = make_brain(server)
        server._server.shutdown()
        server._server.server_close()
        failed = fails(brain)
    assert "ollama serve" in failed.remedy
    assert isinstance(failed.call, Call)
    assert failed.call.error


def test_a_missing_model_names_the_command() -> None:
    """The remedy pulls exactly this model."""
    with FakeOllama(chat(CALL)) as server:
        failed = fails(make_brain(server, model="qwen3:4b"))
    assert failed.remedy.endswith("main.py model pull qwen3:4b")


# A charset of which Python makes no text.
HEX = {"content-type": "text/plain; charset=hex"}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (BUSY, "queue"),
        (Reply({"error": "llama runner stopped\x1b[31m"}, 500), "500"),
        (Reply(b"[1, 2]", 500), "no Ollama server"),
        (Reply(b"[1, 2]"), "no Ollama server"),
        (Reply(b"null"), "no Ollama server"),
        (Reply(b"boom", 500, headers=HEX), "no Ollama server"),
        (Reply(b"<html>a proxy</html>", 502), "502"),
        (Reply(b"<html>a proxy</html>"), "no Ollama server"),
        (Reply({"hello": "world"}), "no Ollama server"),
        (Reply(b"[" * 50_000), "no Ollama server"),
        (Reply({"message": {"role": "assistant"}}, is_cut=True), "broke off"),
        (
            Reply(
                {"error": "moved"}, 302, headers={"location": "http://x.test/"}
            ),
            "302",
        ),
        (
            Reply(b"x", headers={"content-encoding": "gzip"}),
            "broke off",
        ),
    ],
)
def test_a_broken_answer_is_a_failure_in_words(
    reply: Reply, words: str
) -> None:
    """No status and no body makes anything but BrainFailed."""
    with FakeOllama(reply) as server:
        failed = fails(make_brain(server))
    assert words in f"{failed} {failed.remedy}"
    assert "\x1b" not in str(failed)


def test_an_endless_answer_is_given_up() -> None:
    """What comes back has a greatest size."""
    with FakeOllama(chat("x" * 3_000_000)) as server:
        assert "broke off" in str(fails(make_brain(server)))


def test_a_slow_answer_is_given_up() -> None:
    """A deadline ends the wait; it says which one."""
    never = threading.Event()
    slow = chat(CALL)
    slow.wait = never
    with FakeOllama(slow) as server:
        failed = fails(make_brain(server, timeout_seconds=0.3))
        never.set()
    assert "within 0.3 s" in str(failed)


def test_a_dead_server_is_left_alone_for_a_while() -> None:
    """After some failures in a row nothing is asked until the pause ends."""
    with FakeOllama(BUSY) as server:
        brain = make_brain(server, failures=2, pause_seconds=30)
        fails(brain)
        fails(brain)
        asked = len(server.chats)
        assert "again in 30 s" in str(fails(brain))
        assert len(server.chats) == asked
        server.replies = [chat(CALL)]
        assert isinstance(brain._clock, FakeClock)
        brain._clock.advance(31)
        assert decide(brain).action == "restart_service"


def test_who_is_given_up_by_others_is_left_alone_too() -> None:
    """The cascade waits for less than the server may take."""
    slow = chat(CALL)
    slow.wait = threading.Event()

    async def give_up(brain: OllamaBrain) -> None:
        """Wait for a moment only."""
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await brain.decide(CASE, MENU)

    with FakeOllama(slow) as server:
        brain = make_brain(server, failures=2, pause_seconds=30)
        asyncio.run(give_up(brain))
        asyncio.run(give_up(brain))
        assert "again in 30 s" in str(fails(brain))
        assert isinstance(brain._clock, FakeClock)
        brain._clock.advance(31)
        asyncio.run(give_up(brain))
        assert "again in 30 s" in str(fails(brain))
        slow.wait.set()
        brain._clock.advance(31)
        assert decide(brain).action == "restart_service"


@pytest.mark.parametrize("most", [1, 3])
def test_so_many_requests_at_a_time(most: int) -> None:
    """Further ones wait until one of these has its answer."""
    slow = chat(CALL)
    slow.wait, slow.patience = threading.Event(), 0.1

    async def ask_often(brain: OllamaBrain) -> None:
        """Ask four times at once."""
        await asyncio.gather(*(brain.decide(CASE, MENU) for _ in range(4)))

    with FakeOllama(slow) as server:
        brain = make_brain(server, concurrency=most)
        asyncio.run(ask_often(brain))
        assert len(server.chats) == 4
        assert server.most_at_once <= most


def test_the_model_can_be_changed_at_run_time() -> None:
    """The next decision asks the model that was set meanwhile."""
    with FakeOllama(chat(CALL), models=["a:latest", "b:latest"]) as server:
        env = FakeEnv(
            "ollama", {"enabled": True, "url": server.url, "model": "a"}
        )
        brain = OllamaBrain(env, env.settings(OllamaSettings))
        decide(brain)
        env.model_now = "b"
        decide(brain)
        assert [body["model"] for body in server.chats] == ["a", "b"]


def test_the_server_is_looked_at_once() -> None:
    """What is known of a model is asked once, not with each case."""
    with FakeOllama(chat(CALL)) as server:
        brain = make_brain(server)
        decide(brain)
        decide(brain)
        assert server.paths().count("/api/show") == 1


def test_a_real_model_call_in_a_test_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that is not one of the fakes cannot be asked."""
    with FakeOllama(chat(CALL)) as server:
        monkeypatch.setenv(ONLY_TO, f"127.0.0.1:{free_port()}")
        with pytest.raises(RuntimeError, match=ONLY_TO):
            decide(make_brain(server))
        assert server.asked == []
