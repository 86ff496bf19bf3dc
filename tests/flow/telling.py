"""A service that tells people, and who is told: real servers."""

import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx

from tests.flow.decider_main import ACTION
from tests.flow.deciding import DecidingService, firing

QUICK = {"first_seconds": 0.05, "most_seconds": 0.2}
Letter = dict[str, Any]


class Pager:
    """An HTTP server that takes letters, or answers as the test says.

    Attributes:
        status: what it answers now.
        calls: each call with what was answered: the letter, the status.
        came: when a letter came last, by its key, on a clock of its own.
    """

    def __init__(self) -> None:
        self.status = 200
        self.calls: list[tuple[Letter, int]] = []
        self.came: dict[str, float] = {}
        self.may_answer = threading.Event()
        self.may_answer.set()
        pager = self

        class Door(BaseHTTPRequestHandler):
            """Notes what comes, and answers."""

            def do_POST(self) -> None:
                """Take what is posted."""
                size = int(self.headers.get("content-length") or 0)
                letter = json.loads(self.rfile.read(size))
                assert letter["key"] == self.headers["idempotency-key"]
                pager.came[letter["key"]] = time.monotonic()
                pager.calls.append((letter, pager.status))
                pager.may_answer.wait(60)
                self.send_response(pager.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        """Open the door."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Shut it."""
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def letters(self) -> list[Letter]:
        """Return what was taken, in its order."""
        return [letter for letter, status in self.calls if status < 300]

    @property
    def channel(self) -> dict[str, Any]:
        """Return the settings of a channel that leads here."""
        port = self._server.server_address[1]
        return {
            "kind": "webhook",
            "url": f"http://127.0.0.1:{port}/letters",
            "secret": "a-secret-of-this-test",
            "allow": ["127.0.0.0/8"],
        }


class TellingService(DecidingService):
    """A service whose brain hands every incident over to people."""

    def __init__(
        self,
        folder: Path,
        channels: Mapping[str, Mapping[str, Any]],
        report: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        policy = folder / "policy.yaml"
        policy.write_text("blast: {siblings: 1000, targets: 1000}\n")
        tree = {
            "channels": dict(channels),
            "report": {"retries": QUICK, **(report or {})},
            "policy": {"file": str(policy)},
            **(settings or {}),
        }
        super().__init__(folder, tree)
        self._environ[ACTION] = "escalate"

    def hand_over(self, *hosts: str) -> None:
        """Let something be wrong with hosts that people get."""
        self.fire(*(firing(host) for host in hosts))

    def ways(self, **query: Any) -> list[dict[str, Any]]:
        """Return the dispatches that are listed, newest first."""
        query = {"limit": 500, **query}
        return list(self.get("/dispatches", **query)["items"])

    def post(self, path: str, body: Any) -> httpx.Response:
        """Return what the API answers to what somebody wants."""
        url = f"{self.url}/api/v1{path}"
        return httpx.post(url, json=body, timeout=60)

    def incident_of(self, host: str) -> int:
        """Return the incident of a host."""
        query = {"target_name": host}
        self.wait_for(lambda: self.get("/incidents", **query)["items"])
        return int(self.get("/incidents", **query)["items"][0]["id"])
