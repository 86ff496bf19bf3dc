"""What people wait for: their proposal, their answer, what follows."""

import statistics
from collections.abc import Iterator

from bench.approving import Answered, measure
from bench.book.figure import Found
from bench.book.missing import has_postgres
from bench.book.size import Size


def of(name: str, found: Answered) -> Iterator[Found]:
    """Yield the figures on one database."""
    waits = {
        "grant": found.grant,
        "closed": found.closed,
        "propose": found.propose,
    }
    for what, times in waits.items():
        yield Found(
            id=f"approving.{name}.{what}",
            now=statistics.median(times),
            low=times[0],
            high=times[-1],
        )
    yield Found(id=f"approving.{name}.cpu", now=found.cpu_ms)


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    questions = size.pick(3, 30)
    yield from of("sqlite", measure(questions, is_postgres=False))
    if has_postgres() and not size.is_quick:
        yield from of("pg", measure(questions, is_postgres=True))
