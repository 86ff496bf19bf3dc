"""What channels talk to in tests: a real HTTP and a real SMTP server."""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

ANSWERS: dict[str, tuple[int, dict[str, str]]] = {
    "/ok": (200, {}),
    "/placed": (201, {"Location": "/letters/7"}),
    "/busy": (429, {"Retry-After": "17"}),
    "/never": (429, {"Retry-After": "999999999999"}),
    "/odd": (429, {"Retry-After": "soon"}),
    "/resting": (503, {"Retry-After": "30"}),
    "/broken": (500, {}),
    "/gone": (410, {}),
    "/elsewhere": (302, {"Location": "/ok"}),
}
# What was taken has a name; a pager says so in its own words.
TAKEN = b'{"id": "m-1", "requestId": "r-1"}'


class Receiver:
    """An HTTP server: the path says how it behaves.

    Attributes:
        url: where it is.
        got: what came: the path, the headers in small letters, the body.
        came: set when something came.
        release: set to let those go on that hang on /hang.
    """

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.came = threading.Event()
        self.release = threading.Event()
        receiver = self

        class Door(BaseHTTPRequestHandler):
            """Notes what comes, and answers as the path wants it."""

            def do_POST(self) -> None:
                """Take what is posted."""
                size = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(size)
                names = {k.lower(): v for k, v in self.headers.items()}
                receiver.got.append((self.path, names, body))
                receiver.came.set()
                if self.path == "/close":
                    self.close_connection = True
                    return
                if self.path == "/hang":
                    receiver.release.wait(60)
                status, headers = ANSWERS.get(self.path, (200, {}))
                text = TAKEN if status < 300 else b"no, not now"
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                length = 10**6 if self.path == "/drip" else len(text)
                self.send_header("Content-Length", str(length))
                with contextlib.suppress(OSError):
                    self.end_headers()
                    self._drip()
                    self.wfile.write(text)

            def _drip(self) -> None:
                """Write so little at a time that no reader gives up."""
                while self.path == "/drip" and not receiver.release.is_set():
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    receiver.release.wait(0.05)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        """Let everybody go, and end."""
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Postbox:
    """Takes mail; refuses that to people whose name begins with ``no``.

    Attributes:
        mails: what came.
        sealed: of each, whether it came through TLS.
    """

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.sealed: list[bool] = []

    async def handle_RCPT(  # noqa: N802 (the server calls it so)
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take or refuse one person."""
        if address.startswith("no"):
            return "550 nobody here"
        if address.startswith("later"):
            return "451 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (the server calls it so)
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take a mail."""
        self.mails.append(envelope)
        self.sealed.append(session.ssl is not None)
        return "250 taken"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Give an HTTP server, as long as it is needed."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


@contextmanager
def collecting(
    port: int, sealing: ssl.SSLContext | None = None
) -> Iterator[Postbox]:
    """Give an SMTP server, as long as it is needed.

    Args:
        port: where it listens.
        sealing: it takes mail after STARTTLS only, with this certificate.
    """
    box = Postbox()
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=port,
        tls_context=sealing,
        require_starttls=sealing is not None,
    )
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
