"""Ollama's wire format in front of an OpenAI-compatible server.

There is no package of the Ollama server; the model, the sampling and the
grammar behind this are real, only the format of the messages is turned.
"""

import json
from typing import Any

import httpx

from tests.models.server import Asked, FakeServer, Reply

SECONDS = 300.0


class OllamaAdapter(FakeServer):
    """Answers /api/chat with what the other server's model says."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.said: list[str] = []

    def answer(self, asked: Asked) -> Reply:
        """Return what Ollama would answer."""
        if asked.path == "/api/tags":
            one = {"model": "smollm2:latest", "digest": "135m"}
            return Reply({"models": [one]})
        if asked.path == "/api/show":
            return Reply({"model_info": {}, "capabilities": ["completion"]})
        return self._chat(asked.body)

    def _chat(self, body: Any) -> Reply:
        """Return an answer of the model."""
        options = body["options"]
        sent = {
            "messages": body["messages"],
            "temperature": options["temperature"],
            "seed": options["seed"],
            "max_tokens": options["num_predict"],
            "logprobs": True,
        }
        if body.get("format"):
            form = {"name": "answer", "schema": body["format"]}
            kind = {"type": "json_schema", "json_schema": form}
            sent["response_format"] = kind
        url = f"{self._url}/v1/chat/completions"
        reply = httpx.post(url, json=sent, timeout=SECONDS)
        if reply.status_code != 200:
            return Reply({"error": reply.text}, 500)
        return Reply(self._turn(reply.json()))

    def _turn(self, said: Any) -> dict[str, Any]:
        """Return an answer in Ollama's words."""
        (first,) = said["choices"]
        text = first["message"]["content"]
        self.said.append(text)
        listed = (first.get("logprobs") or {}).get("content") or []
        return {
            "model": "smollm2",
            "message": {"role": "assistant", "content": text},
            "done": True,
            "done_reason": first["finish_reason"],
            "prompt_eval_count": said["usage"]["prompt_tokens"],
            "eval_count": said["usage"]["completion_tokens"],
            "logprobs": [
                {"token": one["token"], "logprob": one["logprob"]}
                for one in listed
            ],
        }


def is_json(text: str) -> bool:
    """Tell whether a text is JSON as it stands."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
