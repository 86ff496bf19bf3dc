r"""Let a Grafana (9.1 or later) tell Smokejumper of its alerts.

A contact point and a notification policy are made by its HTTP API, and
nothing else is changed; what was told to others is told to them as before.
The diff comes first. From the folder of the project, with the token of a
service account that may write provisioning (role Editor or Admin):

    GRAFANA_TOKEN=... .venv/bin/python -m scripts.setup_grafana \
        --grafana http://grafana:3000 --url http://smokejumper:8080
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# By its path, too, where Python looks beside the file alone.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.grafana import Grafana
from scripts.setting_up import (
    Change,
    Status,
    Stopped,
    make_parser,
    read_secret,
    run,
    settle,
    text_of,
    web_address,
)

NAME = UID = "smokejumper"
TOKEN = "GRAFANA_TOKEN"
COVERED = "[REDACTED]"
# In Grafana's order.
OPERATORS = ("=", "!=", "=~", "!~")
# Every alert fits it; by it we know our own last policy again.
EVERYTHING = ["smokejumper_default", "!=", "no"]

Tree = dict[str, Any]


def arguments_of(words: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for."""
    parser = make_parser("Let a Grafana tell Smokejumper of its alerts.")
    add = parser.add_argument
    add("--grafana", type=web_address, required=True, help="its address")
    add("--url", type=web_address, help="where Smokejumper is")
    add("--source", default="grafana", help="the source's name there")
    add("--secret-file", type=Path, help="a file with the source's secret")
    add(
        "--token-file",
        type=Path,
        help=f"a file with a token of Grafana; else {TOKEN} holds it",
    )
    add(
        "--matchers",
        action="append",
        default=[],
        metavar="LABEL OP VALUE",
        nargs=3,
        help="only alerts that fit, such as severity = critical; may be given"
        " again",
    )
    add(
        "--continue",
        dest="goes_on",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether others are told, too, as before (default)",
    )
    add(
        "--renew-secret",
        action="store_true",
        help="send the secret again: Grafana does not tell which it has",
    )
    asked = parser.parse_args(words)
    if not (asked.undo or asked.url):
        parser.error("--url is needed: where Smokejumper is")
    for label, operator, _ in asked.matchers:
        if not label or operator not in OPERATORS:
            known = " ".join(OPERATORS)
            parser.error(f"--matchers takes LABEL OP VALUE, OP of {known}")
    return asked


def contact_point(asked: argparse.Namespace, secret: str) -> Tree:
    """Return our contact point."""
    settings: Tree = {
        "url": f"{asked.url}/webhooks/{asked.source}",
        "httpMethod": "POST",
    }
    if secret:
        settings["authorization_scheme"] = "Bearer"
        settings["authorization_credentials"] = secret
    return {
        "uid": UID,
        "name": NAME,
        "type": "webhook",
        "settings": settings,
        "disableResolveMessage": False,
    }


def bare(policies: Tree) -> Tree:
    """Return the policies without ours."""
    routes = [
        one
        for one in policies.get("routes") or []
        if one.get("receiver") != NAME
        and EVERYTHING not in (one.get("object_matchers") or [])
    ]
    found = {key: one for key, one in policies.items() if key != "routes"}
    return {**found, "routes": routes} if routes else found


def with_ours(policies: Tree, asked: argparse.Namespace) -> Tree:
    """Return the policies with ours as the first one."""
    routes = policies.get("routes") or []
    first: Tree = {"receiver": NAME}
    # As Grafana tells it again: asked twice, there is nothing to do.
    if asked.goes_on:
        first["continue"] = True
    if asked.matchers:
        first["object_matchers"] = _in_order(asked.matchers)
    new = [first, *routes]
    if asked.goes_on:
        # The default policy hears only what no other one takes, and ours
        # now takes everything: a last one gives it back what it had.
        for number, one in enumerate(routes, 1):
            if one.get("continue"):
                raise Stopped(
                    Status.WRONG_USE,
                    f"policy {number} goes on to those after it, so the"
                    " default one cannot be kept apart from it.",
                    "Add a last policy of your own that holds what shall go"
                    " to the default contact point; or use --no-continue"
                    " with --matchers.",
                )
        new.append(
            {
                "receiver": policies["receiver"],
                "object_matchers": [EVERYTHING],
            }
        )
    return {**policies, "routes": new}


def _in_order(matchers: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return matchers as Grafana keeps them: sorted, values unquoted."""
    plain = [
        [label, operator, value.removeprefix('"').removesuffix('"')]
        for label, operator, value in matchers
    ]
    return sorted(
        plain, key=lambda one: (one[0], one[2], OPERATORS.index(one[1]))
    )


def changes(
    grafana: Grafana, asked: argparse.Namespace, secret: str
) -> list[Change]:
    """Return what is to be done, in the order in which it can be done."""
    point = grafana.find_contact_point(UID, NAME)
    policies = grafana.policies()
    without = bare(policies)
    if asked.undo:
        # Grafana removes no contact point that a policy names.
        return [
            _policies(grafana, policies, without),
            Change(
                "contact point",
                text_of(point),
                "",
                lambda: grafana.remove_contact_point(UID),
            ),
        ]
    if without.get("receiver") == NAME:
        raise Stopped(
            Status.WRONG_USE,
            "the default policy of this Grafana is Smokejumper already.",
        )
    wanted = contact_point(asked, secret)
    return [
        _point(grafana, point, wanted, renew=asked.renew_secret),
        _policies(grafana, policies, with_ours(without, asked)),
    ]


def _point(
    grafana: Grafana, point: Tree | None, wanted: Tree, *, renew: bool
) -> Change:
    """Return what is to be done about our contact point."""
    told = text_of(_covered(wanted, "(renewed)" if renew else COVERED))
    kept = (point or {}).get("provenance", "")
    shown = {key: one for key, one in (point or {}).items() if key in wanted}

    def make() -> None:
        """Make it, or change it."""
        if point is None:
            grafana.add_contact_point(wanted)
        else:
            grafana.change_contact_point(wanted, kept)

    return Change("contact point", text_of(shown or None), told, make)


def _covered(point: Tree, cover: str) -> Tree:
    """Return a contact point as Grafana shows it, without its secret."""
    settings = dict(point["settings"])
    if "authorization_credentials" in settings:
        settings["authorization_credentials"] = cover
    return {**point, "settings": settings}


def _policies(grafana: Grafana, before: Tree, after: Tree) -> Change:
    """Return what is to be done about the policies."""
    return Change(
        "notification policies",
        text_of(before),
        text_of(after),
        lambda: grafana.set_policies(after),
    )


def token_of(asked: argparse.Namespace) -> str:
    """Return the token to ask Grafana with."""
    token = read_secret(asked.token_file) or os.environ.get(TOKEN, "")
    if not token:
        raise Stopped(
            Status.WRONG_USE,
            "Grafana is not told who asks.",
            f"Set {TOKEN} to a token of a service account, or give"
            " --token-file.",
        )
    return token


def main(words: Sequence[str]) -> Status:
    """Show the diff, ask, and change it."""
    asked = arguments_of(words)
    secret = read_secret(asked.secret_file)
    with Grafana(asked.grafana, token_of(asked)) as grafana:
        wanted = changes(grafana, asked, secret)
        return settle(wanted, yes=asked.yes, hide=[secret])


if __name__ == "__main__":
    sys.exit(run(main))
