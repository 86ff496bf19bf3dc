"""Hold memory, all at once or more and more, up to a cap."""

import contextlib
import mmap
import resource
import sys
import time
from pathlib import Path

from simulator.children import leash

MB = 1024 * 1024
# What the interpreter itself may need besides.
SPARE_BYTES = 32 * MB
STEP_SECONDS = 0.1


def main() -> None:
    """Take memory as told, and hold it until it is over."""
    words = leash.take()
    cap = int(words["cap_mb"])
    limit(cap * MB + SPARE_BYTES)
    held: list[mmap.mmap] = []
    if words["shape"] == "step":
        if grow(held, int(words["level"]), cap) < int(words["level"]):
            leash.fail("the memory could not be had")
        leash.ready()
    else:
        leak(held, int(words["level"]) / 60, cap)
    leash.stay()


def leak(held: list[mmap.mmap], rate: float, cap: int) -> None:
    """Take so many MB a second until the cap is reached."""
    begun = time.monotonic()
    grow(held, 1, cap)
    leash.ready()
    while len(held) < cap and not leash.is_over(STEP_SECONDS):
        due = int(rate * (time.monotonic() - begun)) - len(held)
        if due > 0 and not grow(held, due, cap):
            return


def grow(held: list[mmap.mmap], count: int, cap: int) -> int:
    """Take so many MB more, each page really written; return how many."""
    before = len(held)
    for _ in range(min(count, cap - before)):
        try:
            # Private, so that it is this process' own and nobody's cache.
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
            block = mmap.mmap(-1, MB, flags=flags)
        except (OSError, MemoryError):
            break
        block.write(b"\xa5" * MB)
        held.append(block)
    return len(held) - before


def limit(bytes_more: int) -> None:
    """Let the kernel hold this process to its cap, where it can."""
    if sys.platform != "linux":
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * mmap.PAGESIZE + bytes_more
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
