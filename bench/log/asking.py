"""Ask for pages with every filter and every pair, and take the time."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import text

from app.store.listings import LOG
from app.store.reading import Reader, Wish
from bench.log.making import BEGAN, HOSTS, LASTS, STATUSES, VOCABULARY, word

DAY = 86_400_000_000
LIMIT = 50
TRIES = 5
PROCESS = text("SELECT pg_backend_pid()")
Where = dict[str, Any]
Make = Callable[[random.Random], Where]


def _time(chance: random.Random) -> Where:
    """Return a day somewhere in the log."""
    since = BEGAN + int((LASTS - DAY) * chance.random())
    return {"since": since, "until": since + DAY}


SINGLE: dict[str, Make] = {
    "host": lambda chance: {"target": f"web-{chance.randrange(HOSTS):04}"},
    "status": lambda chance: {"status": chance.choice(list(STATUSES))},
    "time": _time,
    "text:rare": lambda chance: {
        "text": word(chance.randrange(VOCABULARY // 2, VOCABULARY))
    },
    "text:middle": lambda chance: {"text": word(chance.randrange(200, 2_000))},
    "text:common": lambda chance: {"text": word(chance.randrange(10))},
}
MORE: dict[str, Make] = {
    "none": lambda _: {},
    "statuses": lambda chance: {"status": chance.sample(list(STATUSES), 3)},
    "text:two": lambda chance: {
        "text": f"{word(chance.randrange(100))} {word(chance.randrange(100))}"
    },
    "text:beginning": lambda chance: {
        "text": word(chance.randrange(20, 2_000))[:5] + "*"
    },
    "host+status+text": lambda chance: {
        **SINGLE["host"](chance),
        **SINGLE["status"](chance),
        **SINGLE["text:common"](chance),
    },
}


class Asked(msgspec.Struct, frozen=True):
    """How long the pages of one filter take, in milliseconds, in order.

    Attributes:
        name: of the filter.
        first: those of first pages.
        deep: those of pages from somewhere downwards.
        cpu: of our process and of PostgreSQL's, for all of them.
    """

    name: str
    first: list[float]
    deep: list[float]
    cpu: list[float]

    def within(self, share: float) -> float:
        """Return within how many ms so many of all pages are there."""
        times = sorted([*self.first, *self.deep])
        return times[int(len(times) * share)]

    def __str__(self) -> str:
        """Return one line of the table."""
        cells = [f"{self.name:24}"]
        for times in (self.first, self.deep, self.cpu):
            middle = times[len(times) // 2]
            late = times[int(len(times) * 0.95)]
            cells.append(f"{middle:8.2f} {late:8.2f} {times[-1]:8.1f}")
        return " | ".join(cells)


def filters() -> Iterator[tuple[str, Make]]:
    """Yield every filter and every pair, by name."""
    yield from SINGLE.items()
    names = list(SINGLE)
    for index, first in enumerate(names):
        for second in names[index + 1 :]:
            if not (first.startswith("text") and second.startswith("text")):
                yield (
                    f"{first} + {second}",
                    _both(SINGLE[first], SINGLE[second]),
                )
    yield from MORE.items()


def _both(first: Make, second: Make) -> Make:
    """Return the maker of a pair."""
    return lambda chance: {**first(chance), **second(chance)}


def measure(
    reader: Reader, make: Make, total: int, times: int
) -> tuple[list[float], list[float], list[float]]:
    """Return milliseconds: of first pages, of deep ones, of CPU for both.

    Each page is asked for some times and the quickest counts: on a busy
    machine the others say how long the queue was.
    """
    chance = random.Random(7)
    first: list[float] = []
    deep: list[float] = []
    used: list[float] = []
    clock = cpu_clock(reader)
    for number in range(times):
        before = chance.randrange(1, total) if number % 2 else None
        wish = Wish(make(chance), before, limit=LIMIT, count="estimated")
        tries = [_ask(reader, wish, clock) for _ in range(TRIES)]
        (first if before is None else deep).append(min(tries)[0])
        used.append(min(cpu for _, cpu in tries))
    return sorted(first), sorted(deep), sorted(used)


def cpu_clock(reader: Reader) -> Callable[[], float]:
    """Return what tells the CPU seconds of this thread and of its server.

    A server elsewhere keeps its own for itself.
    """
    kind = reader.ask(lambda connection: connection.dialect.name)
    if kind == "sqlite":
        return time.thread_time
    process = reader.ask(
        lambda connection: connection.execute(PROCESS).scalar_one()
    )
    file = Path(f"/proc/{process}/schedstat")
    if not file.exists():
        return time.thread_time

    def both() -> float:
        """Return the CPU seconds of both."""
        return time.thread_time() + int(file.read_text().split()[0]) / 1e9

    return both


def _ask(
    reader: Reader, wish: Wish, clock: Callable[[], float]
) -> tuple[float, float]:
    """Return the milliseconds that a page took, and of CPU."""
    start, begun = time.perf_counter(), clock()
    reader.page(LOG, wish)
    took = time.perf_counter() - start
    return took * 1e3, (clock() - begun) * 1e3
