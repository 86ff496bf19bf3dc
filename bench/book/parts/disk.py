"""How many bytes an alert, an incident and a line of the log take."""

from collections.abc import Iterator

from bench.book.figure import Found
from bench.book.missing import has_postgres
from bench.book.size import Size
from bench.disk import Sizes, measure


def of(name: str, sizes: Sizes) -> Iterator[Found]:
    """Yield the figures of one database."""
    yield Found(id=f"disk.{name}.incident", now=sizes.incident)
    yield Found(id=f"disk.{name}.alert", now=sizes.alert)


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    hosts, parts = size.pick(5, 150), size.pick(2, 20)
    sizes = measure(hosts, parts, is_postgres=False)
    yield from of("sqlite", sizes)
    yield Found(id="disk.sqlite.entry", now=sizes.entry)
    if has_postgres() and not size.is_quick:
        yield from of("pg", measure(hosts, parts, is_postgres=True))
