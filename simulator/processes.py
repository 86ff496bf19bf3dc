"""A process and nobody else: its pid together with when it was born.

Standard library only: the guard uses it too.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

PROC = Path("/proc")
BOOT = PROC / "sys/kernel/random/boot_id"
PAUSE_SECONDS = 0.01


def birth_of(pid: int) -> str:
    """Return what no other process of this pid has; empty when none is.

    On Linux that is the boot and the tick of its start, elsewhere what ps
    says of its start. One that has ended and waits to be reaped is none.
    """
    if pid <= 0:
        return ""
    if not BOOT.exists():
        return _birth_by_ps(pid)
    try:
        stat = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return ""
    # The name stands in brackets and may hold anything, brackets too.
    rest = stat.rpartition(")")[2].split()
    if len(rest) < 20 or rest[0] in "ZX":
        return ""
    return f"{BOOT.read_text().strip()}:{rest[19]}"


def _birth_by_ps(pid: int) -> str:
    """Return what ps says of a process' start."""
    program = shutil.which("ps")
    if program is None:
        return ""
    said = subprocess.run(  # noqa: S603  fixed words, no shell
        [program, "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        timeout=5,
    )
    state, _, start = said.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else start.strip()


def end_process(pid: int, birth: str, seconds: float = 5.0) -> bool:
    """Kill a process if it still is the one that was meant.

    Returns:
        Whether it is not there any more.
    """
    if not birth or birth_of(pid) != birth:
        return True
    _signal(pid, birth)
    deadline = time.monotonic() + seconds
    while birth_of(pid) == birth:
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_SECONDS)
    return True


def _signal(pid: int, birth: str) -> None:
    """Send SIGKILL to that very process."""
    try:
        if not hasattr(os, "pidfd_open"):
            os.kill(pid, signal.SIGKILL)
            return
        held = os.pidfd_open(pid)
    except OSError:
        return
    try:
        # It is held now, so its pid cannot become somebody else's.
        if birth_of(pid) == birth:
            signal.pidfd_send_signal(held, signal.SIGKILL)
    except OSError:
        return
    finally:
        os.close(held)
