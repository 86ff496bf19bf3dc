"""A fake of an OpenAI-compatible endpoint: chat completions.

Fields and statuses are those of OpenAI's API reference.
"""

import json
from typing import Any

from tests.models.server import Asked, FakeServer, Reply


class FakeOpenAI(FakeServer):
    """Answers chat completions with what it was told to, in order."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__()
        self.replies = list(replies)
        self.base = f"{self.url}/v1"

    def answer(self, asked: Asked) -> Reply:
        """Return what the endpoint answers to a request."""
        if asked.path != "/v1/chat/completions":
            return Reply({"error": {"message": "Not Found"}}, 404)
        if len(self.replies) > 1:
            return self.replies.pop(0)
        return self.replies[0]


def completion(
    text: str | None,
    *,
    calls: list[tuple[str, Any]] | None = None,
    pieces: list[tuple[str, float]] | None = None,
    finish: str = "stop",
) -> Reply:
    """Return an answer with a text, tool calls or both."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {"name": name, "arguments": _written(arguments)},
            }
            for number, (name, arguments) in enumerate(calls)
        ]
    tokens = [
        {"token": token, "logprob": logprob, "bytes": [], "top_logprobs": []}
        for token, logprob in pieces or ()
    ]
    return Reply(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_795_227_242,
            "model": "some-model",
            "system_fingerprint": "fp_44709d6fcb",
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "logprobs": {"content": tokens} if tokens else None,
                    "finish_reason": finish,
                }
            ],
            "usage": {
                "prompt_tokens": 640,
                "completion_tokens": 31,
                "total_tokens": 671,
            },
        }
    )


def _written(arguments: Any) -> str:
    """Return arguments as the endpoint writes them: JSON in a text."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments)


def failure(status: int, text: str) -> Reply:
    """Return an error as the endpoint writes it."""
    error = {"message": text, "type": "error", "param": None, "code": None}
    return Reply({"error": error}, status)
