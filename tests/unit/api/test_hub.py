"""The hub: what one reader hands to many, without a database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from app.api import hub as hub_file
from app.api.hub import EVERYTHING, Hub, Listener, Meters, Wants
from app.core.errors import StorageFailed, TooBusy
from app.models.entry import BEGINNING, Entry, Note, to_entry
from app.store.tail import Ends, Told


class FakeTail:
    """A log in memory that counts who reads it, and fails on demand."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.teams: dict[int, str] = {}
        self.cut = 0
        self.reads = 0
        self.failures = 0

    def add(self, count: int, kind: str = "test.written") -> None:
        """Append some entries."""
        for _ in range(count):
            blank = to_entry(
                BEGINNING, 1, Note(kind=kind, actor="a", summary="s")
            )
            number = self.ends().last + 1
            self.entries.append(msgspec.structs.replace(blank, id=number))

    def cut_off(self, up_to: int) -> None:
        """Take old entries off."""
        self.cut = up_to
        self.entries = [one for one in self.entries if one.id > up_to]

    def ends(self) -> Ends:
        """Return where the log begins and ends."""
        last = self.entries[-1].id if self.entries else self.cut
        return Ends(self.cut, last)

    def after(self, last: int, limit: int) -> Sequence[Told]:
        """Return the entries after one."""
        self.reads += 1
        if self.failures:
            self.failures -= 1
            raise StorageFailed("gone")
        rest = [one for one in self.entries if one.id > last][:limit]
        return [Told(one, self.teams.get(one.id)) for one in rest]


class Room:
    """A hub with a tail of its own."""

    def __init__(self) -> None:
        self.tail = FakeTail()
        self.hub = Hub(self.tail, 2, Meters(CollectorRegistry()))  # type: ignore[arg-type]  # a stand-in
        self.listeners: list[Listener] = []

    async def listen(
        self, after: int | None = None, wants: Wants = EVERYTHING
    ) -> AsyncIterator[bytes]:
        """Return the parts that a new listener gets after the first."""
        position, _ = await self.hub.start(after)
        self.listeners.append(self.hub.enter(wants, position))
        return self.hub.follow(self.listeners[-1])

    def close(self) -> None:
        """Let everybody go."""
        for listener in self.listeners:
            self.hub.leave(listener)


def run(scene: Callable[[Room], Coroutine[Any, Any, None]]) -> None:
    """Play a scene on a loop of its own."""

    async def play() -> None:
        """Play it, and end what it began."""
        room = Room()
        async with asyncio.timeout(20):
            await scene(room)
        room.close()

    asyncio.run(play())


async def until_joined(room: Room, *parts: "asyncio.Task[bytes]") -> None:
    """Return when everybody who waits hears of what comes."""
    for _ in range(1_000):
        if len(room.hub._joined) == len(parts):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("they did not join")


def nexts(*streams: AsyncIterator[bytes]) -> "list[asyncio.Task[bytes]]":
    """Return tasks that wait for the next part of each stream."""

    async def get(stream: AsyncIterator[bytes]) -> bytes:
        """Return one part."""
        return await anext(stream)

    return [asyncio.create_task(get(stream)) for stream in streams]


def test_all_get_the_same_bytes() -> None:
    """They are made once, not once for each listener."""

    async def scene(room: Room) -> None:
        """Let two listen, then write."""
        waiting = nexts(await room.listen(), await room.listen())
        await until_joined(room, *waiting)
        room.tail.add(3)
        room.hub.wake()
        one, other = [await part for part in waiting]
        assert one is other
        assert one.count(b"\nevent: test.written\n") == 3

    run(scene)


def test_nobody_listens_nobody_reads() -> None:
    """The reader stops with the last listener, and begins with the next."""

    async def scene(room: Room) -> None:
        """Listen, leave, write, listen."""
        (waiting,) = nexts(await room.listen())
        await until_joined(room, waiting)
        waiting.cancel()
        room.hub.leave(room.listeners.pop())
        reads = room.tail.reads
        room.tail.add(1)
        for _ in range(3):
            room.hub.wake()
            await asyncio.sleep(0.02)
        assert room.tail.reads <= reads + 1
        (again,) = nexts(await room.listen(0))
        assert b"id: 1\n" in await again

    run(scene)


def test_a_beat_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a filter left out is not missed after a reconnect."""
    monkeypatch.setattr(hub_file, "BEAT_SECONDS", 0.3)

    async def scene(room: Room) -> None:
        """Write what is not wanted."""
        stream = await room.listen(wants=Wants(frozenset({"other"})))
        (first,) = nexts(stream)
        await until_joined(room, first)
        room.tail.add(4)
        room.hub.wake()
        beats = [await first]
        while b"id: 4\n" not in beats[-1]:
            beats.append(await anext(stream))
        assert all(beat.startswith(b": heartbeat\n") for beat in beats)
        assert not any(b"data:" in beat for beat in beats)

    run(scene)


def test_a_lost_database_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The streams stay, and hear of all that was written meanwhile."""
    monkeypatch.setattr(hub_file, "LOOK_SECONDS", 0.05)

    async def scene(room: Room) -> None:
        """Fail three times."""
        (waiting,) = nexts(await room.listen())
        await until_joined(room, waiting)
        room.tail.failures = 3
        room.tail.add(2)
        room.hub.wake()
        assert (await waiting).count(b"data:") == 2

    run(scene)


def test_what_was_cut_off_before_it_was_read_is_a_reset() -> None:
    """Ids leave no gap: one that is missing was taken by retention."""

    async def scene(room: Room) -> None:
        """Write and cut off before anybody looks."""
        (waiting,) = nexts(await room.listen())
        await until_joined(room, waiting)
        room.tail.add(6)
        room.tail.cut_off(3)
        room.hub.wake()
        assert await waiting == b'id: 6\nevent: reset\ndata: {"seq":6}\n\n'

    run(scene)


def test_a_full_buffer_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is forgotten at once; the other one hears everything."""
    monkeypatch.setattr(hub_file, "MOST_BYTES", 3_000)

    async def scene(room: Room) -> None:
        """Read with one, not with the other."""
        slow, quick = await room.listen(), await room.listen()
        first = nexts(slow, quick)
        await until_joined(room, *first)
        room.tail.add(1)
        room.hub.wake()
        for part in first:
            await part
        heard = 1
        while not room.listeners[0].is_over:
            room.tail.add(4)
            room.hub.wake()
            heard += (await anext(quick)).count(b"data:")
        assert heard == room.tail.ends().last
        assert not room.listeners[1].is_over
        assert [part async for part in slow] == []

    run(scene)


def test_a_closed_hub_lets_nobody_in() -> None:
    """And ends whoever is there."""

    async def scene(room: Room) -> None:
        """Close while one waits."""
        stream = await room.listen()
        (waiting,) = nexts(stream)
        await until_joined(room, waiting)
        room.hub.close()
        with pytest.raises(StopAsyncIteration):
            await waiting
        with pytest.raises(TooBusy):
            await room.listen()

    run(scene)
