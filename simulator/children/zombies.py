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
    born: list[int] = []
    try:
        while len(born) < int(words["level"]):
            if not (child := os.fork()):
                os._exit(0)
            born.append(child)
    except OSError as error:
        reap()
        leash.fail(f"only {len(born)} children could be had: {error.strerror}")
    # Until its turn comes to end, a child is one more process of our name.
    # macOS can be asked so from Python 3.13 on only.
    if hasattr(os, "waitid"):
        for child in born:
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
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
