"""The kill switch: when nothing starts any more, and all was told to end."""

from collections.abc import Iterator

from bench.book.figure import Found
from bench.book.size import Size
from bench.halting import WAYS, measure


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found: the middle of some rounds."""
    for way in WAYS:
        rounds = [
            measure(way, size.pick(4, 20), is_postgres=False)
            for _ in range(size.pick(1, 3))
        ]
        starts = sorted(one.start for one in rounds)
        yield _middle(f"halting.{way}.start", starts)
        ends = sorted(one.ended for one in rounds)
        yield _middle(f"halting.{way}.ended", ends)


def _middle(name: str, times: list[float]) -> Found:
    """Return the middle of some times in order, and what they go from to."""
    middle = times[len(times) // 2]
    return Found(id=name, now=middle, low=times[0], high=times[-1])
