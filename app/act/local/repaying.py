"""Repaying: what a job left ended is started, now and then looked for."""

import asyncio

from app.act.local.executor import Executor
from app.core.log import get_log

EVERY_SECONDS = 30.0
log = get_log("local")


async def keep_repaying(executor: Executor) -> None:
    """Start what was left ended by jobs whose doers died, until cancelled.

    At first, as whoever died may have been we; and again, as it may not
    have been possible.
    """
    while True:
        try:
            await asyncio.to_thread(executor.repay)
        except Exception:
            log.exception("repaying.crashed")
        await asyncio.sleep(EVERY_SECONDS)
