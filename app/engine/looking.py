"""Looking: a backend is asked how a job is, and not waited for for ever."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

from app.core.errors import OutgoingFailed
from app.engine.running import Following
from app.models.job import HALTED, Progress
from app.ports import Backend

# Whoever halts everything waits until a look has ended.
LOOK_SECONDS = 10.0
T = TypeVar("T")


async def look_before(
    following: Following, backend: Backend
) -> Progress | None:
    """Return how a job is that must end, unless that must not wait."""
    why = following.why_abort
    if following.job.told == why:
        return await in_time(backend.watch(following.order))
    if following.is_over_time and not why.startswith(HALTED):
        # It may have ended in its time, while nobody was here to ask.
        with suppress(OutgoingFailed):
            return await in_time(backend.watch(following.order))
    return None


async def in_time(call: Awaitable[T]) -> T:
    """Wait for a backend, but not for ever.

    Raises:
        OutgoingFailed: it failed, or took too long.
    """
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return await call
    except TimeoutError as error:
        what = f"no answer in {LOOK_SECONDS:g} s"
        raise OutgoingFailed(what) from error
