"""The lookout: a halt is seen at once, whoever made it, and wherever.

Nobody wakes this node when a file is made, or when another node writes. So
it looks a few times a second, for next to nothing, and wakes whoever ends
what runs. The file and the switch have a lookout each: a database that says
nothing keeps nobody from the file.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from app.core.errors import StorageFailed

LOOK_SECONDS = 0.25


class Lookout:
    """Looks at one of the two; one of the chores."""

    def __init__(
        self,
        is_on: Callable[[], bool],
        wake: Callable[[], None],
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what to look at, and who is woken.

        Args:
            is_on: tells whether it halts; called on a thread.
            wake: is called, on the event loop, whenever that changes.
            close: is called on the thread, at the end.
        """
        self._ask = is_on
        self._wake = wake
        self._close = close
        self._is_on = False
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
            self._close()

        # Nobody waits for it at the end: the database may be silent.
        threading.Thread(
            target=keep_looking, name="lookout", daemon=True
        ).start()
        try:
            await asyncio.Event().wait()
        finally:
            self._ended.set()

    @property
    def is_on(self) -> bool:
        """Tell whether it halted when it was last looked at."""
        return self._is_on

    def look(self) -> bool:
        """Look once; tell whether it is not as it was."""
        was = self._is_on
        with suppress(StorageFailed):
            # Whoever needs the store finds out by himself, and tells of it.
            self._is_on = self._ask()
        return self._is_on is not was
