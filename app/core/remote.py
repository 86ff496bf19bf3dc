"""What is set about another system that is asked by HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, Field, SecretStr

from app.core.configfile import Section
from app.core.errors import OutgoingFailed


def _exact(text: str) -> str:
    """Return the address of a system as it is written."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write http://HOST:PORT, or https://")
    if parts.username or parts.password or "?" in text or "#" in text:
        raise ValueError("write the secret as token, no user and no query")
    if parts.port == 0:
        raise ValueError("nobody listens on port 0")
    if not text.isprintable() or " " in text:
        raise ValueError("an address has no blanks in it")
    try:
        # What the client cannot read is found with the first call else.
        _ = httpx.URL(text).host
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError(f"no host is called so: {error}") from error
    return text


def _address(text: str) -> str:
    """Return the address of a system without its last slash."""
    return _exact(text).rstrip("/")


Address = Annotated[str, AfterValidator(_address)]
# Of one page, where a slash at the end may matter.
ExactAddress = Annotated[str, AfterValidator(_exact)]


class RemoteSettings(Section):
    """Where a system is, what opens it, and what its answer may cost."""

    url: Address
    token: SecretStr | None = None
    timeout_seconds: float = Field(10.0, gt=0, le=300)
    body_bytes: int = Field(33_554_432, ge=1_024, le=268_435_456)


@asynccontextmanager
async def asking(settings: RemoteSettings) -> AsyncIterator[None]:
    """Ask a system within its time; whatever fails says which one it is.

    Raises:
        OutgoingFailed: it failed, or took too long.
    """
    try:
        async with asyncio.timeout(settings.timeout_seconds):
            yield
    except TimeoutError as error:
        what = f"no answer in {settings.timeout_seconds:g} s"
        raise OutgoingFailed(f"{settings.url}: {what}") from error
    except OutgoingFailed as error:
        raise OutgoingFailed(f"{settings.url}: {error}") from error


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token, none for an empty one.

    Raises:
        ValueError: a header cannot carry it.
    """
    if not token:
        return {}
    if not (token.isascii() and token.isprintable()):
        raise ValueError("is no text that a header can carry")
    return {"Authorization": f"Bearer {token}"}
