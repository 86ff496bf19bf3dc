"""The lookout: a halt is seen at once, whoever made it, and wherever.

Nobody wakes this node when a file is made, or when another node writes. So
it looks a few times a second, for next to nothing, and wakes whoever ends
what runs.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from app.core.errors import StorageFailed
from app.guard.halting import Halting
from app.store.halts import Switch

LOOK_SECONDS = 0.25


class Lookout:
    """Looks at the file and the switch; one of the chores."""

    def __init__(
        self, halting: Halting, switch: Switch, wake: Callable[[], None]
    ) -> None:
        """Take who looks at either, and who is woken, on the event loop."""
        self._halting = halting
        self._switch = switch
        self._wake = wake
        self._is_halted = False
        self._ended = threading.Event()

    async def run(self) -> None:
        """Go on until cancelled."""
        loop = asyncio.get_running_loop()

        def keep_looking() -> None:
            """Look until the end; a thread of one's own costs the least."""
            while not self._ended.wait(LOOK_SECONDS):
                if self.look():
                    with suppress(RuntimeError):  # the loop has ended
                        loop.call_soon_threadsafe(self._wake)
            self._switch.close()

        # Nobody waits for it at the end: the database may be silent.
        threading.Thread(
            target=keep_looking, name="lookout", daemon=True
        ).start()
        try:
            await asyncio.Event().wait()
        finally:
            self._ended.set()

    def look(self) -> bool:
        """Look once; tell whether all is halted, and was not before."""
        was = self._is_halted
        with suppress(StorageFailed):
            # Whoever needs the store finds out by himself, and tells of it.
            self._is_halted = self._ask()
        return self._is_halted and not was

    def _ask(self) -> bool:
        """Ask the file, which needs no database, and then the switch."""
        return bool(self._halting.look()) or self._switch.is_on()
