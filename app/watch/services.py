"""Services: whether each of those that are watched is well."""

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

import httpx
import msgspec

from app.core.daemons import Daemons
from app.core.errors import OutgoingFailed
from app.core.host import HostSettings
from app.core.machine import Looks, look
from app.core.warden import Standing, State
from app.watch.settings import ServiceCheck

HERE = "127.0.0.1"
# So often started anew within a minute is not up, whatever it says.
RESTARTS, RESTART_SECONDS = 3, 60.0
# What hangs keeps a place, and none of anybody else.
PLACES = 2
# Of those that are kept by somebody so many are asked about at once.
AT_ONCE = 8
PLAIN = ServiceCheck()


class Health(msgspec.Struct, frozen=True):
    """How a service is.

    Attributes:
        is_up: whether it is well.
        says: the same in a line, with who says it.
    """

    is_up: bool
    says: str


class Services:
    """Asks how services are; remembers how often each began anew."""

    def __init__(
        self,
        checks: Mapping[str, ServiceCheck],
        host: HostSettings,
        client: httpx.AsyncClient,
    ) -> None:
        """Take how they are asked, who keeps them, and the way to pages."""
        self._checks = {**dict.fromkeys(host.services, PLAIN), **checks}
        self._has_supervisor = bool(host.supervisor)
        self._daemons = Daemons(host)
        self._client = client
        self._looks = Looks(PLACES)
        self._room = asyncio.Semaphore(AT_ONCE)
        # One that hangs keeps its own place only.
        self._places = {name: Looks(1) for name in self._checks}
        self._runs: dict[str, deque[tuple[float, str]]] = {}
        # Of those that nobody named: which have been up.
        self._seen: set[str] = set()
        # Those of which something was said when supervisor answered last.
        self._told: set[str] = set()

    async def look(self, now: float) -> dict[str, Health | None]:
        """Return how each is; None of one of which nobody knows now.

        Whoever does not answer about one keeps nobody from the others.

        Args:
            now: the time on the clock that never jumps.
        """
        pages = {
            name: check
            for name, check in self._checks.items()
            if check.url is not None or check.port is not None
        }
        kept = [name for name in self._checks if name not in pages]
        answers, standings, others = await asyncio.gather(
            asyncio.gather(*map(self._ask, pages.values())),
            asyncio.gather(*map(self._ask_warden, kept)),
            self._survey(now),
        )
        found: dict[str, Health | None]
        found = dict(zip(pages, answers, strict=True))
        for name, said in zip(kept, standings, strict=True):
            found[name] = self._judge(name, said, now) if said else None
        return found | others

    async def _survey(self, now: float) -> dict[str, Health | None]:
        """Return how all are that supervisor keeps.

        One that nobody named is missed once it has been up, or when it has
        failed: it may be stopped for good.
        """
        if not self._has_supervisor:
            return {}
        try:
            standings = await look(self._daemons.survey, looks=self._looks)
        except OutgoingFailed:
            return dict.fromkeys(self._told)
        found: dict[str, Health | None] = {}
        for one in standings:
            if one.name in self._checks:
                continue
            if one.is_active:
                self._seen.add(one.name)
            if one.name in self._seen or one.state is State.FAILED:
                found[one.name] = self._judge(one.name, one, now)
        self._told = set(found)
        return found

    async def _ask_warden(self, name: str) -> Standing | None:
        """Return what is said of a service, None when nobody says it."""
        ask = partial(self._daemons.state, name)
        async with self._room:
            try:
                return await look(ask, looks=self._places[name])
            except OutgoingFailed:
                return None

    async def _ask(self, check: ServiceCheck) -> Health:
        """Return what a page or a port answers."""
        if check.url is not None:
            return await self._ask_page(check)
        return await _ask_port(check.port or 0, check.timeout_seconds)

    async def _ask_page(self, check: ServiceCheck) -> Health:
        """Return what a page answers."""
        seconds = check.timeout_seconds
        url = str(check.url)
        try:
            async with (
                asyncio.timeout(seconds),
                self._client.stream("GET", url) as answer,
            ):
                status = answer.status_code
        except TimeoutError:
            return Health(
                is_up=False, says=f"{url} does not answer in {seconds:g} s"
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            kind = type(error).__name__
            return Health(is_up=False, says=f"{url} does not answer: {kind}")
        return Health(is_up=status < 400, says=f"{url} answers {status}")

    def _judge(self, name: str, said: Standing, now: float) -> Health:
        """Return how a service is by what its warden says."""
        runs = self._runs.setdefault(name, deque(maxlen=RESTARTS + 1))
        if said.run and (not runs or runs[-1][1] != said.run):
            runs.append((now, said.run))
        recent = [at for at, _ in runs if now - at <= RESTART_SECONDS]
        says = f"{said.warden} says: {said.says}"
        if len(recent) > RESTARTS:
            text = f"began anew {RESTARTS} times within a minute; {says}"
            return Health(is_up=False, says=text)
        return Health(is_up=said.is_active, says=says)


async def _ask_port(port: int, seconds: float) -> Health:
    """Return whether somebody takes a connection on a port."""
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(HERE, port)
    except TimeoutError:
        return Health(
            is_up=False, says=f"port {port} does not answer in {seconds:g} s"
        )
    except OSError as error:
        why = error.strerror or type(error).__name__
        return Health(is_up=False, says=f"port {port}: {why}")
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return Health(is_up=True, says=f"port {port} takes connections")
