"""One run of a dummy service: started, looked at, stopped, ended."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, NamedTuple

from simulator.dummy import Spool

DUMMY = Path(__file__).with_name("dummy.py")
MOST_LOG_BYTES = 64 * 1024
START_SECONDS = 10.0
END_SECONDS = 2.0
TAIL_BYTES = 2_000


class Place(NamedTuple):
    """Where a service lives.

    Attributes:
        name: the service's.
        folder: where its mood and its log are.
        programs: how the name of its process begins.
    """

    name: str
    folder: Path
    programs: str = "sim"

    @property
    def program(self) -> str:
        """Return what its process is called."""
        return f"{self.programs}-{self.name}"

    @property
    def mood(self) -> Path:
        """Return the file that says how it behaves."""
        return self.folder / f"{self.name}.json"

    @property
    def state(self) -> Path:
        """Return the file in which its keeper says how it is."""
        return self.folder / f"{self.name}.state"

    @property
    def log(self) -> Path:
        """Return the file with what it said."""
        return self.folder / f"{self.name}.log"

    def last_words(self) -> str:
        """Return the last line of its log."""
        try:
            said = self.log.read_bytes()[-TAIL_BYTES:]
        except OSError:
            return ""
        lines = said.decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")

    def clear(self) -> None:
        """Leave nothing of it behind."""
        for path in (self.mood, self.log, self.state):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


class Kept:
    """A dummy that runs, or ran.

    Start it in a thread that stays: on Linux it ends with that thread.
    """

    def __init__(self, place: Place, spool: Spool, port: int) -> None:
        """Start it, and return when it listens or has ended."""
        self._place = place
        with _open_log(place.log) as log:
            self._child = subprocess.Popen(  # noqa: S603 (our own program)
                _command(place, spool, port),
                executable=os.path.realpath(sys.executable),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={},
                # A Ctrl-C in the terminal is the keeper's alone.
                process_group=0,
            )
        self.began = time.monotonic()
        self.port = self._read_port()
        self.is_frozen = False
        if not self.port:
            self.end()

    @property
    def pid(self) -> int:
        """Return the number of its process."""
        return self._child.pid

    @property
    def exit_status(self) -> int | None:
        """Return how it ended, None while it runs."""
        return self._child.poll()

    def freeze(self) -> None:
        """Stop it in the middle of what it does (SIGSTOP)."""
        self._send(signal.SIGSTOP)
        self.is_frozen = True

    def thaw(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)
        self.is_frozen = False

    def end(self) -> None:
        """End it, politely first."""
        self._send(signal.SIGTERM)
        self.thaw()
        try:
            self._child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                stream.close()

    def _send(self, sign: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(sign)

    def _read_port(self) -> int:
        """Return where it listens, 0 when it has ended before."""
        said = b""
        deadline = time.monotonic() + START_SECONDS
        stream = self._child.stdout
        assert stream is not None  # noqa: S101 (asked for above)
        while not said.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                return 0
            more = os.read(stream.fileno(), 64)
            if not more:
                return 0
            said += more
        return int(said)


def _command(place: Place, spool: Spool, port: int) -> list[str]:
    """Return the words that start it, its name first."""
    # Called so, Python looks for its library beside the true program.
    name = str(Path(sys.base_prefix) / "bin" / place.program)
    return [
        name,
        "-I",
        "-S",
        str(DUMMY),
        place.name,
        f"--mood={place.mood}",
        f"--spool={spool.folder}",
        f"--spool-write={spool.write}",
        f"--spool-most={spool.most}",
        f"--port={port}",
        f"--title={place.program}",
    ]


def _open_log(path: Path) -> IO[bytes]:
    """Open a log to write at its end; one that has grown begins anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    has_grown = path.exists() and path.stat().st_size > MOST_LOG_BYTES
    return path.open("wb" if has_grown else "ab")
