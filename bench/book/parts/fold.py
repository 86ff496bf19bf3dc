"""Folding, with many incidents in the database already."""

import argparse
from collections.abc import Iterator, Mapping

from bench.book.figure import Found, beside
from bench.book.missing import has_postgres
from bench.book.size import Size
from bench.fold import Measured, database, measure

FEW = 1_000
MILLION = 1_000_000


def middle(
    size: Size, incidents: int, *, postgres: bool
) -> tuple[float, Measured]:
    """Return the CPU for an alert in us, of the middle round."""
    options = argparse.Namespace(
        alerts=size.pick(100, 2_000), rounds=size.pick(1, 5)
    )
    with database(is_postgres=postgres) as place:
        found = measure(place, incidents, options)
    found.sort(key=lambda one: one.cpu / one.alerts)
    one = found[len(found) // 2]
    return one.cpu / one.alerts * 1e6, one


def of(
    name: str, size: Size, more: Mapping[str, int], *, postgres: bool
) -> Iterator[Found]:
    """Yield the figures of one database: few incidents, and more of them.

    Args:
        name: what the figures begin with.
        size: how much is measured.
        more: beside how many incidents, by the name of the figure.
        postgres: whether it is PostgreSQL.
    """
    least, one = middle(size, FEW, postgres=postgres)
    yield Found(id=f"fold.{name}.few", now=least)
    yield Found(id=f"fold.{name}.rate", now=one.alerts / one.seconds)
    for figure, incidents in more.items():
        most, _ = middle(size, incidents, postgres=postgres)
        yield beside(f"fold.{figure}.many", most, least)


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    many = {"sqlite": size.pick(2_000, MILLION)}
    yield from of("sqlite", size, many, postgres=False)
    if has_postgres() and not size.is_quick:
        many = {"pg": MILLION // 10}
        if size is Size.LARGE:
            many["pg-1m"] = MILLION
        yield from of("pg", size, many, postgres=True)
