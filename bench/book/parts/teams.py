"""Pages for who sees one team only, beside those of who sees all."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.store.reading import Reader, open_engine
from bench.book.figure import Found, beside
from bench.book.missing import has_postgres
from bench.book.size import Size
from bench.log.__main__ import database
from bench.log.teams import SECONDS, fill, measure

WHO = {"1 %": "one-in-100", "10 old": "ten-old"}
PAGES = {
    "log": "log",
    "log, kind": "kind",
    "log, status and word": "words",
    "incidents": "incidents",
    "incidents, open": "open",
}


def of(name: str, rows: int, tries: int, *, postgres: bool) -> Iterator[Found]:
    """Yield the figures of one database."""
    with (
        tempfile.TemporaryDirectory(prefix="smokejumper-teams-") as folder,
        database(Path(folder), postgres=postgres) as place,
    ):
        fill(place, rows)
        reader = Reader(open_engine(place, SECONDS), SECONDS)
        paged = list(measure(reader, tries))
        reader.close()
    everybody = {one.name: one.median for one in paged if one.who == "all"}
    for one in paged:
        if one.name in PAGES and one.who in WHO:
            figure = f"teams.{name}.{PAGES[one.name]}.{WHO[one.who]}"
            yield beside(figure, one.median, everybody[one.name])


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    rows, tries = size.pick(4_000, 100_000, 1_000_000), size.pick(2, 15)
    yield from of("sqlite", rows, tries, postgres=False)
    if has_postgres() and not size.is_quick:
        yield from of("pg", rows, tries, postgres=True)
