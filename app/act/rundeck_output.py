"""What an execution of Rundeck wrote: some at each look, until it is all.

Each look takes a bounded time, and what is long is read by many. What is too
long for these is left out, which is said: then the job may end.
"""

import asyncio
import re

import msgspec

from app.core.brief import LONG, brief
from app.core.clock import Clock
from app.core.errors import OutgoingFailed
from app.core.jsonapi import Api, Query
from app.models.rundeck import Output

LINES = 500
MOST_PIECES = 10
# Whoever looks at a job waits 10 s in all.
READ_SECONDS = 4.0
# So many looks are spent on the output of what is over.
MOST_LOOKS = 10
QUIET = "quiet"
LEFT_OUT = "(the rest of the output was left out)\n"
# Where an output begins: an empty place would leave it at the last one.
FIRST = "0:0:"
CURSOR = re.compile(r"([0-9]{1,18}):([0-9]{1,18}):(?:[a-z]*)([0-9]{0,3})")


class Part(msgspec.Struct, frozen=True):
    """What one look has read.

    Attributes:
        text: what is new.
        cursor: where to read on.
        is_all: whether there is no more of what is over.
    """

    text: str
    cursor: str
    is_all: bool


class Reading(msgspec.Struct):
    """How far one look has come.

    Attributes:
        offset: how far it has read.
        changed: when that was written, as Rundeck says.
        looks: how many looks at what is over came before.
        texts: what is new.
        is_all: whether there is no more now.
    """

    offset: int
    changed: int
    looks: int
    texts: list[str] = []
    is_all: bool = False

    def take(self, piece: Output) -> None:
        """Take a piece."""
        self.texts += [f"{entry.log or ''}\n" for entry in piece.entries]
        self.offset = max(self.offset, _number(piece.offset))
        is_full = len(piece.entries) >= LINES
        changed = 0 if is_full else _number(piece.last_modified or 0)
        self.changed = changed
        self.is_all = not piece.entries


class Reader:
    """Reads what the executions of one Rundeck write."""

    def __init__(self, api: Api, root: str, clock: Clock) -> None:
        """Take the API, where it begins, and a clock."""
        self._api = api
        self._root = root
        self._clock = clock

    async def read(self, number: int, cursor: str, *, is_over: bool) -> Part:
        """Return what was written since, as far as one look reads.

        The end of a job must be told, whatever became of its output: then
        it says that there is none. Before that it is asked for again.
        """
        reading = _begin(cursor)
        why = ""
        try:
            async with asyncio.timeout(READ_SECONDS):
                await self._collect(number, reading, is_over=is_over)
        except TimeoutError:
            why = f"no answer in {READ_SECONDS:g} s"
        except OutgoingFailed as error:
            why = brief(str(error), LONG)
        if is_over:
            return _at_the_end(reading, why)
        news = "" if reading.texts else QUIET
        place = f"{reading.offset}:{reading.changed}:{news}"
        return Part("".join(reading.texts), place, is_all=True)

    async def _collect(
        self, number: int, reading: Reading, *, is_over: bool
    ) -> None:
        """Read a piece of what runs, or some of what is over."""
        path = f"{self._root}/execution/{number}/output"
        begun = self._clock.monotonic()
        for _ in range(MOST_PIECES if is_over else 1):
            query: Query = {
                "offset": reading.offset,
                "lastmod": 0 if is_over else reading.changed,
                "maxlines": LINES,
                "format": "json",
            }
            said = await self._api.get(path, query)
            if said.status != 200:
                raise OutgoingFailed(f"it answered {said.status}")
            reading.take(self._api.read(said, Output))
            is_late = self._clock.monotonic() - begun >= READ_SECONDS
            if reading.is_all or is_late:
                return


def _at_the_end(reading: Reading, why: str) -> Part:
    """Return what was read of what is over, and whether that is all."""
    is_all = reading.is_all
    if why and not reading.texts:
        reading.texts.append(f"(Rundeck has no output: {why})\n")
        is_all = True
    looks = reading.looks + 1
    if not is_all and looks >= MOST_LOOKS:
        reading.texts.append(LEFT_OUT)
        is_all = True
    place = f"{reading.offset}:0:over{looks}"
    return Part("".join(reading.texts), place, is_all=is_all)


def _begin(cursor: str) -> Reading:
    """Return how far the looks before have come."""
    found = CURSOR.fullmatch(cursor)
    if found is None:
        return Reading(0, 0, 0)
    offset, changed, looks = found.groups()
    return Reading(int(offset), int(changed), int(looks or 0))


def _number(text: int | str) -> int:
    """Return a number that may be written as a text."""
    found = str(text)
    return int(found) if re.fullmatch(r"[0-9]{1,18}", found) else 0
