"""Pages of the console with much to show, beside the same with little."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.book.figure import Found, beside
from bench.book.missing import need
from bench.book.size import Size
from bench.browsing import measure


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    need("chromium")
    with tempfile.TemporaryDirectory(prefix="smokejumper-browsing-") as name:
        for one in measure(
            size.pick(2_000, 100_000),
            size.pick(20_000, 1_000_000, 10_000_000),
            size.pick(2, 15),
            Path(name),
        ):
            yield beside(f"browsing.{one.page}", one.median, one.beside)
