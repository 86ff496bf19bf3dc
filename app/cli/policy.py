"""policy and trust: what code allows, and who has earned more."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from app.api.policy import dry_run
from app.api.policy_views import (
    MOST_DAYS,
    DryRunBody,
    DryRunView,
    PolicyView,
    TrustView,
    WarningView,
)
from app.cli.asking import looking, read_body
from app.cli.output import Json, out, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.cli.show import reading
from app.core.errors import ConfigError
from app.core.yamlfile import read_text
from app.engine.hindsight import DAY, find_trust
from app.guard.policy import MOST_BYTES, REMEDY

WRONG = 1
CHANGE_COLUMNS = (
    "ruling",
    "incident",
    "action",
    "target",
    "was",
    "now",
    "now_rule",
    "reason",
)
STANDING_COLUMNS = (
    "action",
    "environment",
    "mode",
    "answers",
    "agreed",
    "low",
    "high",
    "fixed",
    "not_fixed",
    "unknown",
    "earned",
    "why",
)
app = typer.Typer(
    help="Show what code allows, or try another policy.",
    no_args_is_help=True,
)
trust = typer.Typer(help="Who has earned more trust.", no_args_is_help=True)


@app.command()
def show(config: ConfigFile = None, as_json: Json = False) -> None:
    """Show the policy as it is in its file now, and its warnings."""
    product = wire(config)
    guard = product.acting.guard
    view = PolicyView.of(guard.policy, guard.known)
    says = view.model_dump()
    if as_json:
        print_json(says)
        return
    warnings = says.pop("warnings")
    out.print(yaml.safe_dump(says, sort_keys=False, width=76).rstrip())
    _warn([WarningView(**one) for one in warnings])


@app.command(name="test")
def try_policy(
    file: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Another policy.",
            show_default="the policy's own file, as it is now",
        ),
    ] = None,
    days: Annotated[
        int, typer.Option(help="So far back.", min=1, max=MOST_DAYS)
    ] = 7,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Put what was ruled before to a policy: what would have changed."""
    product = wire(config)
    text = ""
    if file is not None:
        try:
            text = read_text(file, REMEDY, MOST_BYTES)
        except ConfigError as error:
            stop(str(error), WRONG)
    body = read_body(DryRunBody, {"policy": text, "days": days})
    with looking(product):
        view = dry_run(product, body)
    if as_json:
        print_json(view.model_dump())
    else:
        _tell(view)


@trust.command()
def report(
    days: Annotated[
        int, typer.Option(help="So far back.", min=1, max=3_660)
    ] = 30,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Say which actions have earned the next step of the ladder."""
    product = wire(config)
    since = max(0, product.clock.now() - days * DAY)
    with reading(product) as reader:
        found = reader.ask(lambda one: find_trust(one, since))
    view = TrustView.of(found, since)
    if as_json:
        print_json(view.model_dump())
        return
    rows = [_percent(one.model_dump()) for one in view.items]
    print_table(rows, STANDING_COLUMNS)
    for line in view.assumed:
        out.print(line)


def _tell(view: DryRunView) -> None:
    """Print a dry run for people."""
    out.print(
        f"Policy {view.policy} on {view.looked_at} rulings since"
        f" {view.since}: {view.same} would be the same."
    )
    for move, count in view.moves.items():
        out.print(f"  {count} x {move}")
    if view.changes:
        rows = [one.model_dump() for one in view.changes]
        print_table(rows, CHANGE_COLUMNS)
    if view.unread:
        out.print(
            f"{view.unread} were written by another release, and are left out."
        )
    if view.is_cut:
        out.print("There were more: only the newest were looked at.")
    for line in view.assumed:
        out.print(line)
    _warn(view.warnings)


def _warn(warnings: list[WarningView]) -> None:
    """Print what is a mistake most likely."""
    for one in warnings:
        out.print(f"{one.where}: {one.setting}: {one.what}. {one.remedy}")


def _percent(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its shares for people."""
    return row | {name: f"{row[name]:.0%}" for name in ("low", "high")}
