"""A clock that was set back: what is under way does not wait for it."""

from collections.abc import Collection
from functools import partial

from app.core.clock import Clock
from app.core.log import get_log
from app.engine.ways import Ways
from app.store.stranded import free_stranded

log = get_log("missions")


async def look_after(
    ways: Ways, clock: Clock, stranded: Collection[int]
) -> None:
    """Let missions be due now that a clock which was ahead has moved.

    Args:
        ways: how the store is reached.
        clock: the time.
        stranded: the missions, maybe none.
    """
    if not stranded:
        return
    await ways.turn(partial(free_stranded, ids=stranded, now=clock.now()))
    log.warning(
        "missions.clock_was_set_back",
        count=len(stranded),
        remedy="see that the clock is right, and that of each other node",
    )
