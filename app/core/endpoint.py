"""An endpoint of a model: JSON goes there, and a failure says what mends it.

What is the same for every wire format that is one POST.
"""

from collections.abc import Mapping

import httpx
from pydantic import Field, SecretStr

from app.core.brief import brief
from app.core.errors import BrainFailed
from app.core.line import (
    TRUST,
    CappedTransport,
    LineSettings,
    find_distrust,
    key_header,
)
from app.core.redaction import SHOWN, hide_known
from app.core.remote import Address

# More of an answer than people are shown, so that no half of a key is left.
SAID_BYTES = 65_536


class EndpointSettings(LineSettings):
    """Where an endpoint is, what opens it, and which model is asked."""

    url: Address | None = None
    key: SecretStr = SecretStr("")
    model: str = Field("", max_length=200)


class Endpoint:
    """Posts to one address, without redirects and proxies."""

    def __init__(
        self,
        section: str,
        url: str,
        key: str,
        seconds: float,
        remedies: Mapping[int, str],
    ) -> None:
        """Take where it is; nothing is called yet.

        Args:
            section: which settings are about it, such as ``brains.openai``.
            url: the whole address.
            key: the text of its key, or empty.
            seconds: how long an answer may take.
            remedies: what mends a status, beside what always does.

        Raises:
            ConfigError: no header can carry the key.
        """
        self.url = url
        self._wrong_url = f"Correct {section}.url."
        self._remedies = {
            401: f"Correct {section}.key.",
            403: f"Correct {section}.key.",
            429: "Lower concurrency, or ask for more.",
            503: "Lower concurrency, or wait until the model is loaded.",
            **remedies,
        }
        self._section = section
        self._key = key
        self._client = httpx.AsyncClient(
            timeout=seconds,
            headers={
                "content-type": "application/json",
                **key_header(f"{section}.key", key),
            },
            trust_env=False,
            follow_redirects=False,
            transport=CappedTransport(),
        )

    async def post(self, body: bytes) -> bytes:
        """Return what is answered.

        Raises:
            BrainFailed: nobody answers, or it is a refusal.
            TimeoutError: it takes too long.
        """
        try:
            response = await self._client.post(self.url, content=body)
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except httpx.HTTPError as error:
            raise self._explain(error) from error
        if response.status_code != 200:
            raise BrainFailed(
                f"{self.url} answered {response.status_code}:"
                f" {self._tell(response.content)}",
                remedy=self._remedies.get(response.status_code, ""),
            )
        return response.content

    def stranger(self, wire: str, content: bytes) -> BrainFailed:
        """Return the failure of an answer that is of no such wire format."""
        text = f"{self.url} did not answer in {wire} wire format"
        said = self._tell(content)
        return BrainFailed(
            f"{text}: {said}" if said else text, remedy=self._wrong_url
        )

    def _explain(self, error: httpx.HTTPError) -> BrainFailed:
        """Return what it means that a call did not come to its end."""
        distrust = find_distrust(error)
        if distrust:
            return BrainFailed(f"{self.url}: {distrust}", remedy=TRUST)
        if isinstance(error, httpx.ConnectError):
            return BrainFailed(
                f"{self.url} cannot be reached: {type(error).__name__}",
                remedy=f"Start its server, or correct {self._section}.url.",
            )
        # It is there: to start it would not help.
        what = brief(str(error)) or type(error).__name__
        return BrainFailed(
            f"{self.url} broke off: {what}", remedy="Look at its log."
        )

    def _tell(self, content: bytes) -> str:
        """Return what was answered for people, without the key in it.

        Which letters these are the answer does not say truly each time:
        they are read as everybody writes them now.
        """
        text = content[:SAID_BYTES].decode(errors="replace")
        if self._key:
            text = text.replace(self._key, SHOWN)
        return brief(hide_known(text))

    async def close(self) -> None:
        """Give back the client."""
        await self._client.aclose()
