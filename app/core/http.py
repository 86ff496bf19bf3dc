"""Outgoing calls: every one has a timeout, a size cap and few retries.

Redirects and the proxies of the environment are not followed: an address
was allowed by its own name, not by where it leads.
"""

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


async def _get(client: httpx.AsyncClient, url: str) -> bytes:
    """Return one answer's body, no longer than the cap."""
    try:
        async with client.stream("GET", url) as response:
            if response.status_code >= 500:
                raise Temporary(f"status {response.status_code}")
            if response.status_code != 200:
                raise OutgoingFailed(f"status {response.status_code}")
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise OutgoingFailed("the answer is too long")
            return body
    except httpx.InvalidURL as error:
        raise OutgoingFailed("the address is none") from error
    except httpx.HTTPError as error:
        raise Temporary(type(error).__name__) from error
