"""The real Prometheus, watching gauges that a test turns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx
import yaml
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from tests.programs import free_port, need
from tests.real.program import Program, answers

PROGRAM = ("prometheus", "prometheus")
LABELS = ("alert", "instance", "path")


class Prometheus:
    """A process of its own that looks and rules each second.

    Its rules fire while a gauge is above 90; their names and severities are
    given. It needs some five seconds before it tells anybody anything.
    """

    def __init__(
        self,
        folder: Path,
        alertmanagers: Sequence[str],
        severities: Mapping[str, str],
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{free_port()}"
        self._registry = CollectorRegistry()
        self._used = Gauge(
            "lab_used_percent", "What the rules look at", LABELS,
            registry=self._registry,
        )  # fmt: skip
        self._port = free_port()
        rules = [make_rule(*pair) for pair in severities.items()]
        groups = {"groups": [{"name": "lab", "rules": rules}]}
        (folder / "rules.yml").write_text(yaml.safe_dump(groups))
        config = folder / "prometheus.yml"
        self.watched = f"127.0.0.1:{self._port}"
        settings = make_settings(self.watched, alertmanagers)
        config.write_text(yaml.safe_dump(settings))
        command: list[str | Path] = [
            need(*PROGRAM),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--rules.alert.resend-delay=1s",
            "--web.enable-lifecycle",
        ]
        self._program = Program(
            command,
            folder / "prometheus.log",
            lambda: answers(f"{self.url}/-/ready"),
        )

    def fire(self, alert: str, instance: str, path: str = "/") -> None:
        """Turn a gauge up, so that a rule becomes true."""
        self._used.labels(alert, instance, path).set(93.5)

    def end(self, alert: str, instance: str, path: str = "/") -> None:
        """Turn the gauge down again."""
        self._used.labels(alert, instance, path).set(12.5)

    def reload(self) -> None:
        """Let it read its settings again."""
        httpx.post(f"{self.url}/-/reload", timeout=10).raise_for_status()

    def __enter__(self) -> Self:
        """Start it, with the page that it watches."""
        self._page, self._thread = start_http_server(
            self._port, "127.0.0.1", self._registry
        )
        try:
            self._program.start()
        except RuntimeError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self._program.stop()
        self._page.shutdown()
        self._page.server_close()
        self._thread.join()


def make_rule(alert: str, severity: str) -> dict[str, Any]:
    """Return an alerting rule; its value appears in the summary."""
    return {
        "alert": alert,
        "expr": f'lab_used_percent{{alert="{alert}"}} > 90',
        "labels": {"severity": severity},
        "annotations": {"summary": "{{ $labels.instance }} at {{ $value }} %"},
    }


def make_settings(
    watched: str, alertmanagers: Sequence[str]
) -> dict[str, Any]:
    """Return the settings: look at one page, tell some Alertmanagers."""
    targets = [url.removeprefix("http://") for url in alertmanagers]
    return {
        "global": {
            "scrape_interval": "1s",
            "evaluation_interval": "1s",
            "external_labels": {"cluster": "lab"},
        },
        "rule_files": ["rules.yml"],
        "scrape_configs": [
            {
                "job_name": "lab",
                "honor_labels": True,
                "static_configs": [{"targets": [watched]}],
            }
        ],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": targets}]}]
        },
    }
