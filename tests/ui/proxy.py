"""A round-robin proxy: each connection goes to the next node that answers.

No stickiness, no buffering, as the documents ask of a real one.
"""

import asyncio
import threading
from collections.abc import Sequence
from typing import Self

CHUNK = 65_536


class Proxy:
    """Passes connections on to several nodes, from a thread of its own."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = tuple(ports)
        self._turn = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.port = 0

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        begun = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self.port = begun.result(10)
        return self

    def __exit__(self, *_: object) -> None:
        """Pass nothing on any more."""
        ended = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        ended.result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> int:
        """Listen on a free port and return it."""
        server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self._server = server
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _end(self) -> None:
        """Close what is open."""
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass one connection on, both ways, until either side ends it."""
        for _ in self._ports:
            self._turn += 1
            port = self._ports[self._turn % len(self._ports)]
            try:
                node = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            ways = (_copy(reader, node[1]), _copy(node[0], writer))
            await asyncio.gather(*ways)
            return
        writer.close()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Copy one way to its end."""
    try:
        while content := await reader.read(CHUNK):
            writer.write(content)
            await writer.drain()
    except ConnectionError:
        return
    finally:
        writer.close()
