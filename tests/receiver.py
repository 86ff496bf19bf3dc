"""A receiver of jobs, as a process of its own: what the webhook calls.

    python -m tests.receiver PORT LEDGER MODE

It counts what it really started in a file, so a test can prove what was
never started twice, also when it is killed and begins anew. The first part
of a path is the mode, such as /later/restart, else MODE is:

    done           200, it is over
    later          202 and a Location; over when it was asked twice
    later-N        the same, over after N seconds
    endless        202; runs until it is aborted
    lose           starts, and closes the line without an answer
    hang           starts, and answers after a minute
    error          starts, and says 500
    refuse, busy, conflict, redirect   422, 429, 409, 302: nothing is started
    elsewhere      202 with a Location on another host
    placeless      202, and nothing about where
    id             202 with an id in the body
    cursor         202; output comes in pieces, by cursor
    huge, slow, packed, garbage, odd   starts, and answers so

With RECEIVER_SECRET in the environment a wrong seal is answered with 401.
"""

import contextlib
import hmac
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

from tests.programs import free_port

HOME = Path(__file__).parent.parent
WAIT_SECONDS = 20.0
AGE_SECONDS = 300
REFUSALS = {"refuse": 422, "busy": 429, "conflict": 409, "redirect": 302}
PIECES = ("one\n", "two\n", "three\n")


class Book:
    """The ledger of a receiver: one line for all that happens."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._polls: dict[str, int] = {}

    def lines(self) -> list[dict[str, Any]]:
        """Return all that happened."""
        if not self._file.exists():
            return []
        text = self._file.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def find(self, key: str) -> dict[str, Any] | None:
        """Return the start of a job, or None."""
        return next(
            (
                e
                for e in self.lines()
                if (e["what"], e["key"]) == ("start", key)
            ),
            None,
        )

    def was(self, what: str, key: str) -> bool:
        """Tell whether something happened to a job."""
        return any(
            (entry["what"], entry["key"]) == (what, key)
            for entry in self.lines()
        )

    def note(self, what: str, key: str, **more: object) -> None:
        """Write a line, on disk before anybody is told."""
        line = {"what": what, "key": key, "at": time.time(), **more}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def start(self, key: str, mode: str, told: object) -> None:
        """Start a job, or note that it was asked for again."""
        with self._lock:
            what = "again" if self.find(key) else "start"
            self.note(what, key, mode=mode, told=told)

    def poll(self, key: str) -> int:
        """Count that somebody asked for a job."""
        with self._lock:
            self._polls[key] = self._polls.get(key, 0) + 1
            return self._polls[key]

    def report(self, key: str, polls: int, cursor: str = "") -> dict[str, Any]:
        """Return what is said of a job that was started."""
        entry = self.find(key)
        if entry is None:
            return {"key": key, "status": "never_started"}
        mode = entry["mode"]
        found = {"key": key, "status": "running", "output": "line 1\n"}
        if self.was("abort", key):
            return {**found, "status": "aborted", "reason": "told to"}
        if mode == "cursor":
            at = int(cursor or 0)
            is_over = at + 1 >= len(PIECES)
            status = "succeeded" if is_over else "running"
            piece = PIECES[at] if at < len(PIECES) else ""
            return {
                **found,
                "status": status,
                "output": piece,
                "cursor": at + 1,
            }
        seconds = mode.partition("-")[2]
        passed = time.time() - float(entry["at"])
        is_over = passed >= float(seconds) if seconds else polls >= 2
        if mode != "endless" and is_over:
            found |= {"status": "succeeded", "output": "line 1\nline 2\n"}
        return found


class Door(BaseHTTPRequestHandler):
    """Reads a request, and answers as the mode wants it."""

    book: Book
    mode: str
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take an order, or a word to a job."""
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        if not self._is_sealed(raw):
            return
        told = json.loads(raw)
        first = self._parts()[0]
        if first == "jobs":
            self.book.note("word", self._parts()[1], word=told["word"])
            self._answer(200, {})
        elif first == "abort":
            self.book.note("abort", told["key"], word=told["word"])
            self._answer(202, {})
        else:
            self._order(told["key"], told)

    def do_GET(self) -> None:
        """Say how a job goes on."""
        if not self._is_sealed(b""):
            return
        query = parse_qs(urlsplit(self.path).query)
        if self._parts()[0] == "find":
            key = query["key"][0]
            found = self.book.report(key, 0)
            entry = self.book.find(key)
            if entry is not None and entry["mode"] != "placeless":
                found["url"] = f"/jobs/{quote(key)}"
            self._answer(200, found)
            return
        key = self._parts()[-1]
        polls = self.book.poll(key)
        cursor = query.get("cursor", [""])[0]
        self._answer(200, self.book.report(key, polls, cursor))

    def do_DELETE(self) -> None:
        """Abort a job."""
        if self._is_sealed(b""):
            self.book.note("abort", self._parts()[-1])
            self._answer(204)

    def _order(self, key: str, told: object) -> None:
        """Take an order as the mode wants it."""
        first = self._parts()[0]
        mode = self.mode if first == "order" else first
        if mode in REFUSALS:
            self.book.note("refused", key)
            place = {"Location": "http://127.0.0.1:1/inside"}
            self._answer(REFUSALS[mode], {"error": f"no {mode}"}, place)
            return
        self.book.start(key, mode, told)
        if mode in ("lose", "hang"):
            time.sleep(60 if mode == "hang" else 0)
            self.close_connection = True
            return
        odd = ODD_ANSWERS.get(mode)
        if odd is not None:
            odd(self, key)
            return
        place = {"Location": f"/jobs/{quote(key)}"}
        self._answer(202, {"status": "running"}, place)

    def _parts(self) -> list[str]:
        """Return the parts of the path."""
        return urlsplit(self.path).path.strip("/").split("/")

    def _is_sealed(self, raw: bytes) -> bool:
        """Tell whether the seal is right; answer when it is not."""
        secret = os.environ.get("RECEIVER_SECRET")
        if not secret:
            return True
        text = raw or f"{self.command} {self.path}".encode()
        moment = self.headers.get("x-smokejumper-timestamp", "0")
        signed = moment.encode() + b"." + text
        right = hmac.new(secret.encode(), signed, "sha256").hexdigest()
        given = self.headers.get("x-smokejumper-signature", "")
        is_new = abs(time.time() - int(moment)) < AGE_SECONDS
        if is_new and hmac.compare_digest(f"sha256={right}", given):
            return True
        self._answer(401, {"error": "wrong seal"})
        return False

    def _answer(
        self,
        status: int,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Write an answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        raw = b"" if body is None else raw
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, text in (headers or {}).items():
                self.send_header(name, text)
            if status != 204:
                self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    def done(self, _: str) -> None:
        """Say that it is over."""
        self._answer(200, {"status": "succeeded", "output": "all\n"})

    def error(self, _: str) -> None:
        """Say that it went wrong, although it began."""
        self._answer(500, b"oops")

    def elsewhere(self, _: str) -> None:
        """Point at another host."""
        self._answer(202, {}, {"Location": "http://192.0.2.7/jobs/1"})

    def placeless(self, _: str) -> None:
        """Take the job, and say no more."""
        self._answer(202)

    def named(self, key: str) -> None:
        """Say what the job is called here."""
        self._answer(202, {"id": key})

    def huge(self, _: str) -> None:
        """Answer with more than anybody reads."""
        self._answer(200, {"status": "succeeded", "output": "x" * 5_000_000})

    def slow(self, _: str) -> None:
        """Answer one byte after the other."""
        with contextlib.suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            until = time.monotonic() + 60
            while time.monotonic() < until:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.1)

    def packed(self, _: str) -> None:
        """Answer with what could be a bomb."""
        self._answer(200, b"\x1f\x8b", {"Content-Encoding": "gzip"})

    def garbage(self, _: str) -> None:
        """Answer with a page for people."""
        self._answer(200, b"<html>please log in</html>")

    def odd(self, _: str) -> None:
        """Answer with a word that nobody knows."""
        self._answer(200, {"status": "splendid"})

    def log_message(self, *_: object) -> None:
        """Say nothing."""


ODD_ANSWERS = {
    "done": Door.done,
    "error": Door.error,
    "elsewhere": Door.elsewhere,
    "placeless": Door.placeless,
    "id": Door.named,
    "huge": Door.huge,
    "slow": Door.slow,
    "packed": Door.packed,
    "garbage": Door.garbage,
    "odd": Door.odd,
}


class Receiver:
    """The same as a process of its own; its ledger outlives it."""

    def __init__(
        self, folder: Path, mode: str = "later", secret: str = ""
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ledger = folder / "receiver.jsonl"
        self._mode = mode
        self._secret = secret
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Begin to listen."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self.kill()

    def start(self) -> None:
        """Start the process, and wait until it listens."""
        words = [sys.executable, "-m", "tests.receiver"]
        words += [str(self.port), str(self.ledger), self._mode]
        self._running = subprocess.Popen(
            words,
            cwd=HOME,
            env={**os.environ, "RECEIVER_SECRET": self._secret},
        )
        until = time.monotonic() + WAIT_SECONDS
        while not self._listens():
            assert self._running.poll() is None, "the receiver has ended"
            assert time.monotonic() < until, "the receiver does not listen"
            time.sleep(0.02)

    def kill(self) -> None:
        """End the process at once."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def noted(self, what: str, key: str | None = None) -> int:
        """Return how often something happened, to one job or to all."""
        return sum(
            entry["what"] == what and key in (None, entry["key"])
            for entry in Book(self.ledger).lines()
        )

    def starts(self, key: str | None = None) -> int:
        """Return how many jobs were really started."""
        return self.noted("start", key)

    def words(self, key: str) -> Iterator[str]:
        """Yield what a job was told."""
        for entry in Book(self.ledger).lines():
            if entry["what"] == "word" and entry["key"] == key:
                yield entry["word"]

    def _listens(self) -> bool:
        """Tell whether it answers."""
        try:
            urllib.request.urlopen(f"{self.url}/find?key=x", timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            return True
        except OSError:
            return False
        return True


def main() -> None:
    """Listen until the end."""
    port, ledger, mode = sys.argv[1:]
    Door.book = Book(Path(ledger))
    Door.mode = mode
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Door)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
