"""What a job costs by each backend."""

from collections.abc import Iterator

from bench.book.figure import Found
from bench.book.size import Size
from bench.jobs import LENDS, ansible, measure

WITHOUT = ("scripted", "webhook", "local")


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    for lend in LENDS:
        if size.is_quick and lend.__name__ not in WITHOUT:
            continue
        count = size.pick(1, 4) if lend is ansible else size.pick(2, 20)
        found = measure(lend, count)
        name = found.backend
        yield Found(id=f"jobs.{name}.wall", now=found.median * 1_000)
        yield Found(id=f"jobs.{name}.cpu", now=found.cpu_ms)
