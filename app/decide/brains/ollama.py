"""A language model behind an Ollama server.

The answer is bound to the schema of the menu (``format``), which the server
enforces while the model writes; it does not do that for the candidates in
function declarations (``tools``). With ``auto`` the second try, after an
answer that nobody could read, goes the other way.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import httpx
import msgspec
from pydantic import AfterValidator, Field

from app.core.brief import brief
from app.core.clock import Clock
from app.core.deferred import Deferred
from app.core.errors import BrainFailed
from app.core.line import (
    TRUST,
    CappedTransport,
    Line,
    LineSettings,
    find_distrust,
    has_room,
    room_for,
)
from app.core.redaction import hide_known
from app.core.remote import Address
from app.models.case import Case
from app.models.choice import Calibrated, Choice
from app.models.dialogue import Answer, Prompt, Turn, counted, named
from app.models.menu import Menu
from app.ports import Brain, BrainEnv

if TYPE_CHECKING:
    import ollama
else:
    # Every start reads this file, and few ask this brain.
    ollama = Deferred("ollama")

LOOK_SECONDS = 300.0
NANOSECONDS = 1_000_000  # in a millisecond
# A server that names a longer time for a part does not count.
LONGEST = 86_400_000 * NANOSECONDS
# What its client raises for JSON, or a charset, that is not what it expects.
STRANGE = (
    AssertionError,
    AttributeError,
    RecursionError,
    TypeError,
    ValueError,
)
DURATIONS = {
    "load": "load_duration",
    "prompt": "prompt_eval_duration",
    "generate": "eval_duration",
}


def _model(text: str) -> str:
    """Return the name of a model as a server knows it."""
    if not text.strip() or not text.isprintable() or len(text) > 200:
        raise ValueError("write a model's name, such as llama3.2")
    return text.strip()


T = TypeVar("T")
ModelName = Annotated[str, AfterValidator(_model)]


class OllamaSettings(LineSettings):
    """Where the server is, and how it is asked."""

    enabled: bool = False
    url: Address = "http://127.0.0.1:11434"
    model: ModelName = "llama3.2"
    mode: Literal["auto", "format", "tools"] = "auto"
    temperature: float = Field(0.0, ge=0, le=2)
    seed: int = 1
    num_ctx: int = Field(4_096, ge=2_048, le=1_048_576)
    num_predict: int = Field(160, ge=32, le=8_192)
    num_thread: int | None = Field(None, ge=1, le=1_024)
    keep_alive: str = Field("30m", pattern=r"^-?\d{1,9}(ms|s|m|h)?$")
    logprobs: bool = True


class Known(msgspec.Struct, frozen=True):
    """What the server says about a model.

    Attributes:
        digest: which build of it.
        has_tools: whether it was made for function calls.
        until: when it is looked at again.
    """

    digest: str
    has_tools: bool
    until: float


class OllamaBrain:
    """Asks a model of an Ollama server; also the voice that it has."""

    def __init__(self, env: BrainEnv, settings: OllamaSettings) -> None:
        """Take the settings; nothing is called yet."""
        self.name = env.name
        self._env = env
        self._settings = settings
        self._clock: Clock = env.clock
        self._line = Line(settings, env.clock)
        self._known: dict[str, Known] = {}
        self._client = ollama.AsyncClient(
            settings.url,
            timeout=settings.timeout_seconds,
            follow_redirects=False,
            trust_env=False,
            transport=CappedTransport(),
        )
        self.room = room_for(
            settings.num_ctx,
            settings.num_predict,
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
        # The library does not say what its method returns.
        close: Callable[[], Awaitable[None]] = self._client.close
        await close()

    async def say(self, prompt: Prompt, turns: Sequence[Turn]) -> Answer:
        """Return what the model answers, or raise BrainFailed."""
        model = self.model
        return await self._line.call(lambda: self._say(model, prompt, turns))

    async def _say(
        self, model: str, prompt: Prompt, turns: Sequence[Turn]
    ) -> Answer:
        """Return what a model answers to one request."""
        known = await self._look(model)
        by_tools = self._goes_by_tools(prompt, turns, known)
        ways: dict[str, Any] = (
            {"tools": prompt.tools} if by_tools else {"format": prompt.schema}
        )
        said = await self._guard(
            model,
            lambda: self._client.chat(
                model=model,
                messages=[{"role": t.role, "content": t.text} for t in turns],
                options=self._options(),
                keep_alive=self._settings.keep_alive,
                logprobs=self._settings.logprobs or None,
                **ways,
            ),
        )
        return _to_answer(said, model, known)

    def _goes_by_tools(
        self, prompt: Prompt, turns: Sequence[Turn], known: Known
    ) -> bool:
        """Tell whether this try is made with function declarations."""
        settings = self._settings
        if settings.mode != "auto":
            return settings.mode == "tools"
        texts = (*(turn.text for turn in turns), str(prompt.tools))
        most = settings.num_ctx - settings.num_predict
        return len(turns) > 2 and known.has_tools and has_room(texts, most)

    def _options(self) -> dict[str, Any]:
        """Return how the model is to write."""
        settings = self._settings
        options: dict[str, Any] = {
            "temperature": settings.temperature,
            "seed": settings.seed,
            "num_ctx": settings.num_ctx,
            "num_predict": settings.num_predict,
        }
        if settings.num_thread is not None:
            options["num_thread"] = settings.num_thread
        return options

    async def _look(self, model: str) -> Known:
        """Return what the server says about a model, now and then anew."""
        now = self._clock.monotonic()
        known = self._known.get(model)
        if known is not None and now < known.until:
            return known
        shown = await self._guard(model, lambda: self._client.show(model))
        listed = await self._guard(model, self._client.list)
        digests = {one.model: one.digest or "" for one in listed.models}
        digest = digests.get(model) or digests.get(f"{model}:latest") or ""
        has_tools = "tools" in (shown.capabilities or ())
        known = Known(digest, has_tools, now + LOOK_SECONDS)
        if len(self._known) > 50:
            self._known.clear()
        self._known[model] = known
        return known

    async def _guard(self, model: str, call: Callable[[], Awaitable[T]]) -> T:
        """Return what a call gives; a failure says what mends it."""
        url = self._settings.url
        try:
            return await call()
        except ollama.ResponseError as error:
            raise _explain(error, model) from error
        except (ConnectionError, httpx.ConnectError) as error:
            distrust = find_distrust(error)
            if distrust:
                raise BrainFailed(
                    f"{url}: {distrust}", remedy=TRUST
                ) from error
            raise BrainFailed(
                f"there is no Ollama server at {url}",
                remedy="Start it: ollama serve",
            ) from error
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except httpx.HTTPError as error:
            raise BrainFailed(
                f"the Ollama server at {url} broke off: {error}",
                remedy="Look at its log.",
            ) from error
        except STRANGE as error:
            raise BrainFailed(
                f"what answers at {url} is no Ollama server",
                remedy="Correct brains.ollama.url.",
            ) from error


def _explain(error: "ollama.ResponseError", model: str) -> BrainFailed:
    """Return what a status of the server means."""
    status = error.status_code
    text = brief(hide_known(str(error.error)))
    if status == 404 and "model" not in text:
        # It has no such page at all: the address of another wire format.
        return BrainFailed(
            f"no Ollama server answered, but: {text}",
            remedy="Correct brains.ollama.url (without /v1).",
        )
    if status == 404:
        return BrainFailed(
            f"the Ollama server has no model {model!r}",
            remedy=f"Get it: .venv/bin/python main.py model pull {model}",
        )
    if status == 503:
        return BrainFailed(
            "the queue of the Ollama server is full",
            remedy="Lower concurrency, or give the server more room.",
        )
    return BrainFailed(f"the Ollama server answered {status}: {text}")


def _to_answer(
    said: "ollama.ChatResponse", model: str, known: Known
) -> Answer:
    """Return an answer in our words."""
    called = None
    if said.message.tool_calls:
        one = said.message.tool_calls[0].function
        called = (one.name, dict(one.arguments))
    repairs = []
    if said.message.tool_calls and len(said.message.tool_calls) > 1:
        # Several calls are no choice: the text has none, so it is refused.
        called = None
        repairs.append("several calls at once")
    if said.done_reason == "length":
        repairs.append("cut off by the server")
    spent = {
        name: _milliseconds(getattr(said, field))
        for name, field in DURATIONS.items()
    }
    return Answer(
        text=said.message.content or "",
        called=called,
        model=named(said.model) or model,
        digest=named(known.digest),
        tokens_in=counted(said.prompt_eval_count),
        tokens_out=counted(said.eval_count),
        milliseconds=spent,
        pieces=tuple((p.token, p.logprob) for p in said.logprobs or ()),
        repairs=tuple(repairs),
    )


def _milliseconds(said: int | None) -> float:
    """Return how long a part took; 0 when that cannot be."""
    if said is None or not 0 < said <= LONGEST:
        return 0.0
    return round(said / NANOSECONDS, 3)


def plugin(env: BrainEnv) -> Brain | None:
    """Return the brain, or None when it is not turned on."""
    settings = env.settings(OllamaSettings)
    return OllamaBrain(env, settings) if settings.enabled else None
