"""The demo's model: taken when a server here has it, never waited for."""

import pytest

from scripts.demo import __main__ as demo
from tests.models.fake_ollama import FakeOllama
from tests.models.server import Asked, Reply
from tests.programs import free_port


class Odd(FakeOllama):
    """A server on that port that is no Ollama."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply

    def answer(self, _asked: Asked) -> Reply:
        """Return the same to everybody."""
        return self.reply


@pytest.mark.parametrize(
    ("models", "found"),
    [
        (("mistral:7b", "llama3.2:latest"), "llama3.2:latest"),
        (("llama3.2:1b",), "llama3.2:1b"),
        (("llama3.2",), "llama3.2"),
        (("llama3.2-vision:11b", "llama3:8b"), ""),
        ((), ""),
    ],
)
def test_a_server_with_the_model_is_asked(
    monkeypatch: pytest.MonkeyPatch, models: tuple[str, ...], found: str
) -> None:
    """By the name that the server has it under; another model is none."""
    with FakeOllama(models=models) as server:
        monkeypatch.setattr(demo, "OLLAMA", server.url)
        assert demo.find_model() == found
        assert server.paths() == ["/api/tags"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"error": "busy"}, 503),
        Reply(b"<html>hello</html>"),
        Reply([1, 2]),
        Reply({"models": None}),
        Reply({"models": [{"size": 3}]}),
        Reply({"models": []}, is_cut=True),
    ],
)
def test_what_is_no_ollama_has_no_model(
    monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    """The demo goes on with the trained gate."""
    with Odd(reply) as server:
        monkeypatch.setattr(demo, "OLLAMA", server.url)
        assert demo.find_model() == ""


def test_without_a_server_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody listens there."""
    monkeypatch.setattr(demo, "OLLAMA", f"http://127.0.0.1:{free_port()}")
    assert demo.find_model() == ""
