"""Turns: what a person asks for is written in one turn of the keeper."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar

from fastapi import Depends

from app.api.speech import Headers, MatchHeader
from app.bootstrap import Product
from app.core.errors import Refused, TooLate
from app.store.ledger import Connection

T = TypeVar("T")
Work = Callable[[Connection], T]


class Seen:
    """The version that was looked at; a FastAPI dependency."""

    def __init__(self, if_match: MatchHeader = None) -> None:
        """Take the header as it came."""
        self.version = Headers(None, if_match).version


Match = Annotated[Seen, Depends()]


def in_time(work: Work[T]) -> Work[T]:
    """Return work that refuses what comes too late."""

    def done(connection: Connection) -> T:
        """Do it, or say that somebody else was first."""
        try:
            return work(connection)
        except TooLate as error:
            raise Refused(
                409,
                "too_late",
                f"Somebody else was first: {error}.",
                remedy="Read what became of it, and decide anew.",
            ) from error

    return done


async def write(
    product: Product, work: Work[T], *, is_urgent: bool = False
) -> T:
    """Have some work done in a turn of its own.

    Args:
        product: whose keeper writes.
        work: what is to be done.
        is_urgent: whether it goes before all that waits.

    Raises:
        Refused: it cannot be done; nothing was changed.
    """
    ask = partial(product.keeper.ask, is_urgent=is_urgent)
    asked = asyncio.wrap_future(ask(in_time(work)))
    # Whoever hangs up does not stop what was begun.
    return await asyncio.shield(asked)
