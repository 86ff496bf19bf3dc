"""Outgoing calls: every one has a timeout, a size cap and few retries.

Redirects and the proxies of the environment are not followed: an address
was allowed by its own name, not by where it leads.
"""

from collections.abc import Mapping
from types import MappingProxyType

import httpx
from tenacity import (
    AsyncRetrying,
    RetryError,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
)

from app.core.errors import OutgoingFailed

TIMEOUT = httpx.Timeout(5.0)
MOST_BYTES = 262_144
TRIES = 3


class Temporary(Exception):
    """A call failed in a way that may pass."""


async def fetch(url: str) -> bytes:
    """Return what an address answers to GET, or raise OutgoingFailed."""
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(Temporary),
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(multiplier=0.2, max=1.0),
    )
    try:
        async with httpx.AsyncClient(
            timeout=TIMEOUT, trust_env=False, follow_redirects=False
        ) as client:
            async for attempt in retrying:
                with attempt:
                    return await _get(client, url)
    except RetryError as error:
        raise OutgoingFailed(f"{TRIES} tries failed") from error
    raise OutgoingFailed("no try was made")


def open_client(seconds: float) -> httpx.AsyncClient:
    """Return a client for calls that come again anyway: no retries."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(seconds), trust_env=False, follow_redirects=False
    )


async def ask(
    client: httpx.AsyncClient,
    url: str,
    headers: Mapping[str, str],
    most_bytes: int,
) -> bytes:
    """Return what an address answers to one GET, or raise OutgoingFailed."""
    try:
        # What is packed could be far longer than it says.
        plain = {"Accept-Encoding": "identity", **headers}
        return await _get(client, url, plain, most_bytes)
    except Temporary as error:
        raise OutgoingFailed(str(error)) from error


async def post(
    client: httpx.AsyncClient,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    most_bytes: int,
) -> bytes:
    """Return what an address answers to one POST, or raise OutgoingFailed."""
    try:
        plain = {"Accept-Encoding": "identity", **headers}
        return await _get(client, url, plain, most_bytes, body)
    except Temporary as error:
        raise OutgoingFailed(str(error)) from error


async def _get(
    client: httpx.AsyncClient,
    url: str,
    headers: Mapping[str, str] = MappingProxyType({}),
    most_bytes: int = MOST_BYTES,
    body: bytes | None = None,
) -> bytes:
    """Return one answer's body, no longer than the cap; a body is posted."""
    method = "GET" if body is None else "POST"
    try:
        async with client.stream(
            method, url, headers=headers, content=body
        ) as response:
            if response.status_code >= 500:
                raise Temporary(f"status {response.status_code}")
            if response.status_code != 200:
                raise OutgoingFailed(f"status {response.status_code}")
            answer = bytearray()
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > most_bytes:
                    raise OutgoingFailed("the answer is too long")
            return bytes(answer)
    except httpx.InvalidURL as error:
        raise OutgoingFailed("the address is none") from error
    except httpx.HTTPError as error:
        raise Temporary(type(error).__name__) from error
