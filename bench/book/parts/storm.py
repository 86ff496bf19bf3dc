"""A storm of alerts, and what many waiting incidents cost."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.acting.field import Field, Plan
from bench.book.figure import Found
from bench.book.size import Size
from bench.storm import Blown, Idle, Storm, Woken, blow, idle, wake

STORMS = {
    Size.QUICK: Storm(alerts=500, hosts=10, seconds=2.0),
    Size.USUAL: Storm(alerts=20_000, hosts=400, seconds=12.0),
    Size.LARGE: Storm(),
}
WAITING = {Size.QUICK: 40, Size.USUAL: 10_000, Size.LARGE: 10_000}


@contextmanager
def field(trust: str) -> Iterator[Field]:
    """Lend a service on an empty database."""
    with (
        tempfile.TemporaryDirectory(prefix="smokejumper-act-") as name,
        Field(Path(name), Plan(trust=trust)) as lent,
    ):
        yield lent


def of_storm(blown: Blown, wind: Storm) -> Iterator[Found]:
    """Yield the figures of a storm; each alert of it was found again."""
    yield Found(id="storm.slowest", now=blown.sent.slowest)
    yield Found(id="storm.again", now=blown.sent.again)
    # As many seconds for each incident as it may take with all of them.
    share = blown.drained / wind.hosts * Storm().hosts
    yield Found(id="storm.drained", now=share)
    yield Found(id="storm.memory", now=blown.peak_mb)
    yield Found(id="storm.cpu", now=blown.cpu_ms)


def of_idle(found: Idle) -> Iterator[Found]:
    """Yield the figures of many who wait."""
    yield Found(id="storm.waiting.share", now=found.share)
    yield Found(id="storm.waiting.memory", now=found.memory_mb)


def of_due(found: Woken, count: int) -> Iterator[Found]:
    """Yield the figures of many whose time is over at once."""
    yield Found(id="storm.due.rate", now=count / found.seconds)
    yield Found(id="storm.due.cpu", now=found.cpu_ms)


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    with field("auto") as lent:
        yield from of_storm(blow(lent, STORMS[size]), STORMS[size])
    with field("approve") as lent:
        seconds = size.pick(2, 30, 60)
        yield from of_idle(idle(lent, WAITING[size], seconds))
        yield from of_due(wake(lent, WAITING[size]), WAITING[size])
