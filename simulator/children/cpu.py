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
    use, rest = burn, 0.0
    if words.get("rests"):
        use, rest = work, (1 - share) * WINDOW_SECONDS
    leash.ready()
    while not leash.is_over(rest):
        use(share)


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


def work(share: float) -> None:
    """Want a share of one window of time, got or not; main() rests then.

    One that makes up for what it did not get would want the CPU without end
    on a machine that is full, as a runaway does.
    """
    end = time.monotonic() + share * WINDOW_SECONDS
    while time.monotonic() < end:
        sum(range(500))


if __name__ == "__main__":
    main()
