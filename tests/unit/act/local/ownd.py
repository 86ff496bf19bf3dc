"""A daemon with a process id file: start, stop, restart, status, no shell.

It is run by the tests as a program of its own: ``ownd.py FOLDER VERB``.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

PATIENCE_SECONDS = 20.0


def find(file: Path) -> int:
    """Return the process that a file names and that runs, or 0."""
    try:
        pid = int(file.read_text())
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except (OSError, ValueError):
        return 0
    return 0 if state.split()[0] == "Z" else pid


def start(folder: Path) -> None:
    """Leave a daemon behind that keeps all that it was given open."""
    if os.fork():
        # What asks may ask at once.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not find(folder / "pid") and time.monotonic() < deadline:
            if (folder / "gone").exists():
                break
            time.sleep(0.01)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    own = folder / f"pid-{os.getpid()}"
    own.write_text(str(os.getpid()))
    own.rename(folder / "pid")
    # Nobody leaves it behind for ever.
    signal.alarm(300)
    # Looked for after its name is there: who ends all finds the one or the
    # other.
    while not (folder / "gone").exists():
        # It would fall over a pipe that nobody reads any more.
        os.write(1, b"alive\n")
        time.sleep(0.05)


def stop(folder: Path) -> None:
    """Return once it has ended; a restart that still runs may start one."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while pid := find(folder / "pid"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {pid} does not end")
        time.sleep(0.01)


def end(folder: Path) -> None:
    """Return once it has ended; whoever is started later ends at once."""
    (folder / "gone").touch()
    stop(folder)


def main(folder: Path, verb: str) -> int:
    """Do what is asked; the status says how it went."""
    pid = find(folder / "pid")
    if verb == "status":
        sys.stdout.write(f"process {pid}\n" if pid else "no process\n")
        return 0 if pid else 3
    if (folder / "broken").exists():
        return 1
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (folder / "slow").exists() and time.monotonic() < deadline:
        (folder / "begun").touch()
        time.sleep(0.01)
    stop(folder)
    if verb == "restart":
        start(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
