"""Tell any system that takes a signed POST: docs/messages.md.

The letter goes as JSON with all its facts, sealed as jobs are (see
docs/backends.md), with its key as Idempotency-Key: it is the same for every
try, so that the other end can drop what it has already.
"""

from typing import Annotated, NoReturn

import msgspec
from pydantic import Field, SecretStr
from pydantic.networks import IPvAnyNetwork

from app.core.brief import brief
from app.core.clock import Clock, to_iso
from app.core.configfile import Section
from app.core.egress import Bounds, Call, Egress, Said, trust
from app.core.errors import (
    ConfigError,
    NotAccepted,
    NotSent,
    OutgoingFailed,
)
from app.core.remote import ExactAddress
from app.core.sealing import seal
from app.models.message import Letter
from app.ports import Channel, ChannelEnv

# A receiver that says these has not taken it, and may be asked once more.
LATER = frozenset({408, 425, 429})
# Whoever says to come again much later is not waited for so long.
LONGEST_WAIT = 3_600
MOST_BYTES = 65_536
encode = msgspec.json.Encoder(order="deterministic").encode


class WebhookSettings(Section):
    """Where letters are sent, and what proves that we are we.

    Attributes:
        url: where.
        secret: what both ends know.
        timeout_seconds: how long one try may take.
        allow: networks that are not public and may be called nevertheless.
        ca_file: certificates to believe instead of the usual ones.
    """

    url: ExactAddress
    secret: SecretStr
    timeout_seconds: float = Field(10.0, gt=0, le=300)
    allow: Annotated[tuple[IPvAnyNetwork, ...], Field(max_length=100)] = ()
    ca_file: str = ""


def plugin(env: ChannelEnv) -> Channel:
    """Return the channel."""
    settings = env.settings(WebhookSettings)
    secret = env.secret(settings.secret, "secret")
    ca_file = str(env.home / settings.ca_file) if settings.ca_file else ""
    try:
        return Webhook(settings, secret, ca_file, env.clock)
    except ValueError as error:
        remedy = "Name a file with certificates in PEM."
        problem = env.problem(str(error), remedy, "ca_file")
        raise ConfigError([problem]) from error


class Webhook:
    """One receiver of letters."""

    def __init__(
        self,
        settings: WebhookSettings,
        secret: str,
        ca_file: str,
        clock: Clock,
    ) -> None:
        """Take where it is, and what proves that we are we.

        Raises:
            ValueError: its certificates cannot be read.
        """
        self._url = settings.url
        self._secret = secret
        self._clock = clock
        bounds = Bounds(settings.timeout_seconds, MOST_BYTES, settings.allow)
        self._egress = Egress(bounds, trust(ca_file))

    async def send(self, letter: Letter) -> str:
        """Post a letter; see the port for what it raises."""
        body = encode(
            {
                "key": letter.key,
                "kind": letter.kind,
                "severity": letter.severity,
                "title": letter.title,
                "text": letter.text,
                "at": to_iso(letter.facts.at),
                "facts": letter.facts,
            }
        )
        headers = {
            "Idempotency-Key": letter.key,
            "User-Agent": "smokejumper",
            "Content-Type": "application/json",
            **seal(self._secret, self._clock.now(), body),
        }
        try:
            call = Call("POST", self._url, headers, body)
            said = await self._egress.send(call)
        except NotSent as error:
            raise NotAccepted(str(error), may_retry=error.may_retry) from error
        if not 200 <= said.status < 300:
            _refuse(said)
        return _reference(said)


def _refuse(said: Said) -> NoReturn:
    """Raise what an answer means that is no success."""
    words = brief(said.body[:2_000].decode(errors="replace"))
    text = f"answered {said.status} {words}".strip()
    after = _wait(said)
    if said.status in LATER or (said.status == 503 and after):
        raise NotAccepted(text, may_retry=True, after_seconds=after)
    if said.status < 500:
        # Among them redirects: a letter goes where the settings say.
        raise NotAccepted(text)
    raise OutgoingFailed(text)


def _wait(said: Said) -> float:
    """Return how many seconds the other end wants us to wait, or 0."""
    text = said.headers.get("retry-after", "")
    is_number = text.isascii() and text.isdigit()
    return min(int(text[:9]), LONGEST_WAIT) if is_number else 0


def _reference(said: Said) -> str:
    """Return what the other end calls it: where it is, or its id."""
    place = said.headers.get("location", "")
    if place:
        return place
    try:
        found = msgspec.json.decode(said.body)
    except msgspec.DecodeError:
        return ""
    name = found.get("id") if isinstance(found, dict) else None
    return str(name) if isinstance(name, str | int) else ""
