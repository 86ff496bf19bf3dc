"""catalogue and inventory: what may be done, and what there is."""

import asyncio
from typing import Annotated, Any

import typer
import yaml

from app.api.catalogue import ActionView
from app.cli.output import Json, out, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.models.action import ActionSpec
from app.models.inventory import Thing

ACTION_COLUMNS = ("action", "risk", "arguments", "purpose")
THING_COLUMNS = (
    "kind",
    "name",
    "host",
    "role",
    "environment",
    "team",
    "actions",
    "source",
)
UNKNOWN = 1
FAILED = 1


def catalogue(
    name: Annotated[
        str | None, typer.Argument(help="Only this action, in full.")
    ] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """List what may be done, or show one action in full."""
    known = wire(config).catalogue
    if name is None:
        if as_json:
            print_json([_view(spec) for spec in known.specs])
            return
        print_table([_row(spec) for spec in known.specs], ACTION_COLUMNS)
        return
    spec = known.find(name)
    if spec is None:
        names = ", ".join(one.name for one in known.specs)
        stop(f"There is no action {name[:80]!r}; there are: {names}.", UNKNOWN)
    if as_json:
        print_json(_view(spec))
        return
    said = {**spec.model_dump(mode="json"), "digest": spec.digest}
    out.print(yaml.safe_dump(said, sort_keys=False, width=76).rstrip())


def inventory(config: ConfigFile = None, as_json: Json = False) -> None:
    """Ask all sources of the inventory now, and list what they know."""
    stock = wire(config).stock
    asyncio.run(stock.refresh())
    things = stock.inventory.things
    failures = {name: why for name, why in stock.states.items() if why}
    if as_json:
        rows = [{**_thing(one), "aliases": one.aliases} for one in things]
        print_json({"things": rows, "failures": failures})
    elif things:
        rows = [{**_thing(one), "actions": _allowed(one)} for one in things]
        print_table(rows, THING_COLUMNS)
    elif not stock.states:
        out.print("No inventory is configured: see docs/inventory.md.")
    if failures:
        lines = [f"{name}: {why}" for name, why in failures.items()]
        stop("\n".join(lines), FAILED)


def _view(spec: ActionSpec) -> dict[str, Any]:
    """Return an action as the API shows it."""
    return ActionView.of(spec).model_dump(mode="json")


def _row(spec: ActionSpec) -> dict[str, Any]:
    """Return an action as a line of the table."""
    return {
        "action": spec.name,
        "risk": spec.risk,
        "arguments": ", ".join(spec.parameters),
        "purpose": spec.purpose,
    }


def _thing(thing: Thing) -> dict[str, Any]:
    """Return a thing as a line."""
    allowed = None if thing.actions is None else sorted(thing.actions)
    return {
        "kind": thing.kind,
        "name": thing.name,
        "host": thing.host,
        "role": thing.role,
        "environment": thing.environment,
        "team": thing.team,
        "actions": allowed,
        "source": thing.source,
    }


def _allowed(thing: Thing) -> str:
    """Return in words what may be done to a thing."""
    if thing.actions is None:
        return "all"
    return ", ".join(sorted(thing.actions)) or "none"
