"""Names: what they lead to, looked up without holding up anything else.

The system's look-up blocks, for half a minute when no name service answers.
On the event loop's own threads a few such names would hold up the store and
all else that uses them; so names have threads of their own, few of them,
and nobody waits for them at the end.
"""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable

from app.core.errors import NotSent

# Look-ups that have not ended, also such that were given up.
MOST_AT_ONCE = 32
LookUp = Callable[[str, int], list[str]]


def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a name, as this machine knows them; blocks."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Names:
    """Looks names up.

    Attributes:
        threads: those of look-ups that may not have ended.
    """

    def __init__(
        self, look_up: LookUp = look_up, most: int = MOST_AT_ONCE
    ) -> None:
        """Take who knows, and how many may be asked for at once."""
        self._look_up = look_up
        self._most = most
        self._lock = threading.Lock()
        self.threads: set[threading.Thread] = set()

    async def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of a name.

        Raises:
            NotSent: too many are looked up already.
            OSError: nobody knows it.
        """
        if _is_address(host):
            return [host]
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[list[str]] = loop.create_future()

        def settle(found: list[str] | Exception) -> None:
            """Say what was found, when somebody is still there to hear."""
            if ended.done():
                return
            if isinstance(found, Exception):
                ended.set_exception(found)
            else:
                ended.set_result(found)

        def run() -> None:
            """Ask, and say what was found."""
            found: list[str] | Exception
            try:
                found = self._look_up(host, port)
            except (OSError, ValueError) as error:
                found = error
            # The loop may have ended meanwhile.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, found)

        self._begin(run)
        return await ended

    def _begin(self, run: Callable[[], None]) -> None:
        """Run something on a thread, when there is one left."""
        with self._lock:
            self.threads = {one for one in self.threads if one.is_alive()}
            if len(self.threads) >= self._most:
                text = f"{len(self.threads)} names are being looked up already"
                raise NotSent(text, may_retry=True)
            thread = threading.Thread(target=run, name="name", daemon=True)
            thread.start()
            self.threads.add(thread)


def _is_address(host: str) -> bool:
    """Tell whether a host is an address, which leads to itself."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
