"""Looking at a machine: the local hands, and the watch."""

from collections.abc import Iterable, Iterator

from app.act.local.sweep.beneath import ByKernel
from bench import host, sweep, watch
from bench.book.figure import Found, beside
from bench.book.size import Size

LOOKS = {
    "stat of all": "stat",
    "snapshot: stat of all and totals": "snapshot",
    f"snapshot and details of {host.DETAILED}": "details",
}
PARTS = {
    "look": "look",
    "judge": "judge",
    "one round of both": "round",
    "disks": "disks",
    "open files": "files",
}
PSUTIL = "psutil, the same fields"


def of(looks: Iterable[host.Look], names: dict[str, str]) -> Iterator[Found]:
    """Yield the figures of some looks."""
    for one in looks:
        if one.name in names:
            yield Found(
                id=f"host.{names[one.name]}", now=one.median, high=one.worst
            )


def find_all(size: Size) -> Iterator[Found]:
    """Yield what was found."""
    processes, rounds = size.pick(120, 720), size.pick(3, 30)
    _, looks = host.measure(processes, rounds)
    yield from of(looks, LOOKS)
    took = {one.name: one.median for one in looks}
    bare = took["stat of all"]
    yield beside("host.psutil", bare, took[PSUTIL])
    _, parts = watch.measure(processes, rounds)
    yield from of(parts, PARTS)
    for way in sweep.ways():
        found = sweep.measure(way, size.pick(300, 10_000))
        name = "kernel" if way is ByKernel else "steps"
        yield Found(id=f"host.sweep-{name}.plan", now=found.plan)
        yield Found(id=f"host.sweep-{name}.remove", now=found.remove)
