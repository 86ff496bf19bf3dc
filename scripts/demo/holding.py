"""What a demo holds while it runs: its ports, and folders that go with it."""

import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from scripts.demo.programs import Broken
from scripts.demo.stage import ADDRESS, HOME

WAIT_SECONDS = 70.0
# The simulator keeps its services on no port that is higher.
LAST_PORT = 65_000


def hold_ports(first: int, count: int, stack: ExitStack) -> list[int]:
    """Return ports of this machine that are free, from a number on.

    Two demos that start at once must not take the same. Each holds UDP's
    port of the same number, which nobody uses, until its stack ends.

    Raises:
        Broken: so many are not free there.
    """
    found: list[int] = []
    for port in range(first, LAST_PORT + 1):
        if len(found) == count:
            break
        if not _can_listen(port):
            continue
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind((ADDRESS, port))
        except OSError:
            mark.close()
            continue
        stack.callback(mark.close)
        found.append(port)
    if len(found) < count:
        raise Broken(
            f"from port {first} on there are no {count} that are free."
            " Choose another with --port."
        )
    return found


def _can_listen(port: int) -> bool:
    """Return whether a server could bind it, as ours will, right now.

    Nobody need listen there: a connection to elsewhere may have it, too.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
        return True


class Janitor:
    """Removes folders when the demo is gone, also when it was killed."""

    def __init__(self, *folders: Path) -> None:
        """Begin to wait for the end of the demo."""
        script = HOME / "scripts" / "demo" / "janitor.py"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script), *map(str, folders)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is for the demo.
            start_new_session=True,
        )

    def wait_for(self, pid: int) -> None:
        """Take a program that must have ended before."""
        if self._process.stdin is not None:
            self._process.stdin.write(b"%d\n" % pid)
            self._process.stdin.flush()

    def close(self) -> None:
        """Remove the folders now."""
        with suppress(subprocess.TimeoutExpired):
            self._process.communicate(timeout=WAIT_SECONDS)
