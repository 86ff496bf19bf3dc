"""The hub: one reader of the log's end, and many who want to hear of it.

While somebody listens one task reads what is new, makes the bytes once and
hands the same bytes to everybody. Each listener has a small buffer: whoever
does not keep up is let go, and resumes where it was.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.api.entries import EntryView
from app.core.errors import StorageFailed, TooBusy
from app.core.log import get_log
from app.store.tail import Tail, Told
from app.store.teams import Teams

# Other processes write too, and nobody wakes us then.
LOOK_SECONDS = 1.0
# A storm becomes some batches a second, not one for each turn.
REST_SECONDS = 0.05
# A page says after five seconds without a word that it is late.
BEAT_SECONDS = 3.0
PAGE = 250
MOST_MISSED = 5_000
MOST_BYTES = 1_048_576
encode = msgspec.json.Encoder().encode
log = get_log("stream")
T = TypeVar("T")


class Meters:
    """What the hub tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the meters part of a registry."""
        self.listeners = Gauge(
            "smokejumper_stream_listeners",
            "Who hears of the action log as it grows",
            registry=registry,
        )
        self.dropped = Counter(
            "smokejumper_stream_dropped",
            "Listeners that were let go because they did not keep up",
            registry=registry,
        )


class Wants(msgspec.Struct, frozen=True):
    """Which entries a listener wants; what is empty excludes nothing."""

    kinds: frozenset[str] = frozenset()
    incident: int = 0
    target: str = ""
    teams: Teams = ()

    def has(self, told: Told) -> bool:
        """Tell whether an entry is one of them."""
        entry = told.entry
        return (
            (not self.kinds or entry.kind in self.kinds)
            and self.incident in (0, entry.incident_id)
            and self.target in ("", entry.target)
            and (not self.teams or told.is_for(self.teams))
        )


class Batch(msgspec.Struct, frozen=True):
    """Entries that follow each other, and the bytes that say so."""

    entries: Sequence[Told]
    events: Sequence[bytes]
    whole: bytes

    @property
    def last(self) -> int:
        """Return the id of the last one."""
        return self.entries[-1].entry.id

    @property
    def first(self) -> int:
        """Return the id of the first one."""
        return self.entries[0].entry.id

    def part(self, wants: Wants, after: int) -> bytes:
        """Return the bytes of those that are wanted and come after one."""
        if after < self.first and wants == EVERYTHING:
            return self.whole
        return b"".join(
            event
            for told, event in zip(self.entries, self.events, strict=True)
            if told.entry.id > after and wants.has(told)
        )


EVERYTHING = Wants()


def to_event(name: str, seq: int, content: bytes) -> bytes:
    """Return one event as it goes over the wire."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (seq, name.encode(), content)


def to_reset(seq: int) -> bytes:
    """Return the event that says: fetch all again, you missed something."""
    return to_event("reset", seq, encode({"seq": seq}))


def to_batch(entries: Sequence[Told]) -> Batch:
    """Return entries with their bytes, made once for all."""
    events = [
        to_event(
            told.entry.kind,
            told.entry.id,
            EntryView.of(told.entry).model_dump_json().encode(),
        )
        for told in entries
    ]
    return Batch(entries, events, b"".join(events))


class Listener:
    """Somebody who hears of the log; belongs to the event loop."""

    def __init__(self, wants: Wants, position: int) -> None:
        """Take what is wanted, and the last entry that was considered."""
        self.wants = wants
        self.position = position
        self.is_over = False
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._news = asyncio.Event()

    def offer(self, batch: Batch) -> bool:
        """Take what is wanted of a batch; False when there is no room."""
        if batch.last <= self.position:
            return True
        part = batch.part(self.wants, self.position)
        if self._size + len(part) > MOST_BYTES and self._waiting:
            self.end()
            return False
        self.position = batch.last
        self.take(part)
        return True

    def reset(self, seq: int) -> None:
        """Say that something was missed: all is to be fetched again."""
        self.position = seq
        self.take(to_reset(seq))

    def take(self, part: bytes) -> None:
        """Put some bytes into the buffer."""
        if part:
            self._waiting.append(part)
            self._size += len(part)
            self._news.set()

    def end(self) -> None:
        """Hear no more, and forget what was not sent."""
        self.is_over = True
        self._waiting.clear()
        self._news.set()

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield what comes until it is over; a beat when nothing does."""
        while not self.is_over:
            if self._waiting:
                part = self._waiting.popleft()
                self._size -= len(part)
                yield part
                continue
            self._news.clear()
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                # With the position: what a filter left out is not missed.
                yield b": heartbeat\nid: %d\n\n" % self.position


class Hub:
    """Reads the end of the log while somebody listens."""

    def __init__(self, tail: Tail, most: int, meters: Meters) -> None:
        """Take where to read, and how many may listen."""
        self._tail = tail
        self._most = most
        self._meters = meters
        self._count = 0
        self._is_closed = False
        self._position = 0
        self._joined: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool = ThreadPoolExecutor(2, "tail")

    def enter(self, wants: Wants, position: int) -> Listener:
        """Let somebody in, who must leave again.

        Args:
            wants: which entries.
            position: the last entry that is not wanted any more.

        Raises:
            TooBusy: there is no room, or the service ends.
        """
        if self._is_closed or self._count >= self._most:
            raise TooBusy(
                "streams",
                f"{self._most} streams are open, or the service ends.",
                remedy="Come again in a few seconds, or raise api.streams.",
            )
        self._count += 1
        self._meters.listeners.set(self._count)
        return Listener(wants, position)

    def leave(self, listener: Listener) -> None:
        """Let somebody go."""
        listener.end()
        self._joined.discard(listener)
        self._count -= 1
        self._meters.listeners.set(self._count)
        if not self._joined and self._task is not None:
            self._task.cancel()
            self._task = None

    def wake(self) -> None:
        """Say that the log has grown; cheap, from any thread."""
        if self._task is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._news.set)

    def close(self) -> None:
        """End every stream and let nobody in: the service ends."""
        self._is_closed = True
        self._end_all()

    async def start(self, after: int | None) -> tuple[int, bytes]:
        """Return where a stream begins, and its first words.

        Raises:
            StorageFailed: the log cannot be read now.
        """
        ends = await self._ask(self._tail.ends)
        last = ends.last
        if after is None:
            return last, to_event("hello", last, encode({"seq": last}))
        if ends.cut <= after <= last <= after + MOST_MISSED:
            return after, b": resumed after %d\n\n" % after
        return last, to_reset(last)

    async def follow(self, listener: Listener) -> AsyncIterator[bytes]:
        """Yield what was missed, then what comes, until it is over."""
        while not (listener.is_over or self._is_closed):
            batch = await self._next(listener.position)
            if batch is not None and not _follows(batch, listener.position):
                listener.position = batch.last
                yield to_reset(batch.last)
            elif batch is not None:
                part = batch.part(listener.wants, listener.position)
                listener.position = batch.last
                if part:
                    yield part
            if self._is_near(batch) and self._join(listener):
                async for part in listener.parts():
                    yield part

    def _is_near(self, batch: Batch | None) -> bool:
        """Tell whether a batch was the last one that there is."""
        return batch is None or len(batch.entries) < PAGE

    def _join(self, listener: Listener) -> bool:
        """Add a listener that has all until now; False when it has not."""
        if self._is_closed:
            return False
        if self._task is None:
            self._loop = asyncio.get_running_loop()
            self._position = listener.position
            self._task = self._loop.create_task(self._run())
        elif listener.position < self._position:
            return False
        self._joined.add(listener)
        return True

    def _end_all(self) -> None:
        """End whoever has joined; they may resume."""
        for listener in self._joined:
            listener.end()

    async def _run(self) -> None:
        """Read what is new and tell everybody, until nobody listens."""
        try:
            await self._read_on()
        finally:
            # After a bug nobody is left to wait for a reader that is gone.
            if self._task is asyncio.current_task():
                self._task = None
                self._end_all()

    async def _read_on(self) -> None:
        """Read what is new and tell everybody, for ever."""
        while True:
            self._news.clear()
            try:
                batch = await self._next(self._position)
            except StorageFailed as error:
                log.warning("stream.not_read", error=str(error))
                await asyncio.sleep(LOOK_SECONDS)
                continue
            if batch is not None:
                self._tell(batch)
            if self._is_near(batch):
                await asyncio.sleep(REST_SECONDS)
                await self._wait()

    async def _wait(self) -> None:
        """Return when the log has grown, or may have."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return

    def _tell(self, batch: Batch) -> None:
        """Hand a batch to everybody; let go who does not keep up."""
        is_whole = _follows(batch, self._position)
        self._position = batch.last
        for listener in tuple(self._joined):
            if not is_whole:
                listener.reset(batch.last)
            elif not listener.offer(batch):
                self._joined.discard(listener)
                self._meters.dropped.inc()
                log.warning("stream.dropped", resumes_after=listener.position)

    async def _next(self, after: int) -> Batch | None:
        """Return the entries after one, None when there are none."""
        entries = await self._ask(lambda: self._tail.after(after, PAGE))
        return to_batch(entries) if entries else None

    async def _ask(self, question: Callable[[], T]) -> T:
        """Ask the database on a thread of our own."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, question)


def _follows(batch: Batch, position: int) -> bool:
    """Tell whether a batch begins with the entry after a position."""
    return batch.first == position + 1
