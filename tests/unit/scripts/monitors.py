"""Settings files of monitoring systems, as people write them."""

import io
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import need

ALERTMANAGER = """\
# Ours since 2019
global:
  resolve_timeout: 5m   # as ever

route:
  receiver: 'people'    # the default
  group_by: ["alertname"]
  routes:
    # databases
    - matchers: [team="db"]
      receiver: dba     # they know
      routes:
      - matchers: [severity="critical"]
        receiver: pager

receivers:
- name: people
- name: dba
- name: pager
# the end
"""
PROMETHEUS = """\
global:
  scrape_interval: 15s
alerting:
  alertmanagers:
    - static_configs:
        - targets:
          # - alertmanager:9093
rule_files:
  # - "first_rules.yml"
scrape_configs:
  - job_name: prometheus
    static_configs:
      - targets: ["localhost:9090"]
"""
ALERTS = (
    ("alertname=A", "team=web"),
    ("alertname=A", "team=db"),
    ("alertname=A", "team=db", "severity=critical"),
    ("alertname=B", "severity=critical"),
)


def heard(file: Path) -> list[set[str]]:
    """Return who hears of each of the alerts, as amtool says it."""
    amtool = str(need("amtool", "prometheus-alertmanager"))
    command = [amtool, "config", "routes", "test", f"--config.file={file}"]
    return [_told([*command, *labels]) for labels in ALERTS]


def _told(command: list[str]) -> set[str]:
    """Return the receivers that a command names."""
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=True
    )
    return set(ended.stdout.strip().split(","))


def make_checker(folder: Path, says: str) -> str:
    """Return a program that refuses every file that holds a word."""
    program = folder / "checker"
    program.write_text(
        f'#!/bin/sh\nfor file; do :; done\nif grep -q {says} "$file"; then'
        ' echo "$file: this is wrong" >&2; exit 1; fi\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


class Terminal(io.StringIO):
    """A terminal at which somebody typed."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


def type_in(patch: pytest.MonkeyPatch, text: str) -> None:
    """Let the next question at the terminal be answered."""
    patch.setattr(sys, "stdin", Terminal(text))
