"""Set-up: the link by which the first admin comes in.

While nobody can sign in, each start makes a link, and the one before is
void. It lies in a file that only we and root can read: whoever can read it
may as well read the database. Any node honours it.
"""

import asyncio
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from app.access.accounts import make_setup_link
from app.access.gate import Gate, Scribe
from app.access.secrets import digest_of
from app.core.clock import Clock
from app.core.errors import StorageFailed, TooBusy
from app.core.log import get_log
from app.models.account import Invitation
from app.store.accounts import find_invitation, has_way_in
from app.store.aside import ask_aside
from app.store.glance import Seen
from app.store.reading import Reader

LOOK_SECONDS = 2.0
log = get_log("setup")


class Place(msgspec.Struct, frozen=True):
    """Where the link is written, and what stands before it.

    Attributes:
        file: where; None: nowhere, and no link is made.
        site: the address of the service.
    """

    file: Path | None
    site: str


class Setup:
    """Makes the link, and removes it; one of the product's chores."""

    def __init__(
        self,
        place: Place,
        gate: Gate,
        scribe: Scribe,
        reader: Reader,
        clock: Clock,
    ) -> None:
        """Take where it goes, who knows whether it is needed, who writes."""
        self.place = place
        self._is_open = gate.settings.open == "always"
        self._issuer = gate.settings.issuer
        self._scribe = scribe
        self._reader = reader
        self._clock = clock
        self._seen: Seen[Invitation | None] | None = None

    async def run(self) -> None:
        """Make a link if one is needed, and see that its file goes."""
        if self.place.file is None or self._is_open:
            return
        secret: str | None = None
        while True:
            try:
                if secret is None:
                    secret = await self._make(self.place.file)
                if not await self._holds(secret):
                    await asyncio.to_thread(remove, self.place.file)
                    return
            except (StorageFailed, TooBusy) as error:
                log.warning("setup.not_looked", error=str(error))
            except OSError as error:
                log.error(
                    "setup.not_written",
                    file=str(self.place.file),
                    error=error.strerror,
                    remedy="run 'main.py people setup-link'",
                )
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _make(self, file: Path) -> str:
        """Write a link down; return what it holds, empty if none is due."""
        is_needless = partial(has_way_in, issuer=self._issuer)
        if await ask_aside(self._reader.ask, is_needless):
            return ""
        work = partial(make_setup_link, now=self._clock.now())
        secret = await asyncio.wrap_future(self._scribe.ask(work))
        link = to_link(self.place.site, secret)
        await asyncio.to_thread(put, file, link)
        # Where it is; never what it is.
        log.info("setup.link_written", file=str(file))
        return secret

    async def _holds(self, secret: str) -> bool:
        """Tell whether a link waits to be used."""
        if not secret:
            return False
        find = partial(
            find_invitation,
            digest=digest_of(secret),
            now=self._clock.now(),
            issuer=self._issuer,
        )
        # It has no end: only writing makes it void.
        self._seen = await self._reader.glimpse(find, self._seen)
        return self._seen.found is not None


def to_link(site: str, secret: str) -> str:
    """Return the address that a person opens, empty when there is none."""
    return f"{site}/console/setup?token={secret}" if secret else ""


def put(file: Path, link: str) -> None:
    """Write a link where only we can read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    mode = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(fresh, mode, 0o600), "w") as opened:
        opened.write(f"{link}\n")
    fresh.replace(file)


def remove(file: Path) -> None:
    """Remove a link that holds no longer."""
    with suppress(OSError):
        file.unlink(missing_ok=True)
