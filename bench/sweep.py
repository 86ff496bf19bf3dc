"""What it costs to plan the removal of many files, and to remove them.

    python -m bench.sweep
    python -m bench.sweep --files 10000

Both ways of opening a file safely: by openat2, and step by step where the
kernel does not know it. CPU is that of this process, the kernel's part of it
included.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from app.act.local.sweep.beneath import ByKernel, BySteps, Way, find_way
from tests.unit.act.local.sweeps import make_rule, plan, sweep, sweeping, write

FOLDERS = 50


class Swept(msgspec.Struct, frozen=True):
    """What one way took, in seconds of CPU."""

    way: str
    files: int
    plan: float
    remove: float


def sow(root: Path, files: int) -> None:
    """Make so many small files, which are some days old."""
    for number in range(files):
        write(root / f"d{number % FOLDERS}" / f"{number}.log")


def measure(way: type[Way], files: int) -> Swept:
    """Plan the removal of so many files, and remove them."""
    with tempfile.TemporaryDirectory(prefix="smokejumper-sweep-") as name:
        root = Path(name)
        sow(root, files)
        began = time.process_time()
        found = plan(make_rule(root, "**/*.log"), way())
        planned = time.process_time()
        with sweeping(root, way()) as sweeper:
            sweep(sweeper, found.files)
        over = time.process_time()
        if len(found.files) != files or any(root.rglob("*.log")):
            raise RuntimeError(f"{len(found.files)} of {files} were swept")
    return Swept(way.__name__, files, planned - began, over - planned)


def ways() -> Iterator[type[Way]]:
    """Yield the ways that this kernel has."""
    if isinstance(find_way(), ByKernel):
        yield ByKernel
    yield BySteps


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    asked = parser.parse_args()
    for kind in ways():
        one = measure(kind, asked.files)
        print(
            f"{one.way}: {one.files:,} files: planned in {one.plan:.2f} s,"
            f" removed in {one.remove:.2f} s"
        )
