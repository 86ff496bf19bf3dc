r"""Let a Zabbix (6.0 or later) tell Smokejumper of its problems.

    .venv/bin/python -m scripts.setup_zabbix \
        --zabbix http://zabbix.example.net --url http://HOST:8080 \
        --group "Linux servers"

It makes a media type, and an action that sends problems of the host groups,
their ends and their updates with it to a user of its own, who may read these
groups and nothing else. Who may change Zabbix is read from ZABBIX_TOKEN, or
ZABBIX_USER and ZABBIX_PASSWORD, or asked.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

# By its path, too, where Python looks beside the file alone.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.setting_up import (
    Status,
    make_parser,
    read_secret,
    run,
    settle,
    web_address,
)
from scripts.zabbix.making import Works
from scripts.zabbix.talk import Zabbix, ask_account
from scripts.zabbix.wanted import Wish

PURPOSE = "Let a Zabbix (6.0 or later) tell Smokejumper of its problems."


def read_words(words: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = make_parser(PURPOSE)
    add = parser.add_argument
    add("--zabbix", required=True, type=web_address, metavar="URL",
        help="where the frontend of Zabbix is")  # fmt: skip
    add("--url", type=web_address, metavar="URL",
        help="where Smokejumper is, as the Zabbix server sees it")  # fmt: skip
    add("--group", action="append", default=[], metavar="NAME",
        help="a host group that is told of; may be repeated")  # fmt: skip
    add("--source", default="zabbix", metavar="NAME",
        help="the source's name in Smokejumper's settings")  # fmt: skip
    add("--secret-file", type=Path, metavar="FILE",
        help="holds the secret of that source")  # fmt: skip
    add("--name", default="Smokejumper",
        help="what our things are called in Zabbix")  # fmt: skip
    add("--frontend", type=web_address, metavar="URL",
        help="where people open Zabbix, if not at --zabbix")  # fmt: skip
    asked = parser.parse_args(words)
    if not asked.undo and not (asked.url and asked.group):
        parser.error("name --url and a --group, or --undo")
    return asked


def to_wish(asked: argparse.Namespace) -> Wish:
    """Return what Zabbix shall have."""
    if asked.undo:
        return Wish(asked.name)
    return Wish(
        name=asked.name,
        url=f"{asked.url}/webhooks/{asked.source}",
        secret=read_secret(asked.secret_file),
        frontend=asked.frontend or asked.zabbix,
        groups=tuple(dict.fromkeys(asked.group)),
    )


def work(words: Sequence[str]) -> Status:
    """Set it up, or undo it."""
    asked = read_words(words)
    wish = to_wish(asked)
    with Zabbix(asked.zabbix, ask_account()) as zabbix:
        # Only a Super admin may read these, and make a media type.
        zabbix.call("authentication.get", {"output": "extend"})
        works = Works(zabbix, wish)
        changes = works.undoing() if asked.undo else works.changes()
        return settle(changes, yes=asked.yes, hide=(wish.secret,))


if __name__ == "__main__":
    sys.exit(run(work))
