"""The sweep: what missions need, and what only a search finds.

No entry of the log says that nobody looks after an incident, that an offer
has grown old, or that a clock was set back. So it is looked for now and then.
"""

from collections.abc import Collection
from functools import partial

import msgspec

from app.core.log import get_log
from app.engine.looks import Look
from app.engine.neglect import find_neglected, take_over
from app.engine.parts import Parts
from app.engine.piecemeal import do_each
from app.engine.quieting import expire_suggestions
from app.models.mission import SECOND
from app.store.ledger import Connection
from app.store.missions import count_stages
from app.store.stranded import find_stranded, free_stranded

SWEEP_SECONDS = 30.0
PAGE = 200
log = get_log("missions")


class Sweep:
    """Looks for what nobody tells of, and sees to it."""

    def __init__(self, parts: Parts) -> None:
        """Take what the chore is made of."""
        self._parts = parts
        self._swept_at = float("-inf")

    def is_due(self) -> bool:
        """Tell whether the last one is long enough ago."""
        now = self._parts.clock.monotonic()
        return now - self._swept_at >= SWEEP_SECONDS

    def search(
        self, connection: Connection, seen: Look, ours: Collection[int]
    ) -> Look:
        """Return what was seen, with what only a search finds.

        Args:
            connection: a snapshot.
            seen: what there is to do besides.
            ours: the missions that this node has.
        """
        now = self._parts.clock.now()
        before = now - self._parts.settings.deciding_seconds * SECOND
        is_on = self._parts.is_deciding(connection)
        found = find_neglected(connection, before, PAGE, is_deciding=is_on)
        return msgspec.structs.replace(
            seen,
            neglected=found,
            stages=count_stages(connection),
            stranded=find_stranded(connection, now, ours, PAGE),
        )

    async def see_to(self, seen: Look) -> None:
        """See to what a search found; a full page may have another one."""
        parts = self._parts
        pages = (seen.disturbed, seen.neglected, seen.stranded)
        is_full = any(len(one) >= PAGE for one in pages)
        self._swept_at = float("-inf") if is_full else parts.clock.monotonic()
        stages = parts.meters.stages
        stages.clear()
        for stage, count in (seen.stages or {}).items():
            stages.labels(stage).set(count)
        await self._free(seen.stranded)
        take = partial(take_over, found=seen.neglected, moves=parts.moves)
        await do_each(parts.ways, tuple(seen.neglected), take)
        expire = partial(expire_suggestions, moves=parts.moves, limit=PAGE)
        await parts.ways.turn(expire)

    async def _free(self, stranded: Collection[int]) -> None:
        """Let missions be due that a clock which was ahead has moved."""
        if not stranded:
            return
        now = self._parts.clock.now()
        await self._parts.ways.turn(
            partial(free_stranded, ids=stranded, now=now)
        )
        log.warning(
            "missions.clock_was_set_back",
            count=len(stranded),
            remedy="see that the clock is right, and that of each other node",
        )
