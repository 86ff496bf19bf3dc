"""Ask for pages with every filter and every pair, and take the time."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from app.store.listings import LOG
from app.store.reading import Reader, Wish
from bench.log.making import BEGAN, HOSTS, LASTS, STATUSES, VOCABULARY, word

DAY = 86_400_000_000
LIMIT = 50
TRIES = 5
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
    """Return milliseconds: of first pages, of deep ones, of our CPU for both.

    Each page is asked for some times and the quickest counts: on a busy
    machine the others say how long the queue was.
    """
    chance = random.Random(7)
    first: list[float] = []
    deep: list[float] = []
    used: list[float] = []
    for number in range(times):
        before = chance.randrange(1, total) if number % 2 else None
        wish = Wish(make(chance), before, limit=LIMIT, count="estimated")
        tries = [_ask(reader, wish) for _ in range(TRIES)]
        (first if before is None else deep).append(min(tries)[0])
        used.append(min(cpu for _, cpu in tries))
    return sorted(first), sorted(deep), sorted(used)


def _ask(reader: Reader, wish: Wish) -> tuple[float, float]:
    """Return the milliseconds that a page took, and of our CPU."""
    start, begun = time.perf_counter(), time.thread_time()
    reader.page(LOG, wish)
    cpu = time.thread_time() - begun
    return (time.perf_counter() - start) * 1e3, cpu * 1e3


def report(name: str, spans: Iterable[list[float]]) -> str:
    """Return one line of the table."""
    cells = [f"{name:24}"]
    for times in spans:
        middle = times[len(times) // 2]
        late = times[int(len(times) * 0.95)]
        cells.append(f"{middle:8.2f} {late:8.2f} {times[-1]:8.1f}")
    return " | ".join(cells)
