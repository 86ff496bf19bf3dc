"""A scripted HTTP server: what all fakes of model servers share."""

import json
import os
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from app.core.line import ONLY_TO

PATIENCE_SECONDS = 30.0


class Reply:
    """One answer of a server: a status, a body, and how it goes wrong."""

    def __init__(
        self,
        body: Any = None,
        status: int = 200,
        *,
        headers: Mapping[str, str] | None = None,
        is_cut: bool = False,
        wait: threading.Event | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.status = status
        self.headers = dict(headers or {})
        self.is_cut = is_cut
        self.wait = wait
        self.patience = patience
        self.raw = (
            body if isinstance(body, bytes) else json.dumps(body).encode()
        )


class Asked:
    """One request that came in."""

    def __init__(
        self, method: str, path: str, headers: Mapping[str, str], raw: bytes
    ) -> None:
        self.method = method
        self.path = path
        self.headers = {name.lower(): text for name, text in headers.items()}
        self.raw = raw

    @property
    def body(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.raw) if self.raw else None


class FakeServer:
    """Listens on a free port; what it answers, a subclass tells."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), _make_handler(self._take, self._count)
        )
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,)
        )
        self.netloc = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.netloc}"

    def answer(self, asked: Asked) -> Reply:
        """Return what is answered to a request."""
        raise NotImplementedError

    def _take(self, asked: Asked) -> Reply:
        """Note a request and answer it."""
        self.asked.append(asked)
        return self.answer(asked)

    def _count(self, step: int) -> None:
        """Count the answers that are under way."""
        with self._lock:
            self._now += step
            self.most_at_once = max(self.most_at_once, self._now)

    def paths(self) -> list[str]:
        """Return what was asked for, in order."""
        return [asked.path for asked in self.asked]

    def __enter__(self) -> Self:
        """Listen, and be on the list of what tests may call."""
        self._thread.start()
        listed = os.environ.get(ONLY_TO, "")
        os.environ[ONLY_TO] = f"{listed},{self.netloc}".strip(",")
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running, and nothing on the list."""
        listed = os.environ.get(ONLY_TO, "").split(",")
        kept = [netloc for netloc in listed if netloc != self.netloc]
        os.environ[ONLY_TO] = ",".join(kept)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _make_handler(
    take: Callable[[Asked], Reply], count: Callable[[int], None]
) -> type[BaseHTTPRequestHandler]:
    """Return what answers the requests of one connection."""

    class Handler(BaseHTTPRequestHandler):
        """Reads a request, asks the script, writes the answer."""

        def _answer(self) -> None:
            """Answer one request."""
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length)
            asked = Asked(self.command, self.path, dict(self.headers), raw)
            reply = take(asked)
            count(1)
            if reply.wait is not None:
                reply.wait.wait(reply.patience)
            count(-1)
            try:
                self._write(reply)
            except OSError:
                return  # whoever asked went away

        def _write(self, reply: Reply) -> None:
            """Write an answer, or only its first half."""
            self.send_response(reply.status)
            kind = {"content-type": "application/json"}
            for name, text in (kind | reply.headers).items():
                self.send_header(name, text)
            self.send_header("content-length", str(len(reply.raw)))
            self.end_headers()
            half = len(reply.raw) // 2
            self.wfile.write(reply.raw[:half] if reply.is_cut else reply.raw)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    for method in ("do_GET", "do_POST"):
        setattr(Handler, method, Handler._answer)
    return Handler
