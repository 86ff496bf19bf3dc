"""Beginning: an order is handed to its backend, and the answer awaited.

Some answer late, and some only when the job is over. Whoever halts everything,
or ends that job, does not wait for that: the backend is asked by the key
whether it runs, and what is known to run can be told to end. One that cannot
say it is told to end whatever has that key, again and again until it answers.
"""

import asyncio
from contextlib import suppress

from app.core.errors import CannotTell, OutgoingFailed
from app.engine.ways import Hold
from app.models.job import Order, Progress
from app.ports import Backend

# A call to a backend takes no longer, whatever its own bounds are.
CALL_SECONDS = 60.0
PEEK_SECONDS = 0.25
# What was told to end by its key may have arrived only after that.
AGAIN_SECONDS = 1.0


async def begin(backend: Backend, order: Order, hold: Hold) -> Progress:
    """Start a job; return what its backend says of it.

    Args:
        backend: where it runs.
        order: what it is told.
        hold: says when it must end.

    Raises:
        NotAccepted: it was certainly not started.
        OutgoingFailed: nobody knows, or it took too long.
    """
    seen: list[Progress] = []
    try:
        async with asyncio.timeout(CALL_SECONDS) as limit:
            peeking = _peek(backend, order, hold, seen, limit)
            task = asyncio.current_task()
            name = task.get_name() if task else None
            looker = asyncio.create_task(peeking, name=name)
            try:
                return await backend.start(order)
            finally:
                looker.cancel()
    except TimeoutError as error:
        if seen:
            return seen[0]
        what = f"no answer in {CALL_SECONDS:g} s"
        raise OutgoingFailed(what) from error


async def _peek(
    backend: Backend,
    order: Order,
    hold: Hold,
    seen: list[Progress],
    limit: asyncio.Timeout,
) -> None:
    """Once it must end, look for a job until it is there; then end that."""
    await hold.hurried.wait()
    while not seen:
        pause = PEEK_SECONDS
        with suppress(OutgoingFailed):
            try:
                found = await backend.find(order)
            except CannotTell:
                await backend.abort(order)
                found, pause = None, AGAIN_SECONDS
            if found is not None and (found.reference or found.has_ended):
                seen.append(found)
                limit.reschedule(asyncio.get_running_loop().time())
                return
        await asyncio.sleep(pause)
