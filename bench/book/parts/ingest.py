"""Accepting deliveries, beside two echoes that keep nothing."""

from collections.abc import Iterator

from bench.book.figure import Found
from bench.book.missing import has_postgres, need
from bench.book.size import Size
from bench.ingest.run import Load, cpu_per_alert, measure, set_beside

LOADS = {
    "64": Load(connections=64),
    "256": Load(connections=256),
    "256-fsync": Load(connections=256, fsync_ms=2),
    "batch": Load(connections=32, alerts=100),
    "pg-64": Load(connections=64, postgres=True),
    "pg-256": Load(connections=256, postgres=True),
}
NAMES = {"FastAPI echo": "fastapi", "raw echo": "raw"}


def find(name: str, load: Load) -> Iterator[Found]:
    """Yield the figures of one load."""
    slices = measure(load)
    ours = slices["Smokejumper"]
    if any(one.errors for one in ours):
        raise RuntimeError(f"{name}: not every delivery was taken")
    cpu = cpu_per_alert(slices, load.alerts)
    yield Found(id=f"ingest.{name}.cpu", now=cpu)
    p99 = sorted(one.p99_ms for one in ours)[len(ours) // 2]
    yield Found(id=f"ingest.{name}.p99", now=p99)
    for label, short in NAMES.items():
        found = set_beside(slices, label)
        yield Found(
            id=f"ingest.{name}.{short}",
            now=found.ours,
            reference=found.theirs,
            ratio=found.ratio,
            low=found.ratios[0],
            high=found.ratios[-1],
        )


def every(size: Size) -> Iterator[Found]:
    """Yield the figures of every load that is possible here."""
    seconds, rounds = size.pick(1, 3), size.pick(1, 3, 5)
    for name, load in LOADS.items():
        if load.postgres and not has_postgres():
            continue
        if size.is_quick and name not in ("64", "pg-64"):
            continue
        sized = Load(
            alerts=load.alerts,
            connections=load.connections,
            seconds=seconds,
            rounds=rounds,
            fsync_ms=load.fsync_ms,
            postgres=load.postgres,
        )
        yield from find(name, sized)


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    need("wrk", "cc")
    yield from every(size)
