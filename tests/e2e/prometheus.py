"""Prometheus, Alertmanager and two exporters, set up by our own scripts.

Each lane of faults has a host name of its own, and only the series that it
is about, since all of them are caused on one machine.
"""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from scripts.demo.stage import SERVICE, Stage
from tests.e2e.stack import host_of
from tests.programs import free_port
from tests.programs import need as find
from tests.real.program import Program, answers
from tests.real.waiting import wait_for

HOME = Path(__file__).parents[2]
PROCESSES = "namedprocess_namegroup_(cpu_seconds_total|memory_bytes)"
NEEDS = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "prometheus-process-exporter": "prometheus-process-exporter",
}
# What takes minutes elsewhere takes seconds here.
TUNING = {
    "interval": "1s",
    "rules": {
        # A machine that others use gives it less than it wants, and this
        # rule sees only what it is given.
        "ProcessRunaway": {"limit": 10, "window": "6s", "for": "2s"},
        "ProcessMemoryLeak": {"limit": 60, "window": "8s", "for": "1s"},
        "HostOutOfDiskSpace": {"for": "1s"},
        "ServiceDown": {"for": "1s"},
    },
}
# As somebody has it who never heard of us.
ALERTMANAGER = """\
# Who is told of what
route:
  receiver: people       # nobody reads it here
  group_by: [alertname, host]
  routes:
    # they asked for it
    - matchers: [team="db"]
      receiver: dba

receivers:
  - name: people
  - name: dba
"""


class Monitoring:
    """Four programs that watch one machine, and tell Smokejumper."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        """Take where they live and what they watch."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._stage = stage
        self._ports = {name: free_port() for name in NEEDS}
        self._running = ExitStack()

    def url(self, program: str) -> str:
        """Return where a program answers."""
        return f"http://127.0.0.1:{self._ports[program]}"

    def __enter__(self) -> Self:
        """Start all of them, and point them at Smokejumper."""
        with ExitStack() as starting:
            self._running = starting
            self._start_exporters()
            self._start_alertmanager()
            self._start_prometheus()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self._running.close()

    def _start_exporters(self) -> None:
        """Start what reads this machine: its file systems, our processes."""
        name = "prometheus-node-exporter"
        # By itself it leaves out tmpfs, which the small disk is.
        self._start(
            name,
            [
                "--collector.disable-defaults",
                "--collector.filesystem",
                "--collector.filesystem.fs-types-exclude=^$",
                "--collector.filesystem.mount-points-exclude=^/(proc|sys)",
                self._listen(name),
            ],
            "/metrics",
        )
        name = "prometheus-process-exporter"
        named = self._stage.programs
        self._start(
            name,
            [
                f"-procnames={named}-cpu,{named}-memory",
                "-children=false",
                "-threads=false",
                "-gather-smaps=false",
                # A child gets its name a moment after it was started.
                "-recheck",
                f"-web.listen-address={self._address(name)}",
            ],
            "/metrics",
        )

    def _start_alertmanager(self) -> None:
        """Start it on somebody's file, and have our script set it up."""
        name = "prometheus-alertmanager"
        file = self._folder / "alertmanager.yml"
        file.write_text(ALERTMANAGER)
        self._start(
            name,
            [
                f"--config.file={file}",
                f"--storage.path={self._folder / 'alertmanager'}",
                "--cluster.listen-address=",
                self._listen(name),
            ],
            "/-/ready",
        )
        set_up(
            "setup_alertmanager",
            *("--file", file, "--url", self._stage.url),
            *("--group-wait", "0s", "--group-interval", "1s"),
            *("--reload", self.url(name)),
        )

    def _start_prometheus(self) -> None:
        """Start it, and have our script give it our rules, tuned."""
        tuning = self._folder / "tuning.yaml"
        tuning.write_text(yaml.safe_dump(TUNING))
        rules = self._folder / "smokejumper.rules.yml"
        rules.write_text(run_script("tune_rules", tuning))
        file = self._folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(self._settings()))
        self._start(
            "prometheus",
            [
                f"--config.file={file}",
                f"--storage.tsdb.path={self._folder / 'tsdb'}",
                "--rules.alert.resend-delay=1s",
                "--web.enable-lifecycle",
                self._listen("prometheus"),
            ],
            "/-/ready",
        )
        set_up(
            "setup_prometheus",
            *("--file", file, "--rules-only", "--rules", rules),
            *("--reload", self.url("prometheus")),
        )
        wait_for("list of Alertmanagers", self._alertmanagers)

    def _alertmanagers(self) -> list[Any]:
        """Return whom Prometheus tells; it finds them after some seconds."""
        url = f"{self.url('prometheus')}/api/v1/alertmanagers"
        answer = httpx.get(url, timeout=5).raise_for_status().json()
        found: list[Any] = answer["data"]["activeAlertmanagers"]
        return found

    def _settings(self) -> dict[str, Any]:
        """Return Prometheus' settings without anything of ours."""
        address = self._address("prometheus-alertmanager")
        return {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": [address]}]}]
            },
            "scrape_configs": self._jobs(),
        }

    def _jobs(self) -> list[dict[str, Any]]:
        """Return what is looked at, with a host name for each lane."""
        shop = f"127.0.0.1:{self._stage.shop_port}"
        named = self._stage.programs
        processes = make_job(
            "processes",
            self._address("prometheus-process-exporter"),
            {},
            keep(
                {"__name__": PROCESSES, "groupname": f"{named}-(cpu|memory)"}
            ),
        )
        # It looks at every process there is: asked too often it falls behind.
        processes |= {"scrape_interval": "2s", "scrape_timeout": "2s"}
        # One scrape for two lanes: each process is on a host of its own.
        processes["metric_relabel_configs"].append(
            {
                "source_labels": ["groupname"],
                "regex": f"{named}-(.+)",
                "replacement": host_of("$1"),
                "target_label": "host",
            }
        )
        return [
            processes,
            make_job(
                "disk",
                self._address("prometheus-node-exporter"),
                {"host": host_of("disk")},
                keep({"mountpoint": str(self._stage.disk)}),
            ),
            # Whether it answers is all that is asked.
            make_job(
                "service",
                shop,
                {"host": host_of("service"), "service": SERVICE},
                keep({"__name__": "nothing"}),
            ),
        ]

    def _address(self, program: str) -> str:
        """Return where a program listens."""
        return f"127.0.0.1:{self._ports[program]}"

    def _listen(self, program: str) -> str:
        """Return the flag that says where to listen."""
        return f"--web.listen-address={self._address(program)}"

    def _start(self, name: str, words: Sequence[str], page: str) -> None:
        """Start a program and wait until it answers."""
        url = f"{self.url(name)}{page}"
        program = Program(
            [find(name, NEEDS[name]), *words],
            self._folder / f"{name}.log",
            lambda: answers(url),
        )
        self._running.enter_context(program)


def make_job(
    name: str,
    target: str,
    labels: dict[str, str],
    relabel: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return a scrape job with labels of its own."""
    return {
        "job_name": name,
        "static_configs": [{"targets": [target], "labels": labels}],
        "metric_relabel_configs": relabel,
    }


def keep(only: dict[str, str]) -> list[dict[str, Any]]:
    """Return what drops all series but those that fit."""
    return [
        {"source_labels": [name], "regex": text, "action": "keep"}
        for name, text in only.items()
    ]


def set_up(script: str, *words: str | Path) -> None:
    """Let a script of ours change what it would, with a yes."""
    run_script(script, *words, "--yes")


def run_script(script: str, *words: str | Path) -> str:
    """Return what a script of ours says, as a user runs it."""
    command = [sys.executable, "-m", f"scripts.{script}", *map(str, words)]
    ended = subprocess.run(
        command,
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
