"""Names: looked up on threads of their own, few of them, never waited for."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from app.core.egress import Bounds, Call, Egress, trust
from app.core.errors import NotSent
from app.core.names import MOST_AT_ONCE, Names


class Silence:
    """A name service that says nothing, until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str, _: int) -> list[str]:
        """Return an address, at long last."""
        self.asked.append(host)
        self.let_go.wait(60)
        return ["192.0.2.1"]


@pytest.fixture
def silence() -> Iterator[Silence]:
    """Give a name service that says nothing, and let it go at the end."""
    found = Silence()
    yield found
    found.let_go.set()


def test_a_name_leads_to_its_addresses() -> None:
    """As this machine knows them."""
    found = asyncio.run(Names().resolve("localhost", 80))
    assert set(found) <= {"127.0.0.1", "::1"}
    assert found


def test_a_name_that_nobody_knows_is_an_error() -> None:
    """The one that the system has."""
    with pytest.raises(socket.gaierror):
        asyncio.run(Names().resolve("no-such-name.invalid", 80))


def test_what_hangs_takes_no_thread_of_the_store(silence: Silence) -> None:
    """The loop's own threads are there for all the rest."""

    async def whole() -> str:
        """Ask for many names, and use a thread of the loop's meanwhile."""
        names = Names(silence)
        tasks = [
            asyncio.create_task(names.resolve(f"h{n}.example.org", 80))
            for n in range(MOST_AT_ONCE)
        ]
        name = await asyncio.to_thread(lambda: "it had a thread")
        assert not any(task.done() for task in tasks)
        silence.let_go.set()
        assert await asyncio.gather(*tasks) == [["192.0.2.1"]] * MOST_AT_ONCE
        return name

    assert asyncio.run(whole()) == "it had a thread"


def test_no_more_than_some_hang_at_once(silence: Silence) -> None:
    """The next is told at once; what was given up still counts."""

    async def whole() -> None:
        """Give up on all, ask for one more, and again when they are gone."""
        names = Names(silence, most=2)
        for host in ("a", "b"):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await names.resolve(host, 80)
        with pytest.raises(NotSent, match="2 names") as caught:
            await names.resolve("c", 80)
        assert caught.value.may_retry
        assert await names.resolve("192.0.2.7", 80) == ["192.0.2.7"]
        assert await names.resolve("2001:db8::7", 80) == ["2001:db8::7"]
        silence.let_go.set()
        for thread in names.threads:
            thread.join(60)
        assert await names.resolve("c", 80) == ["192.0.2.1"]

    asyncio.run(whole())
    assert silence.asked == ["a", "b", "c"]


def test_a_name_that_hangs_holds_up_no_end(silence: Silence) -> None:
    """A service that ends waits for no name: its threads are daemons."""
    names = Names(silence)

    async def whole() -> None:
        """Leave while a name is looked up."""
        task = asyncio.create_task(names.resolve("a", 80))
        await asyncio.sleep(0)
        assert len(names.threads) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(whole())
    (thread,) = names.threads
    assert thread.is_alive()
    assert thread.daemon
    # The loop is gone when the name comes; nobody minds.
    silence.let_go.set()
    thread.join(60)


def test_a_call_that_finds_no_place_was_not_sent(silence: Silence) -> None:
    """It may be sent again."""
    names = Names(silence, most=1)
    egress = Egress(Bounds(0.2, 100), trust(), names.resolve)

    async def whole() -> list[BaseException | object]:
        """Call two names at once."""
        calls = [Call("GET", f"http://h{n}.example.org/") for n in (1, 2)]
        return await asyncio.gather(
            *map(egress.send, calls), return_exceptions=True
        )

    for failure in asyncio.run(whole()):
        assert isinstance(failure, NotSent)
        assert failure.may_retry
