"""Looks: what a look at the store finds for the missions to do."""

from collections.abc import Mapping

import msgspec

from app.core.clock import Clock
from app.engine.neglect import Neglected
from app.engine.recall import find_unaware
from app.models.job import HALTED
from app.store.halts import find_halt
from app.store.jobs import find_live_jobs
from app.store.ledger import Connection


class Look(msgspec.Struct, frozen=True):
    """What a look at the store found.

    Attributes:
        due_at: when the next mission can be taken, or None.
        disturbed: missions whose incidents are not open any more.
        running: missions whose jobs must be ended now: nothing may run.
        is_halted: whether nothing may be started.
        is_going: whether anything runs nevertheless.
        unwanted: missions of ours whose jobs a person wants to end.
        knows_of_halt: whether what runs since before our start was told of
            a halt.
        left: missions that are left to other nodes for a while.
        has_more: whether the log may tell of more.
        neglected: open incidents that people get by now, and why.
        stages: how many missions stand where, on a sweep.
        stranded: missions that wait until a clock is there again.
    """

    due_at: int | None
    disturbed: tuple[int, ...] = ()
    running: tuple[int, ...] = ()
    is_halted: bool = False
    is_going: bool = False
    unwanted: tuple[int, ...] = ()
    knows_of_halt: bool = False
    left: tuple[int, ...] = ()
    has_more: bool = False
    neglected: Mapping[int, Neglected] = {}
    stages: dict[str, int] | None = None
    stranded: tuple[int, ...] = ()


def look_at_halt(connection: Connection, clock: Clock, halted: str) -> Look:
    """Return whether all is halted, and what must be ended then.

    Args:
        connection: where to ask.
        clock: the time.
        halted: what the file of the kill switch says, or empty.
    """
    if not halted and not find_halt(connection).is_halted:
        return Look(None)
    live = find_live_jobs(connection)
    return Look(
        None,
        running=find_unaware(connection, live, clock.now()),
        is_halted=True,
        is_going=bool(live),
    )


def knows_of_halt(connection: Connection) -> bool:
    """Tell whether a job that goes on was told that all is halted."""
    live = find_live_jobs(connection)
    return any(job.told.startswith(HALTED) for job in live)
