"""One incident from its alert to its verified end."""

import argparse
from collections.abc import Iterator

from bench.book.figure import Found
from bench.book.missing import has_postgres
from bench.book.size import Size
from bench.pipeline import Cost, measure

WAYS = {
    "sqlite": {"postgres": False, "nodes": 1},
    "sqlite-2": {"postgres": False, "nodes": 2},
    "pg": {"postgres": True, "nodes": 1},
    "pg-2": {"postgres": True, "nodes": 2},
}
POLLS = 10


def least(size: Size, polls: int = 0, **way: int) -> Cost:
    """Return the cheapest of some rounds."""
    options = argparse.Namespace(
        incidents=size.pick(10, 120),
        rounds=1 if size.is_quick or way["nodes"] == 2 else 2,
        **way,
    )
    return min(measure(options, polls), key=lambda one: one.cpu_ms)


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    costs = {}
    for name, way in WAYS.items():
        if way["postgres"] and not has_postgres():
            continue
        if size.is_quick and name != "sqlite":
            continue
        cost = costs[name] = least(size, **way)
        yield Found(id=f"pipeline.{name}.cpu", now=cost.cpu_ms)
        yield Found(id=f"pipeline.{name}.rate", now=cost.per_second)
        yield Found(id=f"pipeline.{name}.memory", now=cost.peak_mb)
        if name.endswith("-2"):
            yield Found(id=f"pipeline.{name}.asked", now=cost.asked)
    if not size.is_quick:
        more = least(size, POLLS, **WAYS["sqlite"])
        each = (more.cpu_ms - costs["sqlite"].cpu_ms) / POLLS
        yield Found(id="pipeline.step", now=each)
