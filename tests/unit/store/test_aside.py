"""Tests for the threads on which a database is asked."""

import asyncio
import threading
from contextvars import ContextVar

from app.store.aside import MOST, ask_aside
from app.store.ledger import Connection
from app.store.reading import READERS, Reader

MANY = 4 * MOST
PATIENCE = 10.0
BEARER: ContextVar[str] = ContextVar("bearer", default="nobody")


def test_a_silent_database_keeps_nobody_from_this_machine(
    reader: Reader,
) -> None:
    """However many wait for it: files and hands are on other threads."""
    asked = threading.Semaphore(0)
    is_over = threading.Event()

    def wait(_connection: Connection) -> bool:
        """Ask what is not answered before the end."""
        asked.release()
        return is_over.wait(PATIENCE)

    async def reach() -> list[bool]:
        """Use a thread of the loop; return what the waiting were told."""
        some = [
            asyncio.create_task(reader.glimpse(wait, None))
            for _ in range(MANY)
        ]
        for _ in range(READERS):
            assert await asyncio.to_thread(asked.acquire, timeout=PATIENCE)
        is_over.set()
        return [seen.found for seen in await asyncio.gather(*some)]

    assert asyncio.run(reach()) == [True] * MANY


def test_what_is_known_of_the_caller_comes_along() -> None:
    """As on the threads of the event loop."""

    async def ask() -> str:
        """Be somebody, and ask who it is."""
        BEARER.set("ana")
        return await ask_aside(BEARER.get)

    assert asyncio.run(ask()) == "ana"
