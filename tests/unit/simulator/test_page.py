"""The page, in a real browser: what comes from the API stays text."""

import html.parser
import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator import server

EVIL = '<img src="x" onerror="document.title=1">'
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
SPEC = {
    "kind": f"cpu{EVIL}",
    "purpose": EVIL,
    "unit": EVIL,
    "least": 1,
    "most": 100,
    "level": 90,
    "seconds": 120,
    "options": {EVIL: {"purpose": EVIL, "default": EVIL, "choices": [EVIL]}},
}
TRUTH = {
    "id": EVIL,
    "fault": f"runs{EVIL}",
    "level": 90,
    "unit": EVIL,
    "seconds": 999_999_999,
    "target": {"host": EVIL},
    "scenario": EVIL,
    "step": EVIL,
    "began_at": "2026-11-21T10:00:00Z",
}
STATE: dict[str, Any] = {
    "enabled": True,
    "host": EVIL,
    "faults": [SPEC],
    "running": [TRUTH],
    "scenarios": [{"name": EVIL, "purpose": EVIL, "problem": None}],
    "playing": {"scenario": EVIL, "step": EVIL},
    "services": [{"name": EVIL, "state": EVIL, "says": EVIL}],
}


class Stranger(http.server.BaseHTTPRequestHandler):
    """Serves the real page with a state that somebody made up."""

    def do_GET(self) -> None:
        """Answer with a file of the page, or with the state."""
        path = self.path.strip("/") or "page.html"
        if path == "api/state":
            body = json.dumps(STATE).encode()
        elif path in ("page.html", "page.js"):
            body = (Path(server.__file__).parent / path).read_bytes()
        else:
            self.send_error(404)
            return
        self.send_response(200)
        for name, value in server.HEADERS.items():
            self.send_header(name, value)
        kind = "text/javascript" if path.endswith("js") else "text/html"
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


class Tags(html.parser.HTMLParser):
    """Notes which elements there are."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """Note one."""
        del attrs
        self.seen.add(tag)


@pytest.fixture
def address() -> Iterator[str]:
    """Serve the page."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{web.server_port}/"
        web.shutdown()
        thread.join()


@pytest.mark.skipif(BROWSER is None, reason="no chromium here")
def test_texts_of_strangers_are_only_text(
    address: str, tmp_path: Path
) -> None:
    """Everything is shown, the frame is on, and no element was made of it."""
    shown = subprocess.run(
        [
            str(BROWSER),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=1500",
            "--dump-dom",
            address,
        ],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    assert '<body class="on">' in shown
    tags = Tags()
    tags.feed(shown)
    assert "button" in tags.seen
    assert "img" not in tags.seen
    assert "<title>(1) Simulator</title>" in shown
    assert shown.count("&lt;img") >= 10
    assert "All off" in shown
    assert "cpu&lt;img" in shown
    assert "runs&lt;img" in shown
