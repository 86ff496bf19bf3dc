"""What a job of AWX wrote: all of it if it can be had, and never for ever.

AWX shows no output beyond 1 MiB: it answers 200, with words instead of it,
and only lets it be downloaded as a whole. And it may lose events, so that it
never says that all of them are there.

That output is Ansible's, with the results of tasks as JSON in it. What a task
itself has written is in the events of the job.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from app.act.passing import last_part
from app.core.brief import LONG, brief
from app.core.clock import Clock
from app.core.errors import OutgoingFailed
from app.core.jsonapi import Api, Query
from app.models.awx import COLOUR, ENDS, Events, Stdout

T = TypeVar("T")
# Whoever looks at a job waits 10 s in all.
READ_SECONDS = 4.0
# So long a job that is over waits for its events.
EVENT_SECONDS = 30.0
# So many events are read at once, and so many times.
EVENTS = 50
MOST_PAGES = 10
LEFT_OUT = "(the rest of the output was left out)\n"
PATCHY = "(AWX has not stored all that it wrote)\n"


class Outputs:
    """Reads what the jobs of one AWX write."""

    def __init__(self, api: Api, root: str) -> None:
        """Take the API, and where it begins."""
        self._api = api
        self._root = root

    async def read(
        self, number: int, cursor: str, *, is_over: bool
    ) -> tuple[str, str]:
        """Return the lines that were written since, and where to read on.

        The end of a job must be told, whatever became of its output: then
        it says that there is none. Before that it is asked for again.
        """
        start = int(cursor) if cursor.isdecimal() else 0
        try:
            return await _in_time(self._read(number, start, is_over=is_over))
        except OutgoingFailed as error:
            return (_lack(error) if is_over else ""), str(start)

    async def said(self, number: int) -> str:
        """Return what the tasks of a job that is over have written."""
        try:
            text = await _in_time(self._said(number))
        except OutgoingFailed as error:
            return _lack(error)
        return last_part(text.encode())

    async def _said(self, number: int) -> str:
        """Return what they wrote in its order, or raise OutgoingFailed."""
        path = f"{self._root}/jobs/{number}/job_events/"
        query: Query = {
            "event__in": ",".join(ENDS),
            "order_by": "counter",
            "page_size": EVENTS,
        }
        text, last = "", 0
        for _ in range(MOST_PAGES):
            after: Query = {**query, "counter__gt": last}
            page = await self._api.ask(path, Events, after)
            text += "".join(event.said() for event in page.results)
            if len(page.results) >= page.count or not page.results:
                return text
            last = max(event.counter for event in page.results)
        return text + LEFT_OUT

    async def _read(
        self, number: int, start: int, *, is_over: bool
    ) -> tuple[str, str]:
        """Return the lines from one on, or raise OutgoingFailed."""
        query: Query = {
            "format": "json",
            "content_encoding": "base64",
            "content_format": "ansi",
            "start_line": start,
        }
        path = f"{self._root}/jobs/{number}/stdout/"
        said = await self._api.get(path, query)
        if said.status != 200:
            raise OutgoingFailed(f"it answered {said.status}")
        piece = self._api.read(said, Stdout)
        try:
            text = piece.text()
        except ValueError as error:
            if is_over:
                return await self._download(path, start)
            raise OutgoingFailed(brief(piece.content, LONG)) from error
        end = max(start, piece.range.end)
        if text and not is_over and not text.endswith("\n"):
            # Half a line: it is read again once it is whole.
            text = text[: text.rfind("\n") + 1]
            end = max(start, end - 1)
        return text, str(end)

    async def _download(self, path: str, start: int) -> tuple[str, str]:
        """Return the last of what is too large to be shown.

        It comes as a whole; one beyond ``body_bytes`` is given up.
        """
        said = await self._api.get(path, {"format": "txt_download"})
        if said.status != 200:
            raise OutgoingFailed(f"too large, and answered {said.status}")
        lines = said.body.splitlines(keepends=True)
        text = last_part(b"".join(lines[start:]))
        return COLOUR.sub("", text), str(max(start, len(lines)))


async def _in_time(reading: Awaitable[T]) -> T:
    """Return what is read, or raise OutgoingFailed when it takes long."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await reading
    except TimeoutError as error:
        why = f"no answer in {READ_SECONDS:g} s"
        raise OutgoingFailed(why) from error


def _lack(error: OutgoingFailed) -> str:
    """Return what is said in the place of an output."""
    return f"(AWX has no output: {brief(str(error), LONG)})\n"


class Waits:
    """Knows since when each job waits for its events; of the newest ones."""

    def __init__(self, clock: Clock, most: int) -> None:
        """Take the clock, and how many jobs are known."""
        self._clock = clock
        self._most = most
        self._since: dict[str, float] = {}

    def is_over(self, key: str) -> bool:
        """Tell whether a job has waited long enough; it begins now."""
        now = self._clock.monotonic()
        if key not in self._since and len(self._since) >= self._most:
            del self._since[next(iter(self._since))]
        return now - self._since.setdefault(key, now) >= EVENT_SECONDS

    def forget(self, key: str) -> None:
        """Let a job be: it has ended."""
        self._since.pop(key, None)
