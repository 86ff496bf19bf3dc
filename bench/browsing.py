"""How long a page of the console takes with much to show, beside little.

    python -m bench.browsing
    python -m bench.browsing --incidents 100000 --rows 10000000

A real Chromium opens each page, of a service that has little and of one that
has much, in turns; nothing else is asked of either. A page is there when its
screen is drawn with what it fetched. Styles and scripts come out of the
browser's cache, as on any day but the first. The board has 100 incidents that
go on, or 2,000 of so many; the log as many rows as bench.log fills in. Of 100
rows few or none are of one host and have one word: there the page with much
has more lines to draw, too.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from playwright.sync_api import Page

from app.store.ledger import Ledger
from app.store.location import Location, locate
from app.store.migrate import migrate
from bench.board.filling import Field
from bench.board.filling import fill as fill_board
from bench.log.filling import fill_sqlite
from bench.log.making import word
from tests.service import Service
from tests.ui.browser import Chromium, Watched, go, open_browser

SECONDS = 600.0
FEW = 100
LIVING = 2_000
BASE = 200_000
BOARD = {
    "board": "/console/incidents",
    "board-found": "/console/incidents?q=host-7",
    "all": "/console/incidents?all=1",
    "all-found": "/console/incidents?all=1&q=host-7",
}
LOG = {
    "log": "/console/log",
    "log-host": "/console/log?target=web-0000",
    "log-status": "/console/log?status=resolved",
    "log-word": f"/console/log?text={word(3)}",
    "log-host-word": f"/console/log?target=web-0000&text={word(3)}",
}
Make = Callable[[Location, int], None]


class Browsed(msgspec.Struct, frozen=True):
    """How long a page took, in ms, in order, beside the same with little."""

    page: str
    many: list[float]
    few: list[float]

    @property
    def median(self) -> float:
        """Return the middle one of those with much."""
        return statistics.median(self.many)

    @property
    def beside(self) -> float:
        """Return the middle one of those with little."""
        return statistics.median(self.few)


def make_board(place: Location, incidents: int) -> None:
    """Fill a database with incidents and what was done about them."""
    ledger = Ledger(place, SECONDS)
    now = time.time_ns() // 1_000
    with ledger.turn() as connection:
        fill_board(connection, Field(incidents, min(incidents, LIVING), now))
    ledger.close()


def make_log(place: Location, rows: int) -> None:
    """Fill a database with lines of the log."""
    assert place.file is not None
    fill_sqlite(place.file, rows, min(rows, BASE))


def measure(
    incidents: int, rows: int, tries: int, folder: Path
) -> Iterator[Browsed]:
    """Yield how long each page takes."""
    with open_browser() as browser:
        sides = {
            many: serve(folder / f"board-{many}", make_board, many)
            for many in (FEW, incidents)
        }
        yield from browse(browser, sides, BOARD, tries)
        sides = {
            many: serve(folder / f"log-{many}", make_log, many)
            for many in (FEW, rows)
        }
        yield from browse(browser, sides, LOG, tries)


def serve(folder: Path, make: Make, many: int) -> Service:
    """Return a service on a database that was filled."""
    folder.mkdir()
    url = f"sqlite:///{folder}/filled.db"
    place = locate(url, folder)
    migrate(place)
    make(place, many)
    settings: dict[str, Any] = {"database": {"url": url}}
    return Service(folder, settings)


def browse(
    browser: Chromium,
    sides: Mapping[int, Service],
    paths: Mapping[str, str],
    tries: int,
) -> Iterator[Browsed]:
    """Yield how long pages take on both sides, in turns."""
    with ExitStack() as stack:
        pages: dict[int, Page] = {}
        for many, service in sides.items():
            watched = Watched(browser, stack.enter_context(service).url)
            stack.callback(watched.close)
            pages[many] = watched.page()
        for name, path in paths.items():
            times: dict[int, list[float]] = {many: [] for many in pages}
            for page in pages.values():
                go(page, path)
                check_filter(page)
            for _ in range(tries):
                for many, page in pages.items():
                    times[many].append(open_once(page, path))
            few, many = sorted(times)
            yield Browsed(name, sorted(times[many]), sorted(times[few]))


def check_filter(page: Page) -> None:
    """Fail when the log does not heed what its address asks for.

    A page that ignores a field is as fast as without it: its figure would
    be of something else.
    """
    url = urlsplit(page.url)
    chips = page.locator("ul.chips li").all_inner_texts()
    for name, value in parse_qsl(url.query) if url.path == LOG["log"] else ():
        if not any(value in chip for chip in chips):
            raise RuntimeError(f"the log does not heed {name}={value}")


def open_once(page: Page, path: str) -> float:
    """Return how many milliseconds a page takes."""
    began = time.perf_counter()
    go(page, path)
    return (time.perf_counter() - began) * 1_000


def read_arguments() -> argparse.Namespace:
    """Return what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--tries", type=int, default=15)
    return parser.parse_args()


if __name__ == "__main__":
    given = read_arguments()
    with tempfile.TemporaryDirectory(prefix="smokejumper-browsing-") as name:
        for one in measure(
            given.incidents, given.rows, given.tries, Path(name)
        ):
            print(
                f"{one.page}: {one.median:.0f} ms (at most"
                f" {one.many[-1]:.0f}); with {FEW}: {one.beside:.0f} ms"
            )
