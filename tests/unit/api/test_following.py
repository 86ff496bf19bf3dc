"""Following a job without a database: what is sent, and to how many."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from app.api import following
from app.api.following import Followers
from app.api.job_views import OutputView
from app.core.errors import StorageFailed, TooBusy


class FakeJob:
    """A job in memory that stands for the store."""

    def __init__(self) -> None:
        self.text = b""
        self.has_ended = False
        self.is_gone = False
        self.failures = 0
        self.was_read = threading.Event()

    def ask(self, question: Callable[[Any], OutputView | None]) -> Any:
        """Answer as a reader does."""
        if self.failures:
            self.failures -= 1
            raise StorageFailed("gone")
        return question(self)

    def read(
        self, _connection: Any, number: int, offset: int, limit: int
    ) -> OutputView | None:
        """Return a range."""
        self.was_read.set()
        if self.is_gone:
            return None
        part = self.text[offset : offset + min(limit, 4)]
        return OutputView(
            job=number,
            offset=offset,
            text=part.decode(),
            next_offset=offset + len(part),
            output_bytes=len(self.text),
            is_cut=False,
            has_ended=self.has_ended,
        )


def parts_of(event: bytes) -> tuple[str, int, str]:
    """Return the name, the id and the text of an event."""
    lines = dict(
        line.split(": ", 1) for line in event.decode().strip().split("\n")
    )
    text = msgspec.json.decode(lines["data"])["text"]
    return lines["event"], int(lines["id"]), text


def run(
    scene: Callable[[FakeJob, Followers], Coroutine[Any, Any, None]],
) -> None:
    """Play a scene on a loop of its own."""

    async def play() -> None:
        """Play it, for twenty seconds at most."""
        job = FakeJob()
        followers = Followers(job, 2, job.read)  # type: ignore[arg-type]  # a stand-in
        async with asyncio.timeout(20):
            await scene(job, followers)

    asyncio.run(play())


def test_it_is_sent_range_by_range_to_the_end() -> None:
    """From an offset on; the id says where to go on."""

    async def scene(job: FakeJob, followers: Followers) -> None:
        """Follow a job that has ended."""
        job.text, job.has_ended = b"abcdefgh", True
        found = [parts_of(one) async for one in followers.follow(3, 2)]
        assert found == [
            ("output", 6, "cdef"),
            ("output", 8, "gh"),
            ("end", 8, ""),
        ]

    run(scene)


def test_what_comes_later_wakes_whoever_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is read meanwhile, and nothing is missed."""
    monkeypatch.setattr(following, "LOOK_SECONDS", 600.0)

    async def scene(job: FakeJob, followers: Followers) -> None:
        """Write while somebody waits."""
        followers.enter()
        events = followers.follow(3, 0)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.to_thread(job.was_read.wait, 10)
        job.text = b"abc"
        while not waiting.done():
            followers.wake()
            await asyncio.sleep(0)
        assert parts_of(waiting.result()) == ("output", 3, "abc")

    run(scene)


def test_who_is_not_told_looks_by_himself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another node may have written; a beat says that we are there."""
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(following, "BEAT_SECONDS", 0.02)

    async def scene(job: FakeJob, followers: Followers) -> None:
        """Wait for a beat, then write."""
        events = followers.follow(3, 0)
        assert await anext(events) == b": heartbeat\n\n"
        job.text = b"abc"
        async for event in events:
            if event != b": heartbeat\n\n":
                assert parts_of(event) == ("output", 3, "abc")
                break

    run(scene)


def test_so_many_at_once() -> None:
    """One more is refused until somebody leaves."""

    async def scene(_job: FakeJob, followers: Followers) -> None:
        """Come and go."""
        followers.enter()
        followers.enter()
        with pytest.raises(TooBusy):
            followers.enter()
        followers.leave()
        followers.enter()

    run(scene)


def test_the_end_of_the_service_ends_every_stream() -> None:
    """Without an event: whoever followed comes again and resumes."""

    async def scene(job: FakeJob, followers: Followers) -> None:
        """Close while somebody waits."""
        followers.enter()
        events = followers.follow(3, 0)
        waiting = asyncio.ensure_future(anext(events, b"over"))
        await asyncio.to_thread(job.was_read.wait, 10)
        followers.close()
        assert await waiting == b"over"
        with pytest.raises(TooBusy):
            followers.enter()

    run(scene)


def test_a_job_that_is_gone_ends_its_stream() -> None:
    """Retention may take it off while it is followed."""

    async def scene(job: FakeJob, followers: Followers) -> None:
        """Follow what is not there any more."""
        job.is_gone = True
        assert [one async for one in followers.follow(3, 0)] == []

    run(scene)


def test_a_store_that_cannot_be_read_is_told() -> None:
    """The stream breaks off; nobody is told that it ended."""

    async def scene(job: FakeJob, followers: Followers) -> None:
        """Follow while the store is away."""
        job.failures = 1
        with pytest.raises(StorageFailed):
            await anext(followers.follow(3, 0))

    run(scene)
