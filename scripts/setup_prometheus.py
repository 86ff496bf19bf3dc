r"""Let a Prometheus tell Smokejumper of its alerts, without an Alertmanager.

Smokejumper is put beside the Alertmanagers that it tells, and our alert rules
beside its own, between marks; nothing else in the file is touched. The diff
comes first. From the folder of the project:

    .venv/bin/python -m scripts.setup_prometheus \
        --file /etc/prometheus/prometheus.yml \
        --url http://smokejumper:8080 --reload http://127.0.0.1:9090

Where an Alertmanager is there already, use setup_alertmanager for it, and
this with --rules-only.
"""

import argparse
import sys
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# By its path, too, where Python looks beside the file alone.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.files import Checker, change_file, reload
from scripts.marked import Items, put_in, take_out
from scripts.setting_up import (
    Status,
    make_parser,
    read_secret,
    run,
    settle,
    web_address,
)

HOME = Path(__file__).resolve().parent.parent
RULES = HOME / "config/monitoring/prometheus/smokejumper.rules.yml"


def arguments_of(words: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for."""
    parser = make_parser(
        "Let a Prometheus tell Smokejumper of its alerts,"
        " without an Alertmanager; and give it alert rules."
    )
    add = parser.add_argument
    add("--file", type=Path, required=True, help="its prometheus.yml")
    add("--url", type=web_address, help="where Smokejumper is")
    add("--source", default="prometheus", help="the source's name there")
    add(
        "--secret-file",
        type=Path,
        help="a file with the source's secret, which Prometheus can read",
    )
    add(
        "--rules",
        default=str(RULES),
        help="our rules, as Prometheus finds them; '' for none"
        " (default: %(default)s)",
    )
    add("--rules-only", action="store_true", help="only the rules")
    add("--promtool", default="promtool", help="what checks the file")
    add("--reload", type=web_address, metavar="URL", help="Prometheus' own")
    asked = parser.parse_args(words)
    if not (asked.undo or asked.url or asked.rules_only):
        parser.error("--url is needed: where Smokejumper is")
    return asked


def receiver(asked: argparse.Namespace) -> dict[str, Any]:
    """Return Smokejumper in the place of an Alertmanager."""
    parts = urllib.parse.urlsplit(asked.url)
    found: dict[str, Any] = {
        "scheme": parts.scheme,
        "path_prefix": f"{parts.path}/webhooks/{asked.source}",
        "static_configs": [{"targets": [parts.netloc]}],
    }
    if asked.secret_file is not None:
        read_secret(asked.secret_file)
        found["authorization"] = {
            "type": "Bearer",
            "credentials_file": str(asked.secret_file.resolve()),
        }
    return found


def additions(asked: argparse.Namespace) -> list[Items]:
    """Return what goes into the settings."""
    found = []
    if not asked.rules_only:
        path = ("alerting", "alertmanagers")
        found.append(Items(path, [receiver(asked)]))
    if asked.rules:
        found.append(Items(("rule_files",), [asked.rules]))
    return found


def wanted(asked: argparse.Namespace, text: str) -> str:
    """Return how the file shall be."""
    bare = take_out(text, str(asked.file))
    if asked.undo:
        return bare
    return put_in(bare, additions(asked), str(asked.file))


def main(words: Sequence[str]) -> Status:
    """Show the diff, ask, write, and let Prometheus read it."""
    asked = arguments_of(words)
    checker = Checker(asked.promtool, ("check", "config"))
    change = change_file(asked.file, lambda text: wanted(asked, text), checker)
    status = settle([change], yes=asked.yes)
    if asked.reload:
        reload(asked.reload)
    return status


if __name__ == "__main__":
    sys.exit(run(main))
