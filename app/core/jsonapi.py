"""A JSON API of another system: one address, one token, bounded calls."""

from collections.abc import Mapping
from typing import TypeVar

import httpx
import msgspec
from pydantic import Field, SecretStr
from pydantic.networks import IPvAnyNetwork

from app.core.brief import LONG, brief
from app.core.configfile import Section
from app.core.egress import (
    Bounds,
    Call,
    Egress,
    Resolve,
    Said,
    resolve,
    trust,
)
from app.core.errors import NotSent, OutgoingFailed
from app.core.remote import Address

Query = Mapping[str, str | int]
T = TypeVar("T")
encode = msgspec.json.Encoder(order="deterministic").encode


class ApiSettings(Section):
    """Where an API is, what opens it, and what its answers may cost."""

    url: Address
    token: SecretStr
    timeout_seconds: float = Field(10.0, gt=0, le=300)
    body_bytes: int = Field(4_194_304, ge=1_024, le=67_108_864)
    allow: tuple[IPvAnyNetwork, ...] = ()
    ca_file: str = ""


class Api:
    """Calls one API; a failure says which one it was."""

    def __init__(
        self,
        name: str,
        settings: ApiSettings,
        headers: Mapping[str, str],
        look_up: Resolve = resolve,
    ) -> None:
        """Take where it is and what opens it.

        Args:
            name: what people call the system.
            settings: where it is, and the bounds.
            headers: what goes along with each call, with the token in it.
            look_up: who knows the addresses of names.

        Raises:
            ValueError: its certificates cannot be read, or no header can
                carry the token.
        """
        for text in headers.values():
            if not (text.isascii() and text.isprintable() and text.strip()):
                raise ValueError("the token is no text for a header")
        self.name = name
        self._base = settings.url
        self._headers = {
            "Accept": "application/json",
            "User-Agent": "smokejumper",
            **headers,
        }
        bounds = Bounds(
            settings.timeout_seconds, settings.body_bytes, settings.allow
        )
        self._egress = Egress(bounds, trust(settings.ca_file), look_up)

    async def get(self, path: str, query: Query | None = None) -> Said:
        """Return what is answered to a question.

        Raises:
            OutgoingFailed: nobody answers.
        """
        return await self._send("GET", self._url(path, query), None)

    async def post(
        self, path: str, body: object, query: Query | None = None
    ) -> Said:
        """Return what is answered to an order.

        Raises:
            NotSent: nothing of it can have arrived.
            OutgoingFailed: it may have arrived, and nobody knows.
        """
        return await self._send("POST", self._url(path, query), body)

    async def ask(
        self, path: str, form: type[T], query: Query | None = None
    ) -> T:
        """Return an answer 200 in a form, or raise OutgoingFailed."""
        said = await self.get(path, query)
        if said.status != 200:
            raise self.failure(said, "asked, it answered")
        return self.read(said, form)

    def read(self, said: Said, form: type[T]) -> T:
        """Return what a body says, or raise OutgoingFailed."""
        try:
            return msgspec.json.decode(said.body, type=form)
        except (msgspec.MsgspecError, RecursionError) as error:
            text = f"{self.name}: its answer {said.status} is not its JSON"
            raise OutgoingFailed(text) from error

    def failure(self, said: Said, what: str) -> OutgoingFailed:
        """Return the failure of an answer that is none."""
        text = f"{self.name}: {what} {said.status} {words_of(said)}"
        return OutgoingFailed(text)

    def _url(self, path: str, query: Query | None) -> str:
        """Return a whole address."""
        url = httpx.URL(f"{self._base}{path}")
        return str(url.copy_merge_params(query) if query else url)

    async def _send(self, method: str, url: str, body: object) -> Said:
        """Send one request."""
        headers = dict(self._headers)
        raw = b""
        if body is not None:
            raw = encode(body)
            headers["Content-Type"] = "application/json"
        try:
            return await self._egress.send(Call(method, url, headers, raw))
        except NotSent as error:
            text = f"{self.name}: {error}"
            raise NotSent(text, may_retry=error.may_retry) from error
        except OutgoingFailed as error:
            raise OutgoingFailed(f"{self.name}: {error}") from error


def words_of(said: Said) -> str:
    """Return the beginning of a body on one line."""
    return brief(said.body[: 2 * LONG].decode(errors="replace"), LONG)
