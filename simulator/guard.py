"""The guard: outlives the simulator, and undoes what it left behind.

It waits, in a session of its own, for the end of a pipe that only the
simulator holds. A simulator that ends as it should says so, and nothing is
left to do. Whatever else ends it, kill -9 too, the guard undoes what the
journal names, unless a new simulator was faster and has the folder.

    python -m simulator.guard FOLDER DISK < pipe
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from simulator.home import Home
from simulator.problem import Unable
from simulator.undoing import sweep

FAREWELL = b"bye"
READY = b"on guard"
START_SECONDS = 20.0
WAIT_SECONDS = 2.0
END_SECONDS = 10.0
PAUSE_SECONDS = 0.02
HERE = Path(__file__).resolve().parent.parent


class Guard:
    """The simulator's side of it: started, looked after, sent home."""

    def __init__(self, home: Path, disk: Path) -> None:
        """Take what it is to guard."""
        self._words = [str(home), str(disk)]
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return its pid, 0 while there is none."""
        return self._child.pid if self._child else 0

    def keep(self) -> None:
        """Start it, unless it is there; raise Unable where that fails."""
        if self._child is not None and self._child.poll() is None:
            return
        self._close()
        self._child = None
        try:
            self._child = self._start()
            # Until it says so, a signal to all of us would still end it.
            is_ready = self._is_ready(self._child.stdout)
        except OSError:
            is_ready = False
        if not is_ready:
            self.dismiss()
            raise Unable(
                "the guard could not be started, so nothing else is",
                remedy="Look whether this machine has room for a program",
            )

    def _start(self) -> "subprocess.Popen[bytes]":
        """Start its process."""
        program = [sys.executable, "-E", "-s", "-S", "-m", "simulator.guard"]
        return subprocess.Popen(  # noqa: S603  our own program
            [*program, *self._words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=HERE,
            start_new_session=True,
        )

    def dismiss(self, *, is_undone: bool = True) -> None:
        """Say that all is undone, and wait until it is gone.

        Without that word it undoes the rest, so the folder must be free.
        """
        if self._child is None:
            return
        is_there = self._child.poll() is None
        if is_undone and is_there and self._child.stdin is not None:
            with contextlib.suppress(OSError):
                os.write(self._child.stdin.fileno(), FAREWELL)
        child = self._child
        self._close()
        try:
            child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        self._child = None

    def _is_ready(self, out: IO[bytes] | None) -> bool:
        """Tell whether it says in time that it is there."""
        if out is None:
            return False
        told, _, _ = select.select([out], [], [], START_SECONDS)
        return bool(told) and bool(os.read(out.fileno(), len(READY)))

    def _close(self) -> None:
        """Close our end of the pipe."""
        if self._child is not None:
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    pipe.close()


def main() -> int:
    """Wait for the end of the simulator, then undo what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    home, disk = Path(sys.argv[1]), Path(sys.argv[2])
    # One that is gone already is told nothing, and undone all the same.
    with contextlib.suppress(OSError):
        os.write(1, READY)
    said = b""
    while chunk := os.read(0, 64):
        said += chunk
    if said == FAREWELL:
        return 0
    folder = Home(home)
    deadline = time.monotonic() + WAIT_SECONDS
    while not folder.try_to_take():
        # The simulator's lock may go a moment after its pipe. If somebody
        # keeps it, that is a new simulator, which has swept already.
        if time.monotonic() > deadline:
            return 0
        time.sleep(PAUSE_SECONDS)
    try:
        sweep(home, disk)
    finally:
        folder.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
