"""The console: streams and tabs in CPU and memory, pages in bytes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.book.figure import Found
from bench.book.missing import need
from bench.book.size import Size
from bench.console import measure_live, measure_pages
from bench.tabs import measure
from tests.service import Service

RATE = 20
TABS = (0, 1, 10, 50)
OPEN = 10
INCIDENTS = 100


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Service(Path(folder)) as service,
    ):
        seconds = size.pick(1.0, 12.0)
        for one in measure_live(service, TABS, RATE, seconds):
            name = f"console.tabs-{one.tabs}"
            yield Found(id=f"{name}.share", now=one.share)
            if one.tabs:
                yield Found(id=f"{name}.memory", now=one.memory_mb)
        need("chromium")
        for screen, sizes in measure_pages(service):
            kilobytes = sum(sizes.values()) / 1_000
            yield Found(id=f"console.page.{screen}", now=kilobytes)
    for cost in measure(RATE, size.pick(1.0, 30.0), OPEN, INCIDENTS):
        name = f"console.browser-{cost.case}"
        if cost.case not in ("", "again"):
            yield Found(id=f"{name}.share", now=cost.theirs)
        if cost.case in ("board", "again"):
            # The first ones make threads, which the next ones use again.
            yield Found(id=f"{name}.memory", now=cost.memory_mb)
