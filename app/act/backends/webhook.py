"""Run jobs at any system that takes a signed POST: docs/backends.md.

The order is the same for every try, and its key goes along. What was
certainly not sent was not accepted; what may have arrived and was not
answered is known to nobody, and this backend never guesses.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, NoReturn, Self
from urllib.parse import quote

import httpx
import msgspec
from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic.networks import IPvAnyNetwork

from app.core.brief import brief
from app.core.clock import Clock
from app.core.configfile import Section
from app.core.egress import (
    Bounds,
    Call,
    Egress,
    Resolve,
    Said,
    origin,
    resolve,
    trust,
)
from app.core.errors import (
    CannotTell,
    ConfigError,
    ConfigProblem,
    NotAccepted,
    NotSent,
    OutgoingFailed,
)
from app.core.jsonapi import words_of
from app.core.pace import Pace
from app.core.remote import ExactAddress
from app.core.sealing import seal
from app.models.job import JobState, Order, Progress
from app.models.report import NEVER, STATES, THEIRS, Report, read_report
from app.ports import Backend, BackendEnv

Word = Literal["running", "succeeded", "failed", "aborted", "timed_out"]
# A receiver that says these has not begun, and may be asked once more.
LATER = frozenset({408, 425, 429})
# The key is there already: whoever asks must look what became of it.
CONFLICT = 409
KEY_MARK = "{key}"
MOST_ASKED = 1_000
encode = msgspec.json.Encoder(order="deterministic").encode


def _template(text: str) -> str:
    """Return an address with a place for the key, or none."""
    if text and KEY_MARK not in text:
        raise ValueError("write {key} where the key belongs")
    return text


Template = Annotated[str, AfterValidator(_template)]


class EndpointSettings(Section):
    """One job at one receiver."""

    url: ExactAddress
    secret: SecretStr
    timeout_seconds: float = Field(10.0, gt=0, le=300)
    body_bytes: int = Field(262_144, ge=1_024, le=1_048_576)
    poll_seconds: float = Field(0.0, ge=0, le=3_600)
    allow: tuple[IPvAnyNetwork, ...] = ()
    find_url: Template = ""
    abort_url: Template = ""
    hears: bool = False
    statuses: dict[str, Word] = Field(default_factory=dict, max_length=100)
    ca_file: str = ""

    @model_validator(mode="after")
    def _is_one_receiver(self) -> Self:
        """Refuse what would send the key or a word elsewhere."""
        for name in ("url", "find_url", "abort_url"):
            text = _fill(getattr(self, name), "key")
            try:
                is_there = not text or origin(text) == origin(self.url)
            except httpx.InvalidURL as error:
                raise ValueError(f"{name} is no address") from error
            if not is_there:
                raise ValueError(f"{name} is not where url is")
        return self


class WebhookSettings(Section):
    """The endpoints by their names, which are those of the jobs."""

    endpoints: dict[
        Annotated[str, Field(min_length=1, max_length=200)], EndpointSettings
    ] = Field(default_factory=dict, max_length=1_000)


def plugin(env: BackendEnv) -> Backend | None:
    """Return the backend, or None when no endpoint is configured."""
    if not env.is_configured:
        return None
    found = env.settings(WebhookSettings).endpoints
    receivers = {}
    problems: list[ConfigProblem] = []
    for name, settings in found.items():
        at = ("endpoints", name)
        try:
            secret = env.secret(settings.secret, *at, "secret")
            receivers[name] = Receiver(name, settings, secret, env.clock)
        except ConfigError as error:
            problems += error.problems
        except ValueError as error:
            remedy = "Name a file with certificates in PEM."
            problems.append(env.problem(str(error), remedy, *at, "ca_file"))
    if problems:
        raise ConfigError(problems)
    return Webhook(receivers)


class Webhook:
    """Hands each order to the endpoint of its name."""

    def __init__(self, receivers: Mapping[str, "Receiver"]) -> None:
        """Take the endpoints."""
        self._receivers = receivers

    def knows(self, job: str) -> bool:
        """Tell whether there is an endpoint of this name."""
        return job in self._receivers

    def reaches(self, host: str, *, is_here: bool) -> bool:
        """Tell whether its jobs can work on a host: it cannot know."""
        del host, is_here
        return True

    async def start(self, order: Order) -> Progress:
        """Post an order; see the port for what it raises."""
        if not self.knows(order.name):
            raise NotAccepted(f"there is no endpoint {order.name!r}")
        return await self._receivers[order.name].start(order)

    async def watch(self, order: Order) -> Progress:
        """Ask how a job goes on."""
        return await self._at(order).watch(order)

    async def abort(self, order: Order) -> Progress:
        """Ask that a job ends."""
        return await self._at(order).abort(order)

    async def find(self, order: Order) -> Progress | None:
        """Look a job up by its key."""
        return await self._at(order).find(order)

    async def hear(self, order: Order, word: str) -> bool:
        """Tell a running job something, where the endpoint wants it."""
        return await self._at(order).hear(order, word)

    def _at(self, order: Order) -> "Receiver":
        """Return the endpoint of an order that was sent before."""
        if not self.knows(order.name):
            raise OutgoingFailed(f"there is no endpoint {order.name!r} now")
        return self._receivers[order.name]


class Receiver:
    """One endpoint."""

    def __init__(
        self,
        name: str,
        settings: EndpointSettings,
        secret: str,
        clock: Clock,
        look_up: Resolve = resolve,
    ) -> None:
        """Take where it is and what proves that we are we.

        Raises:
            ValueError: its certificates cannot be read.
        """
        self._name = name
        self._settings = settings
        self._secret = secret
        self._clock = clock
        bounds = Bounds(
            settings.timeout_seconds, settings.body_bytes, settings.allow
        )
        self._egress = Egress(bounds, trust(settings.ca_file), look_up)
        self._pace = Pace(settings.poll_seconds, clock, MOST_ASKED)

    async def start(self, order: Order) -> Progress:
        """Post an order, the same for every try."""
        hints = order.known_hints
        body = encode(
            {
                "key": order.key,
                "job": order.name,
                "action": order.action,
                "arguments": order.arguments,
                "target": order.target,
                "incident": order.incident,
                "decision": order.decision,
                "seconds": order.seconds,
                **({"hints": hints} if hints else {}),
            }
        )
        try:
            said = await self._send("POST", self._settings.url, body, order)
        except NotSent as error:
            text = f"{self._name}: {error}"
            raise NotAccepted(text, may_retry=error.may_retry) from error
        return self._started(order, said)

    async def watch(self, order: Order) -> Progress:
        """Ask how a job goes on, not more often than the endpoint wants."""
        if not self._pace.admits(order.key):
            return Progress(reference=order.reference, cursor=order.cursor)
        if not order.reference:
            self._fail("it has said nowhere where to ask for the job")
        url = _read_on(self._checked(order.reference), order)
        said = await self._send("GET", url, b"", order)
        if said.status not in (200, 202):
            self._fail(f"asked for a job, it answered {said.status}")
        return self._progress(order, self._read(said), order.reference)

    async def abort(self, order: Order) -> Progress:
        """Ask that a job ends: DELETE where it is, or POST where that is."""
        if self._settings.abort_url:
            url = _fill(self._settings.abort_url, order.key)
            body = encode({"key": order.key, "word": "abort"})
            said = await self._send("POST", url, body, order)
        else:
            url = self._own_place(order)
            said = await self._send("DELETE", url, b"", order)
        if said.status not in (200, 202, 204):
            self._fail(f"asked to abort, it answered {said.status}")
        self._pace.forget(order.key)
        answer = self._read(said)
        if not answer.status:
            answer.status = "running"
        return self._progress(order, answer, order.reference)

    async def find(self, order: Order) -> Progress | None:
        """Look a job up; only an answer that names its key is believed."""
        if not self._settings.find_url:
            raise CannotTell(f"{self._name} has no find_url")
        url = httpx.URL(self._search(order))
        said = await self._send("GET", _read_on(url, order), b"", order)
        if said.status not in (200, 404):
            self._fail(f"asked for a key, it answered {said.status}")
        answer = self._read(said)
        if answer.key != order.key:
            self._fail("asked for a key, it does not answer with that key")
        if answer.status == NEVER:
            return None
        place = self._place(said, answer) or order.reference
        return self._progress(order, answer, place or self._search(order))

    async def hear(self, order: Order, word: str) -> bool:
        """Post a word to where a job is, if anybody there wants it."""
        if not self._settings.hears:
            return False
        body = encode({"key": order.key, "word": word})
        said = await self._send("POST", self._own_place(order), body, order)
        if not 200 <= said.status < 300:
            self._fail(f"told {word!r}, it answered {said.status}")
        return True

    def _started(self, order: Order, said: Said) -> Progress:
        """Return what an answer to an order means."""
        if said.status in (200, 204):
            answer = self._read(said)
            answer.status = answer.status or "succeeded"
            done = self._progress(order, answer, self._place(said, answer))
            if not done.has_ended and not done.reference:
                self._fail("it runs the job, and says not where to ask")
            return done
        if said.status in (201, 202):
            answer = self._read(said)
            place = self._place(said, answer) or self._search(order)
            if not place:
                self._fail("it took the job, and says not where to ask")
            answer.status = answer.status or "running"
            return self._progress(order, answer, place)
        text = f"{self._name}: answered {said.status} {words_of(said)}"
        if said.status in LATER:
            raise NotAccepted(text, may_retry=True)
        if 400 <= said.status < 500 and said.status != CONFLICT:
            raise NotAccepted(text)
        raise OutgoingFailed(text)

    def _progress(self, order: Order, answer: Report, place: str) -> Progress:
        """Return what is said of a job in our words."""
        if answer.key and answer.key != order.key:
            self._fail("it answers with the key of another job")
        status = answer.status or ""
        state = STATES.get(self._settings.statuses.get(status, status))
        if state is None:
            self._fail(f"it says the unknown status {brief(status, 60)!r}")
        if state is not JobState.STARTED:
            self._pace.forget(order.key)
        output, cursor = answer.read_on(order.cursor)
        return Progress(
            state=state,
            reference=place,
            reason=answer.reason or "",
            output=output,
            cursor=cursor,
        )

    def _read(self, said: Said) -> Report:
        """Return a body, empty or JSON, or raise OutgoingFailed."""
        try:
            return read_report(said.body)
        except ValueError as error:
            text = f"{self._name}: its answer {said.status} {error}"
            raise OutgoingFailed(text) from error

    def _place(self, said: Said, answer: Report) -> str:
        """Return where a job can be asked for, or empty."""
        written = said.headers.get("location") or answer.url
        if not written and answer.id is not None:
            name = quote(str(answer.id), safe="")
            written = f"{self._settings.url.rstrip('/')}/{name}"
        return str(self._checked(written)) if written else ""

    def _search(self, order: Order) -> str:
        """Return where a job is looked up by its key, or empty."""
        return _fill(self._settings.find_url, order.key)

    def _own_place(self, order: Order) -> str:
        """Return where a job itself is: a search ends and hears nothing."""
        if order.reference in ("", self._search(order)):
            self._fail("it has said nowhere where the job is")
        return str(self._checked(order.reference))

    def _checked(self, written: str) -> httpx.URL:
        """Return a whole address, which must be where the endpoint is."""
        try:
            url = httpx.URL(self._settings.url).join(written)
        except (httpx.InvalidURL, ValueError) as error:
            what = "the job's address is none"
            raise OutgoingFailed(f"{self._name}: {what}") from error
        if url.userinfo or origin(str(url)) != origin(self._settings.url):
            self._fail("the job's address is elsewhere, and is not called")
        return url.copy_with(fragment=None)

    async def _send(
        self, method: str, url: str, body: bytes, order: Order
    ) -> Said:
        """Send a sealed request; a failure says which endpoint it was."""
        path = httpx.URL(url).raw_path
        headers = {
            "Idempotency-Key": order.key,
            "User-Agent": "smokejumper",
            **({"Content-Type": "application/json"} if body else {}),
            **seal(
                self._secret,
                self._clock.now(),
                body or method.encode() + b" " + path,
            ),
        }
        try:
            return await self._egress.send(Call(method, url, headers, body))
        except NotSent:
            raise
        except OutgoingFailed as error:
            raise OutgoingFailed(f"{self._name}: {error}") from error

    def _fail(self, what: str) -> NoReturn:
        """Raise that nobody knows, and why."""
        raise OutgoingFailed(f"{self._name}: {what}")


def _fill(template: str, key: str) -> str:
    """Return an address with the key in its place."""
    return template.replace(KEY_MARK, quote(key, safe=""))


def _read_on(url: httpx.URL, order: Order) -> str:
    """Return an address that asks for what was not read yet."""
    if not order.cursor.startswith(THEIRS):
        return str(url)
    cursor = order.cursor.removeprefix(THEIRS)
    return str(url.copy_set_param("cursor", cursor))
