r"""Let an Alertmanager tell Smokejumper of its alerts.

A receiver and a route are put into its settings file, between marks, and
nothing else in it is touched; what was told to others is told to them as
before. The diff comes first. From the folder of the project:

    .venv/bin/python -m scripts.setup_alertmanager \
        --file /etc/prometheus/alertmanager.yml \
        --url http://smokejumper:8080 --reload http://127.0.0.1:9093
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# By its path, too, where Python looks beside the file alone.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.files import Checker, change_file, reload
from scripts.marked import Items, put_in, read, take_out
from scripts.setting_up import (
    Change,
    Status,
    Stopped,
    make_parser,
    read_secret,
    run,
    settle,
    web_address,
)

NAME = "smokejumper"


def arguments_of(words: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for."""
    parser = make_parser("Let an Alertmanager tell Smokejumper of its alerts.")
    add = parser.add_argument
    add("--file", type=Path, required=True, help="its alertmanager.yml")
    add("--url", type=web_address, help="where Smokejumper is")
    add("--source", default="alertmanager", help="the source's name there")
    add(
        "--secret-file",
        type=Path,
        help="a file with the source's secret, which Alertmanager can read",
    )
    add(
        "--matchers",
        action="append",
        default=[],
        metavar="MATCHER",
        help="only alerts that fit, such as 'severity=~\"warning|critical\"';"
        " may be given again",
    )
    add(
        "--continue",
        dest="goes_on",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether others are told, too, as before (default)",
    )
    add("--group-wait", default="1s", help="default: %(default)s")
    add("--group-interval", default="10s", help="default: %(default)s")
    add("--amtool", default="amtool", help="the program that checks the file")
    add("--reload", type=web_address, metavar="URL", help="Alertmanager's own")
    asked = parser.parse_args(words)
    if not (asked.undo or asked.url):
        parser.error("--url is needed: where Smokejumper is")
    return asked


def receiver(asked: argparse.Namespace) -> dict[str, Any]:
    """Return our receiver."""
    webhook: dict[str, Any] = {
        "url": f"{asked.url}/webhooks/{asked.source}",
        "send_resolved": True,
        # What is cut off would never reach us.
        "max_alerts": 0,
    }
    if asked.secret_file is not None:
        read_secret(asked.secret_file)
        webhook["http_config"] = {
            "authorization": {
                "type": "Bearer",
                "credentials_file": str(asked.secret_file.resolve()),
            }
        }
    return {"name": NAME, "webhook_configs": [webhook]}


def route(asked: argparse.Namespace) -> dict[str, Any]:
    """Return our route: the first one, so that none stands before it."""
    found: dict[str, Any] = {"receiver": NAME}
    if asked.matchers:
        found["matchers"] = asked.matchers
    found["continue"] = asked.goes_on
    found["group_wait"] = asked.group_wait
    found["group_interval"] = asked.group_interval
    return found


def additions(asked: argparse.Namespace, tree: dict[str, Any]) -> list[Items]:
    """Return what goes into the settings, for a file that says this."""
    names = [one.get("name") for one in tree.get("receivers") or []]
    root = tree.get("route") or {}
    if not names or "receiver" not in root:
        raise Stopped(
            Status.WRONG_USE,
            f"{asked.file} has no route or no receivers:"
            " it is no alertmanager.yml.",
        )
    if NAME in names:
        raise Stopped(
            Status.WRONG_USE,
            f"{asked.file} has a receiver {NAME!r} that somebody else wrote.",
            "Remove it and its routes, then run this again.",
        )
    ways = ("route", "routes")
    found = [
        Items(("receivers",), [receiver(asked)]),
        Items(ways, [route(asked)], first=True),
    ]
    if asked.goes_on:
        # The default receiver hears only what no route takes, and ours now
        # takes everything: a last route gives it back what it had.
        refuse_doubles(asked.file, root.get("routes") or [])
        found.append(Items(ways, [{"receiver": root["receiver"]}]))
    return found


def refuse_doubles(file: Path, routes: Sequence[dict[str, Any]]) -> None:
    """Refuse routes that would tell the default receiver a second time."""
    for number, one in enumerate(routes, 1):
        if one.get("continue"):
            raise Stopped(
                Status.WRONG_USE,
                f"{file}: route {number} says 'continue: true', so the"
                " default receiver cannot be kept apart from it.",
                "Add a last route of your own that holds what shall go to"
                " the default receiver, without 'continue'; or use"
                " --no-continue with --matchers.",
            )


def wanted(asked: argparse.Namespace, text: str) -> str:
    """Return how the file shall be."""
    name = str(asked.file)
    bare = take_out(text, name)
    if asked.undo:
        return bare
    return put_in(bare, additions(asked, read(bare, name)), name)


def main(words: Sequence[str]) -> Status:
    """Show the diff, ask, write, and let Alertmanager read it."""
    asked = arguments_of(words)
    checker = Checker(asked.amtool, ("check-config",))
    change: Change = change_file(
        asked.file, lambda text: wanted(asked, text), checker
    )
    status = settle([change], yes=asked.yes)
    if asked.reload:
        reload(asked.reload)
    return status


if __name__ == "__main__":
    sys.exit(run(main))
