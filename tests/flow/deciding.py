"""A service that decides with a fake brain, and what is asked of it."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.flow.decider_main import FILE, SECONDS
from tests.service import Service

PATIENCE = 180.0
DECIDE = {"brain": "fake", "settle_seconds": 0, "rest_seconds": 0}


class DecidingService(Service):
    """A service whose brain writes each call into a file."""

    entry: tuple[str, ...] = ("-m", "tests.flow.decider_main")

    def __init__(
        self,
        folder: Path,
        settings: dict[str, Any] | None = None,
        seconds: float = 0.0,
        **decide: Any,
    ) -> None:
        self.file = folder / "calls"
        tree = {"decide": {**DECIDE, **decide}, **(settings or {})}
        environ = {FILE: str(self.file), SECONDS: str(seconds)}
        super().__init__(folder, tree, environ)

    def slow_down(self, seconds: float) -> None:
        """Let the brain take so long after the next start."""
        self._environ[SECONDS] = str(seconds)

    def calls(self) -> Counter[int]:
        """Return how often the brain was asked, by incident."""
        if not self.file.exists():
            return Counter()
        return Counter(map(int, self.file.read_text().split()))

    def get(self, path: str, **query: Any) -> Any:
        """Return what the API answers."""
        answer = httpx.get(
            f"{self.url}/api/v1{path}", params=query, timeout=30
        )
        return answer.raise_for_status().json()

    def fire(self, *alerts: dict[str, Any]) -> None:
        """Send some alerts in one delivery."""
        body = json.dumps({"version": "4", "alerts": alerts})
        answer = httpx.post(
            f"{self.url}/webhooks/alertmanager",
            content=body,
            headers={"content-type": "application/json"},
            timeout=60,
        )
        assert answer.status_code == 202, answer.text

    def decisions(self, **query: Any) -> list[dict[str, Any]]:
        """Return the decisions that are listed, newest first."""
        found: list[dict[str, Any]] = self.get("/decisions", **query)["items"]
        return found

    def wait_for(self, is_so: Callable[[], object]) -> None:
        """Return when something has come true, or fail."""
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.05)

    def decide_on(self, host: str) -> dict[str, Any]:
        """Let something be wrong with a host; return the decision."""
        self.fire(firing(host))
        target = f"host::{host}"
        self.wait_for(lambda: self.decisions(target=target))
        return self.decisions(target=target)[0]


def firing(
    host: str, mark: str = "", second: int = 2, **labels: str
) -> dict[str, Any]:
    """Return an alert about a host."""
    return {
        "status": "firing",
        "labels": {
            "alertname": "DiskFull",
            "instance": f"{host}:9100",
            "severity": "warning",
            **labels,
        },
        "annotations": {"summary": "the disk is full"},
        "startsAt": f"2026-11-21T02:14:{second:02}Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": mark or host,
    }
