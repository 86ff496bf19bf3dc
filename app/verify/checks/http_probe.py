"""Whether a page of the target answers as it should."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from typing import Annotated

import httpx
from pydantic import AfterValidator, Field

from app.core.configfile import Section
from app.core.errors import OutgoingFailed
from app.core.http import open_client
from app.core.options import Options
from app.core.site import in_url
from app.models.gauge import Gauge, is_known
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

GAUGE = Gauge(check="http_probe", unit="answers", is_floor=True)
HOST = "{host}"
PLAIN = {"Accept-Encoding": "identity", "User-Agent": "smokejumper"}
# These say that we cannot get there, not that nobody answers.
OURS = (socket.gaierror, ssl.SSLError)


def _page(text: str) -> str:
    """Return the address of a page; only its host may be left open."""
    try:
        url = httpx.URL(text.replace(HOST, "host", 1))
    except httpx.InvalidURL as error:
        raise ValueError("is no address") from error
    has_host = text.count("{") == text.count(HOST) <= 1
    if url.scheme not in ("http", "https") or not url.host or not has_host:
        raise ValueError("write http://HOST:PORT/PATH, or https://")
    if HOST in text and url.host != "host":
        raise ValueError("write {host} as the host, and nowhere else")
    if url.userinfo:
        raise ValueError("write no user into it")
    return text


class HttpOptions(Section):
    """Which page, and what it must answer."""

    url: Annotated[str, AfterValidator(_page)] = Field(max_length=2_000)
    status: int = Field(200, ge=100, le=599)
    timeout: float = Field(5.0, gt=0, le=9)


class HttpProbe:
    """Asks for a page; follows no redirect."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock and the inventory."""
        self.options = Options(HttpOptions)
        self._clock = env.clock
        self._inventory = env.inventory

    async def measure(self, subject: Subject) -> Reading:
        """Return 1 when the page has the status that it should have.

        An alert alone does not say where we connect to: its host must be
        this machine, or one of the inventory.
        """
        options = self.options.read(subject.options)
        if HOST in options.url and not is_known(subject, self._inventory()):
            says = f"{subject.host or 'the host'} is not in the inventory"
            return GAUGE.miss(self._clock.now(), says)
        url = fill(options.url, subject.host)
        try:
            status = await look_at(url, options.timeout)
        except (httpx.TimeoutException, TimeoutError):
            says = f"{url} does not answer in {options.timeout:g} s"
            return GAUGE.read(self._clock.now(), 0.0, 1.0, says)
        except httpx.TransportError as error:
            if any(isinstance(one, OURS) for one in causes(error)):
                raise OutgoingFailed(f"{url}: {error}"[:200]) from error
            says = f"{url} does not answer: {type(error).__name__}"
            return GAUGE.read(self._clock.now(), 0.0, 1.0, says)
        is_right = float(status == options.status)
        says = f"{url} answers {status}"
        return GAUGE.read(self._clock.now(), is_right, 1.0, says)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means; what answered and does not is worse."""
        return GAUGE.judge(before, after)


def fill(url: str, host: str) -> str:
    """Return an address with the host's name in it."""
    return url.replace(HOST, in_url(host))


async def look_at(url: str, seconds: float) -> int:
    """Return the status of a page; its body is not read."""
    async with (
        asyncio.timeout(seconds),
        open_client(seconds) as client,
        client.stream("GET", url, headers=PLAIN) as response,
    ):
        return response.status_code


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and what made it, ten deep at most."""
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def plugin(env: CheckEnv) -> Check:
    """Return the check; it takes no settings."""
    env.settings(Section)
    return HttpProbe(env)
