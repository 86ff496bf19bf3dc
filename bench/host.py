"""What it costs to look at all processes of a machine.

    python -m bench.host
    python -m bench.host --processes 720 --rounds 30

Sleeping children are added until there are so many processes; they are ended
by their ids. CPU is that of this process, the kernel's part of it included.
"""

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import psutil

from app.core.look.details import details
from app.core.look.snapshot import Snapshot, read_procs, take

MOST_CHILDREN = 700
DETAILED = 20
SLEEP = ("/bin/sleep", "600")


@contextmanager
def crowd(wanted: int) -> Iterator[int]:
    """Let there be so many processes, a bounded number of them ours."""
    missing = wanted - len(read_procs())
    count = max(0, min(MOST_CHILDREN, missing))
    children: list[subprocess.Popen[bytes]] = []
    try:
        # One by one: whoever is there is ended, should the next one fail.
        children.extend(subprocess.Popen(SLEEP) for _ in range(count))
        yield count
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()


def cpu_ms(call: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the median and the worst CPU time of a call, in ms."""
    call()
    spent = []
    for _ in range(rounds):
        before = time.process_time()
        call()
        spent.append((time.process_time() - before) * 1_000)
    return statistics.median(spent), max(spent)


def by_psutil() -> list[object]:
    """Read the same by the library."""
    names = ["name", "status", "ppid", "cpu_times", "memory_info"]
    names += ["create_time", "num_threads"]
    return list(psutil.process_iter(names))


def two_stages(before: Snapshot) -> None:
    """Take a snapshot, and details of the largest."""
    found = take(before)
    keys = sorted(found.procs, key=lambda key: -found.procs[key].rss)
    details(keys[:DETAILED])


class Look(msgspec.Struct, frozen=True):
    """What one way to look costs, in milliseconds of CPU."""

    name: str
    median: float
    worst: float


def measure(processes: int, rounds: int) -> tuple[int, list[Look]]:
    """Return how many processes there were, and what each way took."""
    with crowd(processes):
        before = take()
        ways: tuple[tuple[str, Callable[[], object]], ...] = (
            ("stat of all", read_procs),
            ("snapshot: stat of all and totals", lambda: take(before)),
            (
                f"snapshot and details of {DETAILED}",
                lambda: two_stages(before),
            ),
            ("psutil, the same fields", by_psutil),
        )
        looks = [Look(name, *cpu_ms(call, rounds)) for name, call in ways]
        return len(before.procs), looks


def main(processes: int, rounds: int) -> None:
    """Measure each way, and print what it took."""
    count, looks = measure(processes, rounds)
    print(f"{count} processes; {rounds} rounds")
    print(f"{'':44}  median ms    worst ms    us/process")
    for one in looks:
        each = one.median * 1_000 / count
        print(
            f"{one.name:44} {one.median:10.1f} {one.worst:11.1f} {each:13.1f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=720)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    main(given.processes, given.rounds)
