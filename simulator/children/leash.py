"""What every child holds to, so that none outlives its fault.

It ends when its input ends, when its parent is gone (Linux tells it so),
and when its own time is over, whatever else it does.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
MOST_WORDS = 65_536


def take(death: signal.Signals = signal.SIGKILL) -> dict[str, Any]:
    """Wait to be told what to do; end if nobody says it.

    Args:
        death: what Linux sends when the parent is gone.
    """
    line = b""
    while not line.endswith(b"\n") and len(line) < MOST_WORDS:
        chunk = os.read(0, 4096)
        if not chunk:
            sys.exit(0)
        line += chunk
    words: dict[str, Any] = json.loads(line)
    # The kernel's own end of this process: no code of ours is needed.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(max(1, int(words["seconds"])))
    _prctl(PR_SET_PDEATHSIG, int(death))
    _prctl(PR_SET_NAME, str(words["name"]).encode()[:15])
    # A parent that was gone before the line above tells nobody.
    if os.getppid() != words["parent"]:
        sys.exit(0)
    _be_first_to_go()
    return words


def ready() -> None:
    """Say that the trouble is under way."""
    os.write(1, b"ready\n")


def fail(why: str) -> NoReturn:
    """Say why there is no trouble, and end."""
    with contextlib.suppress(OSError):
        os.write(1, f"{why}\n".encode())
    sys.exit(1)


def is_over(seconds: float = 0.0) -> bool:
    """Tell whether the input has ended; wait for it that long at most."""
    readable, _, _ = select.select([0], [], [], seconds)
    return bool(readable) and not os.read(0, 4096)


def stay() -> None:
    """Wait until the input has ended."""
    while os.read(0, 4096):
        continue


def _prctl(what: int, value: int | bytes) -> None:
    """Ask something of Linux; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def _be_first_to_go() -> None:
    """Let the kernel end this one first, should memory run out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
