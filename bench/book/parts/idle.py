"""What the service costs while nothing happens, and what the canary adds."""

from collections.abc import Iterator

from bench.book.figure import Found
from bench.book.size import Size
from bench.idle import measure, measure_canary


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    share, memory = measure(size.pick(3, 20, 60))
    yield Found(id="idle.share", now=share)
    yield Found(id="idle.memory", now=memory)
    beat = measure_canary(size.pick(16, 48, 96))
    yield Found(id="idle.canary", now=beat)
