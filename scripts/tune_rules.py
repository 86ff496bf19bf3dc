r"""Print the alert rules that come with Smokejumper, with limits of your own.

    .venv/bin/python -m scripts.tune_rules tuning.yaml > my.rules.yml

The tuning names rules, and for each what is different; ``interval`` is how
often all of them are looked at:

    interval: 15s
    rules:
      HostHighMemory: {limit: 95, for: 10m}
      ProcessRunaway: {limit: 150, window: 5m, severity: critical}
      SmokejumperHalted: {off: true}

``limit`` is the number that the expression is compared with, ``window`` the
time it looks back over. A name that no rule has is refused.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from scripts.files import read_file
from scripts.marked import read
from scripts.setting_up import Status, Stopped, run

HOME = Path(__file__).resolve().parent.parent
RULES = HOME / "config/monitoring/prometheus/smokejumper.rules.yml"
LIMIT = re.compile(r"([<>]\s*)\d+(?:\.\d+)?\s*\Z")
WINDOW = re.compile(r"(\[|offset )\d+[smhd]")
SPAN = re.compile(r"(?:\d+(?:ms|[smhd]))+\Z")
KNOBS = ("limit", "window", "for", "severity", "off")


def tuned(rules: Mapping[str, Any], tuning: Mapping[str, Any]) -> Any:
    """Return the rules as they are with a tuning.

    Raises:
        Stopped: It names a rule or a knob that is not there, or a bad value.
    """
    told = tuning.get("rules") or {}
    by_name = {name: _knobs(said) for name, said in told.items()}
    unknown = set(tuning) - {"rules", "interval"}
    names = {
        rule["alert"] for group in rules["groups"] for rule in group["rules"]
    }
    unknown |= set(by_name) - names
    if unknown:
        raise _wrong(f"nothing is called {', '.join(sorted(unknown))}")
    groups = []
    for group in rules["groups"]:
        kept = [
            _turn(rule, by_name.get(rule["alert"], {}))
            for rule in group["rules"]
            if not by_name.get(rule["alert"], {}).get("off")
        ]
        if kept:
            interval = tuning.get("interval")
            often = {"interval": _span(interval)} if interval else {}
            groups.append({"name": group["name"], **often, "rules": kept})
    return {"groups": groups}


def _knobs(said: Mapping[Any, Any] | None) -> dict[str, Any]:
    """Return what is said of one rule; YAML takes a bare off for false."""
    named = (said or {}).items()
    return {"off" if k is False else str(k): value for k, value in named}


def _turn(rule: Mapping[str, Any], knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Return one rule with its knobs turned."""
    name = rule["alert"]
    if wrong := set(knobs) - set(KNOBS):
        raise _wrong(f"{name} has no {', '.join(sorted(wrong))}")
    turned = {**rule, "expr": _turn_expression(name, rule["expr"], knobs)}
    if "for" in knobs:
        turned["for"] = _span(knobs["for"])
    if "severity" in knobs:
        turned["labels"] = {**rule["labels"], "severity": knobs["severity"]}
    return turned


def _turn_expression(name: str, text: str, knobs: Mapping[str, Any]) -> str:
    """Return an expression with another limit and another window."""
    if "limit" in knobs:
        limit = knobs["limit"]
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise _wrong(f"the limit of {name} is no number: {limit!r}")
        text = LIMIT.sub(rf"\g<1>{limit}", text)
    if "window" in knobs:
        window = _span(knobs["window"])
        text, count = WINDOW.subn(rf"\g<1>{window}", text)
        if not count:
            raise _wrong(f"{name} has no window: it looks at the moment")
    return text


def _span(value: Any) -> str:
    """Return a time as Prometheus writes it, or refuse."""
    if not isinstance(value, str) or not SPAN.match(value):
        raise _wrong(f"{value!r} is no time such as 30s or 5m")
    return value


def _wrong(reason: str) -> Stopped:
    """Return the refusal of a tuning."""
    return Stopped(
        Status.WRONG_USE,
        f"the tuning is wrong: {reason}.",
        "docs/monitoring.md says what may be in it.",
    )


def main(words: Sequence[str]) -> Status:
    """Print the rules."""
    parser = argparse.ArgumentParser(
        description="Print the alert rules with limits of your own."
    )
    parser.add_argument("tuning", type=Path, help="a YAML file")
    asked = parser.parse_args(words)
    tuning = read(read_file(asked.tuning), str(asked.tuning))
    rules = read(read_file(RULES), str(RULES))
    print("# Made by scripts/tune_rules.py: change the tuning, not this.")
    print(yaml.safe_dump(tuned(rules, tuning), sort_keys=False, width=79))
    return Status.DONE


if __name__ == "__main__":
    sys.exit(run(main))
