"""A bad line to Smokejumper: it refuses, loses or holds back answers."""

import threading
from collections import deque
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self

import httpx

# refuse: answer 503, pass nothing on; lose: pass it on, hang up without an
# answer; hold: pass it on, keep the answer until the line is closed.
Fault = Literal["refuse", "lose", "hold"]
HELD_AT_MOST_SECONDS = 60.0


class BadLine:
    """Passes requests on; the first ones meet one fault each."""

    def __init__(self, target: str, faults: Iterable[Fault]) -> None:
        self.target = target
        self.faults = deque(faults)
        self.met: list[Fault | None] = []
        self.bodies: list[bytes] = []
        self.statuses: list[int] = []
        self.closing = threading.Event()
        line = self

        class Request(BaseHTTPRequestHandler):
            """One request on this line."""

            def do_POST(self) -> None:
                """Pass it on, unless a fault comes first."""
                line.take(self)

            def log_message(self, *_: object) -> None:
                """Say nothing: the test looks at what was met."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self._server.daemon_threads = False  # closing waits for all answers
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Do to a request what is next."""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        fault = self.faults.popleft() if self.faults else None
        self.met.append(fault)
        self.bodies.append(body)
        request.close_connection = True
        if fault == "refuse":
            request.send_error(503)
            return
        answer = httpx.post(
            self.target + request.path,
            content=body,
            headers={"Content-Type": request.headers["Content-Type"]},
        )
        self.statuses.append(answer.status_code)
        if fault == "hold":
            self.closing.wait(HELD_AT_MOST_SECONDS)
        if fault is not None:
            return
        request.send_response(answer.status_code)
        request.send_header("Content-Length", str(len(answer.content)))
        request.end_headers()
        request.wfile.write(answer.content)

    def __enter__(self) -> Self:
        """Open the line."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up on everybody."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
