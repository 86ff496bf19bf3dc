"""A language model behind any endpoint that speaks OpenAI's wire format.

vLLM, llama.cpp, LM Studio and hosted ones: ``POST /chat/completions`` with
a JSON schema for the answer (``format``), or with function declarations
(``tools``).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from pydantic import Field

from app.core.endpoint import Endpoint, EndpointSettings
from app.core.line import Line, has_room, room_for
from app.models.case import Case
from app.models.choice import Calibrated, Choice
from app.models.dialogue import Answer, Prompt, Turn, counted, named
from app.models.menu import Menu
from app.ports import Brain, BrainEnv

REMEDIES = {
    400: "The endpoint may not know the mode: try the other one.",
    404: "Correct brains.openai.url (it ends in /v1) or the model.",
}


class OpenAISettings(EndpointSettings):
    """Where the endpoint is, and how it is asked."""

    mode: Literal["auto", "format", "tools"] = "auto"
    temperature: float | None = Field(0.0, ge=0, le=2)
    seed: int | None = 1
    context: int = Field(4_096, ge=2_048, le=1_048_576)
    answer_tokens: int = Field(160, ge=32, le=8_192)
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    logprobs: bool = True


class Piece(msgspec.Struct):
    """One token of an answer."""

    token: str
    logprob: float | None = None


class Pieces(msgspec.Struct):
    """The tokens of an answer."""

    content: list[Piece] | None = None


class Function(msgspec.Struct):
    """A function that the model calls; the arguments are JSON in a text."""

    name: str
    arguments: Any = None


class ToolCall(msgspec.Struct):
    """A native tool call."""

    function: Function


class Message(msgspec.Struct):
    """What the model said."""

    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None


class Possible(msgspec.Struct):
    """One of the answers; there is only one."""

    message: Message
    finish_reason: str | None = None
    logprobs: Pieces | None = None


class Usage(msgspec.Struct):
    """How much it cost."""

    prompt_tokens: Any = 0
    completion_tokens: Any = 0


class Completion(msgspec.Struct):
    """The whole answer of an endpoint."""

    choices: list[Possible]
    model: str | None = None
    system_fingerprint: str | None = None
    usage: Usage | None = None


class OpenAIBrain:
    """Asks a model of an endpoint; also the voice that it has."""

    def __init__(
        self, env: BrainEnv, settings: OpenAISettings, url: str
    ) -> None:
        """Take the settings; nothing is called yet."""
        self.name = env.name
        self._env = env
        self._settings = settings
        self._line = Line(settings, env.clock)
        key = settings.key
        self._endpoint = Endpoint(
            "brains.openai",
            f"{url}/chat/completions",
            env.secret(key) if key.get_secret_value() else "",
            settings.timeout_seconds,
            REMEDIES,
        )
        self.room = room_for(
            settings.context,
            settings.answer_tokens,
            has_tools=settings.mode == "tools",
        )

    @property
    def model(self) -> str:
        """Return the model that is asked now."""
        return self._env.model(self.name) or self._settings.model

    @property
    def resting_seconds(self) -> float:
        """Return how long the server is still left alone; 0: it is asked."""
        return self._line.breaker.seconds_left

    def calibrate(self, answer: Answer, raw: float) -> Calibrated | None:
        """Return what a probability of an answer's tokens means, or None."""
        return self._env.calibrate(answer.model, raw, answer.digest)

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return the choice, or raise BrainFailed."""
        return await self._env.dialogue.converse(self, case, menu)

    async def close(self) -> None:
        """Give back the client."""
        await self._endpoint.close()

    async def say(self, prompt: Prompt, turns: Sequence[Turn]) -> Answer:
        """Return what the model answers, or raise BrainFailed."""
        body = msgspec.json.encode(self._body(prompt, turns))
        return await self._line.call(lambda: self._say(body))

    def _body(
        self, prompt: Prompt, turns: Sequence[Turn]
    ) -> Mapping[str, Any]:
        """Return the request."""
        settings = self._settings
        mode = settings.mode
        if mode == "auto":
            most = settings.context - settings.answer_tokens
            texts = (*(turn.text for turn in turns), str(prompt.tools))
            is_again = len(turns) > 2 and has_room(texts, most)
            mode = "tools" if is_again else "format"
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": t.role, "content": t.text} for t in turns],
            settings.limit_field: settings.answer_tokens,
            **(_tools(prompt) if mode == "tools" else _format(prompt)),
        }
        optional = {
            "temperature": settings.temperature,
            "seed": settings.seed,
            "logprobs": settings.logprobs or None,
        }
        return body | {n: v for n, v in optional.items() if v is not None}

    async def _say(self, body: bytes) -> Answer:
        """Return what the endpoint answers to one request."""
        return self._to_answer(await self._endpoint.post(body))

    def _to_answer(self, content: bytes) -> Answer:
        """Return an answer in our words, or raise BrainFailed."""
        try:
            said = msgspec.json.decode(content, type=Completion)
            first = said.choices[0]
        except (msgspec.MsgspecError, IndexError, RecursionError) as error:
            raise self._endpoint.stranger("OpenAI's", content) from error
        usage = said.usage or Usage()
        calls = first.message.tool_calls or []
        repairs = []
        if len(calls) > 1:
            repairs.append("several calls at once")
        if first.finish_reason == "length":
            repairs.append("cut off by the server")
        one = calls[0].function if len(calls) == 1 else None
        pieces = (first.logprobs.content if first.logprobs else None) or ()
        return Answer(
            text=first.message.content or first.message.refusal or "",
            called=None if one is None else (one.name, one.arguments),
            model=named(said.model) or self.model,
            digest=named(said.system_fingerprint),
            tokens_in=counted(usage.prompt_tokens),
            tokens_out=counted(usage.completion_tokens),
            pieces=tuple(
                (p.token, math.nan if p.logprob is None else p.logprob)
                for p in pieces
            ),
            repairs=tuple(repairs),
        )


def _format(prompt: Prompt) -> dict[str, Any]:
    """Return what binds the answer to the menu.

    The strict mode of some endpoints wants an object at the root, and
    ``anyOf`` instead of ``oneOf``.
    """
    schema = {
        "type": "object",
        "properties": {"call": {"anyOf": prompt.schema["oneOf"]}},
        "required": ["call"],
        "additionalProperties": False,
    }
    named = {"name": "choice", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _tools(prompt: Prompt) -> dict[str, Any]:
    """Return the menu as function declarations."""
    return {
        "tools": prompt.tools,
        "tool_choice": "required",
        "parallel_tool_calls": False,
    }


def plugin(env: BrainEnv) -> Brain | None:
    """Return the brain, or None when no endpoint is set."""
    settings = env.settings(OpenAISettings)
    if settings.url is None:
        return None
    return OpenAIBrain(env, settings, settings.url)
