"""Aside: questions to the database wait on threads of their own.

The threads of the event loop look up names, read files and reach what runs
on this machine. A database that says nothing keeps nobody from those: jobs
are told to end all the same.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
# As many as there are connections to read by, and some for claims.
MOST = 6
_THREADS = ThreadPoolExecutor(MOST, "question")


async def ask_aside(
    question: Callable[P, T], *given: P.args, **named: P.kwargs
) -> T:
    """Return what the database answers, off the event loop."""
    context = contextvars.copy_context()
    call = partial(context.run, question, *given, **named)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREADS, call)
