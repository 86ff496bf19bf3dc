"""The board and the status with 100,000 incidents."""

import argparse
from collections.abc import Iterator

from bench.board.__main__ import measure
from bench.book.figure import Found
from bench.book.missing import has_postgres
from bench.book.size import Size


def of(name: str, size: Size, *, postgres: bool) -> Iterator[Found]:
    """Yield the figures of one database."""
    options = argparse.Namespace(
        incidents=size.pick(2_000, 100_000),
        living=size.pick(100, 2_000),
        tries=size.pick(3, 20),
        postgres=postgres,
    )
    for one in measure(options):
        what = one.path.rpartition("/")[2]
        yield Found(
            id=f"board.{name}.{what}",
            now=one.median,
            low=one.times[0],
            high=one.times[-1],
        )


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    yield from of("sqlite", size, postgres=False)
    if has_postgres() and not size.is_quick:
        yield from of("pg", size, postgres=True)
