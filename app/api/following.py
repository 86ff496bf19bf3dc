"""Following: what a job writes, as it comes, as server-sent events.

Whoever follows reads ranges of what is stored, a page at a time and never
ahead of what was sent: nothing waits in memory for a slow reader.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api.access import Watch
from app.api.hub import BEAT_SECONDS, to_event
from app.api.job_views import OutputView
from app.api.protocol import ENDLESS
from app.core.errors import StorageFailed, TooBusy
from app.core.log import get_log
from app.store.ledger import Connection
from app.store.reading import Reader

# Other processes write too, and nobody wakes us then.
LOOK_SECONDS = 1.0
# What is written in small pieces becomes some events a second.
REST_SECONDS = 0.1
PAGE_BYTES = 65_536
RETRY = b"retry: 2000\n\n"
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
BEAT = b": heartbeat\n\n"
Read = Callable[[Connection, int, int, int], OutputView | None]
log = get_log("output")


class Followers:
    """Those who follow jobs; so many at once."""

    def __init__(self, reader: Reader, most: int, read: Read) -> None:
        """Take where to read, how many may follow, and what reads."""
        self._reader = reader
        self._most = most
        self._question = read
        self._count = 0
        self._is_closed = False
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool = ThreadPoolExecutor(2, "output")

    def enter(self) -> None:
        """Let somebody in, who must leave again.

        Raises:
            TooBusy: there is no room, or the service ends.
        """
        if self._is_closed or self._count >= self._most:
            raise TooBusy(
                "streams",
                f"{self._most} follow already, or the service ends.",
                remedy="Read ranges without follow, or raise api.streams.",
            )
        self._loop = asyncio.get_running_loop()
        self._count += 1

    def leave(self) -> None:
        """Let somebody go."""
        self._count -= 1

    def wake(self) -> None:
        """Say that something was written; cheap, from any thread."""
        if self._count and self._loop is not None:
            self._loop.call_soon_threadsafe(self._tell)

    def close(self) -> None:
        """End every stream and let nobody in: the service ends."""
        self._is_closed = True
        self._tell()

    def _tell(self) -> None:
        """Wake everybody who waits."""
        self._news.set()
        self._news = asyncio.Event()

    async def follow(self, number: int, offset: int) -> AsyncIterator[bytes]:
        """Yield what a job writes from an offset on, until it has ended."""
        quiet = 0.0
        while not self._is_closed:
            # Taken before it is read: what comes meanwhile is not missed.
            news = self._news
            found = await self._read(number, offset)
            if found is None:
                return
            if found.text:
                offset = found.next_offset
                yield _to_event("output", found)
                quiet = 0.0
                continue
            if found.has_ended:
                yield _to_event("end", found)
                return
            quiet += await self._wait(news)
            if quiet >= BEAT_SECONDS:
                yield BEAT
                quiet = 0.0

    async def _wait(self, news: asyncio.Event) -> float:
        """Return when something was written, or may have been.

        Returns:
            About how many seconds it took.
        """
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await news.wait()
        except TimeoutError:
            return LOOK_SECONDS
        await asyncio.sleep(REST_SECONDS)
        return REST_SECONDS

    async def _read(self, number: int, offset: int) -> OutputView | None:
        """Read a range on a thread of our own."""
        loop = asyncio.get_running_loop()
        ask = partial(self._ask, number, offset)
        return await loop.run_in_executor(self._pool, ask)

    def _ask(self, number: int, offset: int) -> OutputView | None:
        """Read a range."""
        return self._reader.ask(
            lambda one: self._question(one, number, offset, PAGE_BYTES)
        )


class OutputStream(StreamingResponse):
    """What one job writes, for one follower who was let in."""

    media_type = "text/event-stream"

    def __init__(
        self, followers: Followers, number: int, offset: int, watch: Watch
    ) -> None:
        """Take who lets go, which job, where to begin, and who watches."""
        self._watch = watch
        self._followers = followers
        self._number = number
        self._offset = offset
        super().__init__(self._events(), headers=HEADERS)

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send until either side ends it; the place is free then."""
        scope[ENDLESS] = True
        try:
            await super().__call__(scope, receive, send)
        except (StorageFailed, TooBusy) as error:
            # The answer has begun; breaking off is all that is left to say.
            log.warning("output.broken_off", error=str(error))
        finally:
            self._followers.leave()

    async def _events(self) -> AsyncIterator[bytes]:
        """Yield what the job writes."""
        yield RETRY
        async for part in self._followers.follow(self._number, self._offset):
            if not await self._watch.holds():
                return
            yield part


def _to_event(name: str, found: OutputView) -> bytes:
    """Return a range as one event; its id is where to go on."""
    content = found.model_dump_json().encode()
    return to_event(name, found.next_offset, content)
