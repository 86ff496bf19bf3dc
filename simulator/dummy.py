"""A service that can be broken: what the simulator keeps as "shop".

A program of its own, standard library only; the keeper (keeping.py) starts
it with ``python -I -S``. It answers /health and /metrics on 127.0.0.1, as
FOLDER/NAME.json says:

    {"mode": "ok|500|slow|hang|crash|writes", "skew_seconds": 0}

(stopped and frozen are modes for its keeper: here they change nothing.)
At its start it writes a file into its spool and removes it again, so that
it cannot start where the disk is full; in the mode "writes" it goes on to do
so, and ends when it cannot. It ends with whoever holds the other
end of its input. Its exit status says why it did not start, and its last
line of stderr says it in words.
"""

import argparse
import contextlib
import ctypes
import email.utils
import errno
import http.server
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

STOPPED, FROZEN = "stopped", "frozen"
WRITES = "writes"
MODES = ("ok", "500", "slow", "hang", "crash", WRITES, STOPPED, FROZEN)
# In these it is well, as far as whoever asks it can tell.
FINE = ("ok", WRITES)
WRITE_SECONDS = 0.5
SPOOL_BYTES = 64 * 1024
BLOCK = 512
SLOW_SECONDS = 5.0
HANG_SECONDS = 60.0
LOOK_SECONDS = 0.1
CLIENT_SECONDS = 10.0
MOST_CONNECTIONS = 64
PR_SET_PDEATHSIG = 1
MOST_SKEW = 10 * 365 * 86_400.0
CRASHED, NO_SPACE, NOT_BOUND = 1, 3, 4


class Mood(NamedTuple):
    """How it is to behave now."""

    mode: str = "ok"
    skew_seconds: float = 0.0


def read_mood(path: Path) -> Mood:
    """Return what a file says; what is not understood is nothing wrong."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        mode, skew = str(said["mode"]), float(said.get("skew_seconds", 0.0))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Mood()
    if mode not in MODES or not -MOST_SKEW <= skew <= MOST_SKEW:
        return Mood()
    return Mood(mode, skew)


class NoSpace(Exception):
    """The spool takes nothing more."""


class Spool(NamedTuple):
    """Where it writes at its start.

    Attributes:
        folder: made when it is not there.
        write: how many bytes it needs there.
        most: what the folder may hold, 0 where its file system says.
    """

    folder: Path
    write: int = SPOOL_BYTES
    most: int = 0

    def try_out(self, name: str) -> None:
        """Write what is needed and remove it, or raise NoSpace."""
        path = self.folder / f"{name}.spool"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if self.most and _size(self.folder) + self.write > self.most:
                raise NoSpace(f"{self.folder} may hold {self.most} bytes")
            with path.open("wb") as file:
                file.write(bytes(self.write))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoSpace(f"{self.folder}: {error.strerror}") from error
            raise
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _size(folder: Path) -> int:
    """Return how many bytes the files below a folder take on the disk."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                # A walk gives strings.
                path = os.path.join(place, name)  # noqa: PTH118
                total += os.lstat(path).st_blocks * BLOCK
    return total


class Shop(http.server.ThreadingHTTPServer):
    """The server; it counts what it answers."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, name: str, port: int, mood_file: Path) -> None:
        """Listen on a port of this machine."""
        super().__init__(("127.0.0.1", port), Answerer)
        self.name = name
        self.began_at = time.time()
        self.answered: dict[int, int] = {}
        self._mood_file = mood_file
        self._counting = threading.Lock()
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def mood(self) -> Mood:
        """Return how it is to behave now."""
        return read_mood(self._mood_file)

    def count(self, status: int) -> None:
        """Count an answer."""
        with self._counting:
            self.answered[status] = self.answered.get(status, 0) + 1

    def metrics(self, mood: Mood) -> str:
        """Return its figures as Prometheus reads them."""
        label = f'service="{self.name}"'
        clock = f"{time.time() + mood.skew_seconds:.3f}"
        with self._counting:
            answered = sorted(self.answered.items())
        lines = [
            "# HELP sim_service_up Whether the service is fine.",
            "# TYPE sim_service_up gauge",
            f"sim_service_up{{{label}}} {int(mood.mode in FINE)}",
            "# HELP sim_service_start_time_seconds When it was started.",
            "# TYPE sim_service_start_time_seconds gauge",
            f"sim_service_start_time_seconds{{{label}}} {self.began_at:.3f}",
            "# HELP sim_service_clock_seconds What its clock says.",
            "# TYPE sim_service_clock_seconds gauge",
            f"sim_service_clock_seconds{{{label}}} {clock}",
            "# HELP sim_service_requests_total What it has answered.",
            "# TYPE sim_service_requests_total counter",
        ]
        lines += [
            f'sim_service_requests_total{{{label},code="{code}"}} {count}'
            for code, count in answered
        ]
        return "\n".join([*lines, ""])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own while there is room for one."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(
        self, request: Any, client_address: Any
    ) -> None:
        """Make room again when a connection has ended."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about whoever goes away before the answer."""


class Answerer(http.server.BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Shop
    timeout = CLIENT_SECONDS

    def do_GET(self) -> None:
        """Answer as the mode says."""
        mood = self.server.mood()
        path = self.path.partition("?")[0]
        if path not in ("/health", "/metrics"):
            self._say(404, "text/plain", "There is /health and /metrics.\n")
            return
        if mood.mode == "hang":
            time.sleep(HANG_SECONDS)
            return
        if path == "/metrics":
            kind = "text/plain; version=0.0.4"
            self._say(200, kind, self.server.metrics(mood))
            return
        if mood.mode == "slow":
            time.sleep(SLOW_SECONDS)
        is_fine = mood.mode != "500"
        word = "ok" if is_fine else "broken"
        body = json.dumps({"service": self.server.name, "status": word})
        self._say(200 if is_fine else 500, "application/json", body + "\n")

    def _say(self, status: int, kind: str, text: str) -> None:
        """Send an answer."""
        self.server.count(status)
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the date of an answer: by its clock, which may be wrong."""
        if timestamp is None:
            timestamp = time.time() + self.server.mood().skew_seconds
        return email.utils.formatdate(timestamp, usegmt=True)

    # The name of the parameter is http.server's.
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Write no line per request."""


def die(name: str, status: int, words: str) -> NoReturn:
    """Say why, and end at once: the keeper is to see it."""
    sys.stderr.write(f"{name}: {words}\n")
    sys.stderr.flush()
    os._exit(status)


def watch_input(name: str) -> None:
    """End when whoever started this one has ended."""
    # Not sys.stdin: its lock would be held when this one ends otherwise.
    while os.read(0, 4096):
        pass
    die(name, 0, "whoever kept it is gone")


def watch_mood(name: str, mood_file: Path) -> None:
    """End as a crash does when the mode says so."""
    while True:
        if read_mood(mood_file).mode == "crash":
            die(name, CRASHED, "it crashes, as its mode says")
        time.sleep(LOOK_SECONDS)


def watch_spool(name: str, mood_file: Path, spool: Spool) -> None:
    """End when it shall write, and the spool takes nothing more."""
    while True:
        time.sleep(WRITE_SECONDS)
        if read_mood(mood_file).mode != WRITES:
            continue
        try:
            spool.try_out(name)
        except (NoSpace, OSError) as error:
            die(name, NO_SPACE, f"it cannot go on: no space left: {error}")


def name_comm(name: str) -> None:
    """Give this one its name where the kernel shows one (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name, encoding="utf-8")


def end_with_parent() -> None:
    """Have the kernel end this one with its parent, even while stopped.

    Linux only; elsewhere the end of the input does it, once it runs.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))


def main(given: list[str] | None = None) -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser("sim-service", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--mood", type=Path, required=True)
    parser.add_argument("--spool", type=Path, required=True)
    parser.add_argument("--spool-write", type=int, default=SPOOL_BYTES)
    parser.add_argument("--spool-most", type=int, default=0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--title", default="")
    asked = parser.parse_args(given)
    name = asked.name
    name_comm((asked.title or f"sim-{name}")[:15])
    end_with_parent()
    if read_mood(asked.mood).mode == "crash":
        die(name, CRASHED, "it crashes at its start, as its mode says")
    spool = Spool(asked.spool, asked.spool_write, asked.spool_most)
    try:
        spool.try_out(name)
        shop = Shop(name, asked.port, asked.mood)
    except NoSpace as error:
        die(name, NO_SPACE, f"it cannot start: no space left: {error}")
    except OSError as error:
        die(name, NOT_BOUND, f"it cannot start: {error}")
    serve(shop, asked.mood, spool)


def serve(shop: Shop, mood_file: Path, spool: Spool) -> None:
    """Say where it listens, and answer until told to stop."""
    name = shop.name
    for watch in (
        threading.Thread(target=watch_input, args=(name,), daemon=True),
        threading.Thread(
            target=watch_mood, args=(name, mood_file), daemon=True
        ),
        threading.Thread(
            target=watch_spool, args=(name, mood_file, spool), daemon=True
        ),
    ):
        watch.start()
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    # The keeper reads this.
    sys.stdout.write(f"{shop.server_port}\n")
    sys.stdout.flush()
    shop.serve_forever(poll_interval=0.5)


def leave(_sign: int, _frame: object) -> None:
    """End at once: nothing is left to put away."""
    os._exit(0)


if __name__ == "__main__":
    main()
