"""reins and reins set: which brains decide, and how sure they must be.

It is written through the store itself, in a turn of its own: it works while
the service runs, on any node, and when it does not.
"""

import getpass
from functools import partial
from typing import Annotated, Any

import typer
import yaml

from app.api.reins import ReinsView
from app.cli.mutes import write
from app.cli.output import Json, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.cli.show import reading
from app.decide.reins import NAMES, Wish

USAGE = 2
app = typer.Typer(
    help="Show or set which brains decide, and how sure they must be.",
    invoke_without_command=True,
)


@app.callback()
def reins(
    context: typer.Context, config: ConfigFile = None, as_json: Json = False
) -> None:
    """Show or set which brains decide, and how sure they must be."""
    if context.invoked_subcommand is not None:
        return
    product = wire(config)
    with reading(product):
        held = product.desk.reins()
    _print(ReinsView.of(held), as_json=as_json)


@app.command(name="set")
def set_reins(  # noqa: PLR0913 (each is an option)
    *,
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE...",
            help="Such as brain=rules, thresholds.restart_service=0.95;"
            " nothing after = goes back to the settings.",
        ),
    ],
    author: Annotated[
        str | None,
        typer.Option(
            help="Who sets it.", show_default="who you are logged in as"
        ),
    ] = None,
    comment: Annotated[str, typer.Option(help="Why.")] = "",
    version: Annotated[
        int | None, typer.Option(help="Only if it is this version.")
    ] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Set some of it; it holds from the next decision on, on all nodes."""
    product = wire(config)
    with reading(product):
        held = product.desk.reins().as_json()
    change = _read(changes, held)
    who = " ".join((author or getpass.getuser()).split())
    wish = Wish(who, change, version, " ".join(comment.split())[:200])
    work = partial(product.desk.change_reins, wish=wish)
    _print(ReinsView.of(write(product, work)), as_json=as_json)


def _read(changes: list[str], held: dict[str, Any]) -> dict[str, Any]:
    """Return what is to be set, or end the command with what is wrong."""
    change: dict[str, Any] = {}
    for text in changes:
        key, is_there, written = text.partition("=")
        name, _, part = key.partition(".")
        is_map = name in ("models", "thresholds")
        if not is_there or name not in NAMES or is_map != bool(part):
            known = ", ".join(NAMES)
            stop(
                f"{text!r}: write KEY=VALUE with one of {known};"
                " models.BRAIN and thresholds.ACTION",
                USAGE,
            )
        value = _value(written)
        if not is_map:
            change[name] = value
            continue
        inside = change.setdefault(name, dict(held[name]))
        if value is None:
            inside.pop(part, None)
        else:
            inside[part] = value
    return change


def _value(written: str) -> Any:
    """Return a value as YAML reads it, None for nothing."""
    if written in ('""', "''"):
        return ""
    try:
        return yaml.safe_load(written)
    except yaml.YAMLError:
        return written


def _print(view: ReinsView, *, as_json: bool) -> None:
    """Print what is set for a person or for a program."""
    values = view.model_dump()
    if as_json:
        print_json(values)
        return
    rows = [{"rein": name, "is": values[name]} for name in values]
    print_table(rows, ("rein", "is"))
