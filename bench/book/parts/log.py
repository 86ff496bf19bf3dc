"""Pages of the action log, with every filter and every pair of them."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.book.figure import Found
from bench.book.missing import has_postgres
from bench.book.size import Size
from bench.log.__main__ import ask, database, fill
from bench.log.asking import Asked

MILLION = 1_000_000
# So many are made here; the others are made of them in the database.
BASE = 200_000
TIMES = 40


def short(name: str) -> str:
    """Return the name of a filter as a figure has it."""
    return name.replace(":", "-").replace(" ", "")


def of(name: str, asked: Asked) -> Found:
    """Return the figure of one filter: within it are 95 of 100 pages."""
    return Found(
        id=f"log.{name}.{short(asked.name)}",
        now=asked.within(0.95),
        low=asked.within(0.5),
        high=asked.within(0.9999),
    )


def measure(name: str, rows: int, *, postgres: bool) -> Iterator[Found]:
    """Yield the figures of one database, and those of all its filters."""
    with (
        tempfile.TemporaryDirectory(prefix="smokejumper-log-") as folder,
        database(Path(folder), postgres=postgres, rows=rows) as place,
    ):
        turn = fill(place, rows, min(rows, BASE))
        yield Found(id=f"log.{name}.turn", now=turn)
        if place.file is not None:
            size = place.file.stat().st_size / rows
            yield Found(id=f"log.{name}.bytes", now=size)
        yield from find(name, list(ask(place, rows, TIMES)))


def find(name: str, asked: Sequence[Asked]) -> Iterator[Found]:
    """Yield the figures of all filters, and of all together."""
    yield from (of(name, one) for one in asked)
    late = [one.within(0.95) for one in asked]
    middle = sorted(one.within(0.5) for one in asked)[len(asked) // 2]
    yield Found(id=f"log.{name}.p50", now=middle)
    yield Found(id=f"log.{name}.worst", now=max(late))


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    usual = size.pick(4_000, MILLION)
    yield from measure("sqlite", usual, postgres=False)
    if has_postgres() and not size.is_quick:
        yield from measure("pg", MILLION, postgres=True)
    if size is Size.LARGE:
        yield from measure("sqlite-10m", 10 * MILLION, postgres=False)
        if has_postgres():
            yield from measure("pg-10m", 10 * MILLION, postgres=True)
