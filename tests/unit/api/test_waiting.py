"""The server waits for its end without looking again and again."""

import asyncio
import signal
from typing import Any, cast

import uvicorn

from app.api.server import Server
from app.bootstrap import Product


def make_server() -> Server:
    """Return a server that listens nowhere."""
    config = uvicorn.Config(cast(Any, object()), log_config=None)
    return Server(config, cast(Product, object()))


def test_a_signal_ends_the_wait() -> None:
    """Nothing else would."""
    server = make_server()

    async def wait() -> None:
        """Wait, and be told meanwhile from another thread."""
        waiting = asyncio.create_task(server.main_loop())
        await asyncio.sleep(0)
        assert not waiting.done()
        await asyncio.to_thread(server.handle_exit, signal.SIGTERM, None)
        await asyncio.wait_for(waiting, 30)

    asyncio.run(wait())
    assert server.should_exit


def test_a_signal_before_it_waits_counts_too() -> None:
    """Who ends it while it starts need not come again."""
    server = make_server()
    server.handle_exit(signal.SIGTERM, None)
    asyncio.run(asyncio.wait_for(server.main_loop(), 30))
