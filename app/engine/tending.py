"""Tending: a chore that crashes begins again, for as long as there is one."""

import asyncio
from typing import Protocol

from app.core.log import get_log

AGAIN_SECONDS = 5.0
log = get_log("tending")


class Chore(Protocol):
    """What is done now and then, as long as the service runs."""

    async def run(self) -> None:
        """Go on until cancelled, or until there is nothing to do."""


async def tend(chore: Chore) -> None:
    """Let a chore run until cancelled; a bug in it ends it for a while only.

    Args:
        chore: what runs; it can begin again after it has ended.
    """
    while True:
        try:
            await chore.run()
        except Exception:
            log.exception("chore.crashed", chore=type(chore).__name__)
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return
