"""How long a delivery takes at a steady pace."""

import statistics
from collections.abc import Iterator

from bench.book.figure import Found
from bench.book.size import Size
from bench.latency import measure

RATE = 500
SHARES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


def find_all(size: Size) -> Iterator[Found]:
    """Yield the middle of some runs, and what the runs were between."""
    runs = [measure(RATE, size.pick(2, 8)) for _ in range(size.pick(1, 3))]
    for name, share in SHARES.items():
        times = sorted(run.share_ms(share) for run in runs)
        yield Found(
            id=f"latency.{name}",
            now=statistics.median(times),
            low=times[0],
            high=times[-1],
        )
    cpu = statistics.median(run.cpu_ms for run in runs)
    yield Found(id="latency.cpu", now=cpu)
