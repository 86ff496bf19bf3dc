"""Use a share of one core, and no more."""

import os
import time

from simulator.children import leash

WINDOW_SECONDS = 1.0
SLICE_SECONDS = 0.02


def main() -> None:
    """Be busy until the leash says that it is over."""
    words = leash.take()
    os.nice(int(words["nice"]))
    share = int(words["level"]) / 100
    leash.ready()
    while not leash.is_over():
        burn(share)


def burn(share: float) -> None:
    """Use a share of one core for one window of time.

    What others took from it in one window is not made up for in the next.
    """
    begun, used = time.monotonic(), time.thread_time()
    while (passed := time.monotonic() - begun) < WINDOW_SECONDS:
        owed = share * passed - (time.thread_time() - used)
        if owed < 0:
            time.sleep(SLICE_SECONDS / 4)
            continue
        until = time.thread_time() + SLICE_SECONDS * share
        while time.thread_time() < until:
            sum(range(500))


if __name__ == "__main__":
    main()
