"""The real Alertmanager, sending to one receiver."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.programs import free_port, need
from tests.real.program import Program, answers

PROGRAM = ("prometheus-alertmanager", "prometheus-alertmanager")
FAILED = "alertmanager_notification_requests_failed_total"
# Quick enough for a test, slow enough that alerts pushed together are told
# together.
ROUTE = {
    "receiver": "smokejumper",
    "group_by": ["alertname"],
    "group_wait": "200ms",
    "group_interval": "1s",
    "repeat_interval": "1h",
}


class Alertmanager:
    """A process of its own with one webhook, alone in its cluster."""

    def __init__(
        self,
        folder: Path,
        webhook: Mapping[str, Any],
        route: Mapping[str, Any] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{free_port()}"
        settings = {
            "route": {**ROUTE, **(route or {})},
            "receivers": [
                {
                    "name": "smokejumper",
                    "webhook_configs": [{"send_resolved": True, **webhook}],
                }
            ],
        }
        config = folder / "alertmanager.yml"
        config.write_text(yaml.safe_dump(settings))
        address = self.url.removeprefix("http://")
        command: list[str | Path] = [
            need(*PROGRAM),
            f"--config.file={config}",
            f"--storage.path={folder / 'storage'}",
            f"--web.listen-address={address}",
            # Without this it would listen to the whole network.
            "--cluster.listen-address=",
        ]
        self._program = Program(
            command,
            folder / "alertmanager.log",
            lambda: answers(f"{self.url}/-/ready"),
        )

    def push(self, *alerts: Mapping[str, Any]) -> None:
        """Tell it alerts, as Prometheus does."""
        answer = httpx.post(f"{self.url}/api/v2/alerts", json=alerts)
        answer.raise_for_status()

    def alerts(self) -> list[dict[str, Any]]:
        """Return what it says itself about its alerts."""
        found: list[dict[str, Any]] = (
            httpx.get(f"{self.url}/api/v2/alerts").raise_for_status().json()
        )
        return found

    def failures(self) -> float:
        """Return how often its webhook did not get through."""
        text = httpx.get(f"{self.url}/metrics").raise_for_status().text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == FAILED
            and sample.labels["integration"] == "webhook"
        )

    def __enter__(self) -> Self:
        """Start it."""
        self._program.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self._program.stop()


def make_alert(name: str, **labels: str) -> dict[str, Any]:
    """Return an alert that began a moment ago and still fires."""
    now = datetime.now(UTC)
    return {
        "labels": {"alertname": name, "severity": "warning", **labels},
        "annotations": {"summary": f"{name} “really” fires \\ <now>"},
        "startsAt": (now - timedelta(seconds=30)).isoformat(),
        "endsAt": (now + timedelta(minutes=10)).isoformat(),
        "generatorURL": "http://prometheus.example.net/graph?g0.expr=up",
    }


def ended(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return the word that an alert is over."""
    return {**alert, "endsAt": datetime.now(UTC).isoformat()}


def labels_of(rows: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """Return the values of one label, sorted."""
    return sorted(row["labels"][name] for row in rows)
