"""A system on loopback that answers as a test says."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self


class Asked(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Asked], tuple[int, bytes]]


class Listener:
    """Answers each request, and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[Asked] = []
        listener = self

        class Door(BaseHTTPRequestHandler):
            """Hands each request on."""

            def _answer(self) -> None:
                """Answer one request."""
                size = int(self.headers.get("content-length") or 0)
                headers = {k.lower(): v for k, v in self.headers.items()}
                asked = Asked(
                    self.command, self.path, headers, self.rfile.read(size)
                )
                listener.asked.append(asked)
                status, body = answer(asked)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        for method in ("do_GET", "do_POST"):
            setattr(Door, method, Door._answer)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,)
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
