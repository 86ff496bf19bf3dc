"""A fake of the Ollama server's API: show, tags, chat and pull.

Fields and statuses are those of Ollama's own API reference.
"""

import json
from collections.abc import Sequence
from typing import Any

from tests.models.server import Asked, FakeServer, Reply

DIGEST = "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72"
NOT_FOUND = Reply({"error": "model 'nowhere' not found"}, 404)
BUSY = Reply(
    {"error": "server busy, please try again. maximum pending requests"}, 503
)


class FakeOllama(FakeServer):
    """Has some models; chat answers what it was told to, in order."""

    def __init__(
        self,
        *replies: Reply,
        models: Sequence[str] = ("llama3.2:latest",),
        capabilities: Sequence[str] = ("completion", "tools"),
    ) -> None:
        super().__init__()
        self.replies = list(replies)
        self.models = list(models)
        self.capabilities = list(capabilities)
        self.pulled: list[dict[str, Any]] = []
        self.pull_is_cut = False

    def answer(self, asked: Asked) -> Reply:
        """Return what the server answers to a request."""
        if asked.path == "/api/tags":
            return Reply({"models": [_listed(name) for name in self.models]})
        if asked.path == "/api/show":
            return self._show(asked.body["model"])
        if asked.path == "/api/pull":
            lines = [json.dumps(step).encode() for step in self.pulled]
            return Reply(b"\n".join(lines) + b"\n", is_cut=self.pull_is_cut)
        if asked.path == "/api/chat":
            return self._chat(asked.body["model"])
        return Reply({"error": "not found"}, 404)

    def _has(self, name: str) -> bool:
        """Tell whether a model is there."""
        return name in self.models or f"{name}:latest" in self.models

    def _show(self, name: str) -> Reply:
        """Return what is known about a model."""
        if not self._has(name):
            return Reply({"error": f"model '{name}' not found"}, 404)
        return Reply(
            {
                "modelfile": "",
                "details": {"family": "llama", "parameter_size": "3.2B"},
                "model_info": {"general.architecture": "llama"},
                "capabilities": self.capabilities,
            }
        )

    def _chat(self, name: str) -> Reply:
        """Return the next answer; the last one is given for ever."""
        if not self._has(name):
            return Reply({"error": f"model '{name}' not found"}, 404)
        if len(self.replies) > 1:
            return self.replies.pop(0)
        return self.replies[0]

    @property
    def chats(self) -> list[Any]:
        """Return the bodies that were sent to chat."""
        return [one.body for one in self.asked if one.path == "/api/chat"]


def chat(text: str, **more: Any) -> Reply:
    """Return an answer with a text."""
    return _message({"role": "assistant", "content": text}, more)


def tool_call(*calls: tuple[str, dict[str, Any]]) -> Reply:
    """Return an answer with native tool calls."""
    functions = [
        {"function": {"name": name, "arguments": arguments}}
        for name, arguments in calls
    ]
    message = {"role": "assistant", "content": "", "tool_calls": functions}
    return _message(message, {})


def _message(message: dict[str, Any], more: dict[str, Any]) -> Reply:
    """Return an answer of chat."""
    return Reply(
        {
            "model": "llama3.2",
            "created_at": "2026-11-21T08:00:00.000000Z",
            "message": message,
            "done": True,
            "done_reason": "stop",
            "total_duration": 812_000_000,
            "load_duration": 12_000_000,
            "prompt_eval_count": 640,
            "prompt_eval_duration": 300_000_000,
            "eval_count": 31,
            "eval_duration": 500_000_000,
            **more,
        }
    )


def _listed(name: str) -> dict[str, Any]:
    """Return a model as the list shows it."""
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-11-20T08:00:00Z",
        "size": 2_019_393_189,
        "digest": DIGEST,
        "details": {"parameter_size": "3.2B", "quantization_level": "Q4_K_M"},
    }
