"""Have children that ended, and never ask how."""

import contextlib
import os
import signal
import sys
from types import FrameType

from simulator.children import leash


def main() -> None:
    """Leave as many unreaped as told; reap them when it is over."""
    signal.signal(signal.SIGTERM, leave)
    # Not SIGKILL: they should be reaped by us, not left to pid 1.
    words = leash.take(signal.SIGTERM)
    made = 0
    try:
        for made in range(1, int(words["level"]) + 1):  # noqa: B007  counted
            if not os.fork():
                os._exit(0)
    except OSError as error:
        reap()
        leash.fail(f"only {made} children could be had: {error.strerror}")
    leash.ready()
    leash.stay()
    reap()


def leave(number: int, frame: FrameType | None) -> None:
    """End as asked, leaving none behind."""
    del number, frame
    reap()
    sys.exit(0)


def reap() -> None:
    """Ask how each child ended."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    main()
