"""What ten tabs of a real browser cost the service while things happen.

Run: python -m bench.tabs [--seconds N] [--tabs N] [--rate N] [--incidents N]

One Chromium has so many tabs open on a service with incidents that go on,
while another process writes entries about them into the log at a steady
rate. What the same entries cost without any tab is taken first; the rest is
the tabs'. A browser shows one tab of a window: the others are hidden and ask
nothing. In the worst case each has a window of its own, and all are seen.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psutil
from playwright.sync_api import BrowserContext, Page, Request

from app.store.ledger import Ledger
from app.store.location import locate
from bench.browsing import make_board, serve
from bench.console import write
from bench.idle import resident_mb
from bench.ingest.run import cpu_seconds
from tests.service import Service
from tests.ui.browser import Chromium, go, open_browser

BOARD = "/console/incidents"
# What a whole team has open on a bad night.
MIX = (BOARD, "/console/log", "/console/incidents/1", "/console/metrics")
# What is open, and how many of it are seen: all, or the first.
CASES: dict[str, tuple[Sequence[str], int | None]] = {
    "board": ((BOARD,), None),
    "mix": (MIX, None),
    "one-seen": ((BOARD,), 1),
    # What the first ones needed is there by now.
    "again": ((BOARD,), None),
}
HIDE = """() => {
  Object.defineProperty(document, 'hidden',
    { configurable: true, get: () => true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""
LIVE = "#live[data-state=live]"
WARM_SECONDS = 3.0


class Cost(msgspec.Struct, frozen=True):
    """What some tabs cost.

    Attributes:
        case: which; empty: none, only the entries.
        share: of a core, in percent, of the whole service.
        theirs: how much of it is the tabs'.
        memory_mb: what the service grows by for each, beside what it grows
            by meanwhile anyhow; what the first ten needed is not given
            back, and the next ten use it again.
        threads: how many the service has more than before: each that
            reads the database has a connection and memory of its own.
        asked: how often each address was asked for, a second.
    """

    case: str
    share: float
    theirs: float = 0.0
    memory_mb: float = 0.0
    threads: int = 0
    asked: dict[str, float] = {}


class Bench:
    """A service with a browser, and what writes beside it."""

    def __init__(
        self, service: Service, browser: Chromium, database: Path, rate: int
    ) -> None:
        self.service = service
        self._browser = browser
        self._rate = rate
        self._ledger = Ledger(locate(f"sqlite:///{database}", Path("/")), 10.0)

    def run(self, seconds: float) -> float:
        """Write for a while; return the share of a core meanwhile."""
        before, began = cpu_seconds(self.service.pid), time.monotonic()
        write(self._ledger, self._rate, seconds)
        used = cpu_seconds(self.service.pid) - before
        return used / (time.monotonic() - began) * 100

    @contextmanager
    def tabs(
        self, paths: Sequence[str], many: int, seen: int
    ) -> Iterator[Counter[str]]:
        """Open tabs in one browser, some seen; lend what they ask for."""
        context = self._browser.new_context(base_url=self.service.url)
        asked: Counter[str] = Counter()
        pages = [
            open_tab(context, path) for path in islice(cycle(paths), many)
        ]
        for page in pages[seen:]:
            page.evaluate(HIDE)

        def note(request: Request) -> None:
            """Count what is asked for, whatever its query."""
            asked[urlsplit(request.url).path] += 1

        context.on("request", note)
        yield asked
        # What was asked meanwhile is told as soon as anything is waited for.
        pages[-1].title()
        context.close()

    def close(self) -> None:
        """Give the database back."""
        self._ledger.close()


def open_tab(context: BrowserContext, path: str) -> Page:
    """Open a tab, and wait until it hears what happens."""
    page = context.new_page()
    go(page, path)
    page.wait_for_selector(LIVE)
    return page


def measure(
    rate: int, seconds: float, many: int, incidents: int
) -> Iterator[Cost]:
    """Yield what the entries cost alone, then each case."""
    with tempfile.TemporaryDirectory(prefix="smokejumper-tabs-") as name:
        folder = Path(name)
        with (
            serve(folder / "board", make_board, incidents) as service,
            open_browser() as browser,
        ):
            database = folder / "board" / "filled.db"
            bench = Bench(service, browser, database, rate)
            # What the first reader ever needs is no tab's.
            for path in MIX:
                with bench.tabs((path,), 1, seen=1):
                    bench.run(WARM_SECONDS)
            yield from measure_cases(bench, seconds, many)
            bench.close()


def measure_cases(bench: Bench, seconds: float, many: int) -> Iterator[Cost]:
    """Yield what the entries cost alone, then each case."""
    pid = bench.service.pid
    grown = resident_mb(pid)
    alone = bench.run(seconds)
    anyhow = resident_mb(pid) - grown
    yield Cost("", alone)
    for case, (paths, seen) in CASES.items():
        grown, threads = resident_mb(pid), count_threads(pid)
        with bench.tabs(paths, many, seen or many) as asked:
            share = bench.run(seconds)
            memory = resident_mb(pid) - grown
            threads = count_threads(pid) - threads
        yield Cost(
            case,
            share,
            share - alone,
            (memory - anyhow) / many,
            threads,
            {path: count / seconds for path, count in asked.most_common()},
        )


def count_threads(pid: int) -> int:
    """Return how many threads a service has."""
    return psutil.Process(pid).num_threads()


def report(cost: Cost, many: int, rate: int) -> None:
    """Print what some tabs cost."""
    if not cost.case:
        print(f"no tab, {rate} entries/s: {cost.share:.2f} % of a core")
        return
    print(
        f"{many} tabs, {cost.case}: {cost.share:.2f} % of a core,"
        f" {cost.theirs:.2f} % of it theirs, {cost.memory_mb:.3f} MB each,"
        f" {cost.threads} threads more"
    )
    for path, count in cost.asked.items():
        print(f"    {count:.2f}/s {path}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--tabs", type=int, default=10)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--incidents", type=int, default=100)
    given = parser.parse_args()
    for one in measure(given.rate, given.seconds, given.tabs, given.incidents):
        report(one, given.tabs, given.rate)
