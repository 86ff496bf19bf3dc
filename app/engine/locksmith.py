"""The locksmith: keeps the keyring as the database has it.

What another node made or revoked holds here a second later; what this one
did, at once. When tokens were used is written in one turn for all of them.
"""

import asyncio
from functools import partial
from threading import Lock

from app.access.keyring import Keyring
from app.core.clock import Clock
from app.core.errors import StorageFailed, TooBusy
from app.core.log import get_log
from app.engine.keeper import Keeper
from app.store.aside import ask_aside
from app.store.glance import Seen
from app.store.ledger import Connection
from app.store.reading import Reader
from app.store.tokens import Owned, find_live, find_state, note_uses

State = tuple[int, ...]
Read = tuple[State, list[Owned] | None]
PAUSE_SECONDS = 1.0
log = get_log("locksmith")


class Locksmith:
    """Reads the living tokens now and then; one of the product's chores."""

    def __init__(
        self, keyring: Keyring, keeper: Keeper, reader: Reader, clock: Clock
    ) -> None:
        """Take what is kept, and the ways to the database and back."""
        self.keyring = keyring
        self._keeper = keeper
        self._reader = reader
        self._clock = clock
        self._was_read = True
        self._reading = Lock()
        # A thousand tokens take a while: they are read when they changed.
        self._seen: Seen[Read] | None = None

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await self.look()
            await self.write_uses()
            await asyncio.sleep(PAUSE_SECONDS)

    async def look(self) -> None:
        """Read the tokens once; when that fails the old ones are kept."""
        if self._seen and self._reader.still_holds(self._seen):
            self.keyring.confirm()
            self._was_read = True
            return
        try:
            await ask_aside(self.read)
        except (StorageFailed, TooBusy) as error:
            if self._was_read:
                log.warning("tokens.not_read", error=str(error))
            self._was_read = False
        else:
            self._was_read = True

    def read(self) -> None:
        """Read the tokens on this thread; one thread at a time.

        Else what one of them found before a revocation could be held after
        what another one found since.
        """
        with self._reading:
            seen = self._reader.glance(self._ask, self._seen)
            _, owned = seen.found
            if owned is None or seen is self._seen:
                self.keyring.confirm()
            else:
                self.keyring.hold(owned)
            self._seen = seen

    def _ask(self, connection: Connection) -> Read:
        """Return the state, with the tokens when it is another one."""
        state = find_state(connection)
        if self._seen is not None and state == self._seen.found[0]:
            return state, None
        return state, find_live(connection, self._clock.now())

    async def write_uses(self) -> None:
        """Write down which tokens were used; what is lost is not missed."""
        uses = self.keyring.take_uses()
        if not uses:
            return
        work = partial(note_uses, uses=uses)
        try:
            # Whether tokens are fresh must not hang on a turn that is long.
            async with asyncio.timeout(PAUSE_SECONDS):
                await asyncio.wrap_future(self._keeper.ask(work))
        except (StorageFailed, TooBusy, TimeoutError) as error:
            log.warning("tokens.uses_not_written", error=str(error))
