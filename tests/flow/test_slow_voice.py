"""The demo beside a slow model server: the gate alone decides in time."""

import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from app.core.line import ONLY_TO
from scripts.demo.settings import make_service
from scripts.demo.stage import Stage
from tests.models.fake_ollama import FakeOllama, chat
from tests.service import Service

# The server holds its answer for longer than anybody here waits.
PATIENCE_SECONDS, DECIDED_SECONDS = 55.0, 25.0


def settings_of_a_demo(folder: Path, url: str) -> dict[str, Any]:
    """Return those that decide, with another model server."""
    stage = Stage(folder, Path(sys.executable), scratch=folder / "scratch")
    tree = make_service(stage, "llama3.2")
    tree["brains"]["ollama"]["url"] = url
    own = ("brains", "decide", "host", "inventory", "act", "backends")
    found = {name: tree[name] for name in own}
    hosts = {"hosts": {"simulator": {"environment": "simulator"}}}
    (folder / "inventory.yaml").write_text(repr(hosts))
    return found


def decided(service: Service) -> list[dict[str, Any]]:
    """Send a runaway, and return what is decided while somebody waits."""
    alert = {
        "status": "firing",
        "labels": {
            "alertname": "ProcessRunaway",
            "host": "simulator",
            "process": "demo-cpu",
        },
        "annotations": {"summary": "demo-cpu takes 100 % of a core"},
        "startsAt": "2026-11-21T08:00:00Z",
    }
    httpx.post(
        f"{service.url}/webhooks/alertmanager",
        json={"version": "4", "alerts": [alert]},
        timeout=20,
    ).raise_for_status()
    deadline = time.monotonic() + DECIDED_SECONDS
    while time.monotonic() < deadline:
        answer = httpx.get(f"{service.url}/api/v1/decisions", timeout=20)
        rows: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        if rows:
            return rows
        time.sleep(0.1)
    return []


def test_a_slow_model_is_not_waited_for(tmp_path: Path) -> None:
    """It was asked, and had not answered when it was decided."""
    never = threading.Event()
    slow = chat("")
    slow.wait, slow.patience = never, PATIENCE_SECONDS
    with FakeOllama(slow) as server:
        settings = settings_of_a_demo(tmp_path, server.url)
        environ = {ONLY_TO: server.netloc}
        try:
            with Service(tmp_path, settings, environ) as service:
                rows = decided(service)
                assert server.chats
                assert not never.is_set()
        finally:
            never.set()
    assert rows
    assert rows[0]["brain"] == "cascade"
