"""log, alerts, incidents and sources: what the store and settings hold."""

from typing import Annotated, Any

import typer

from app.api.views import AlertView, DeliveryView
from app.bootstrap import Product
from app.cli.output import Json, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.core.errors import StorageFailed

NO_DATABASE = 3
DELIVERY_COLUMNS = (
    "id",
    "received_at",
    "source",
    "outcome",
    "accepted",
    "repeated",
    "unparsed",
    "repeats",
    "reason",
    "field",
)
ALERT_COLUMNS = (
    "id",
    "received_at",
    "source",
    "status",
    "severity",
    "name",
    "summary",
    "repeats",
)
INCIDENT_COLUMNS = (
    "id",
    "starts_at",
    "source",
    "severity",
    "name",
    "summary",
    "repeats",
)
Limit = Annotated[int, typer.Option(help="How many.", min=1, max=500)]
Source = Annotated[str | None, typer.Option(help="Only of this source.")]


def log(
    config: ConfigFile = None,
    source: Source = None,
    outcome: Annotated[
        str | None, typer.Option(help="parsed or unparsed.")
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what came in and what became of it, newest first."""
    product = wire(config)
    where = _given(source=source, outcome=outcome)
    try:
        rows = product.reader.deliveries(where, None, limit)
    except StorageFailed as error:
        _stop_unread(product, error)
    views = [DeliveryView.of(row).model_dump() for row in rows]
    _print(views, DELIVERY_COLUMNS, as_json=as_json)


def alerts(
    config: ConfigFile = None,
    source: Source = None,
    status: Annotated[
        str | None, typer.Option(help="firing, resolved or updated.")
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List the alerts, newest first."""
    product = wire(config)
    where = _given(source=source, status=status)
    try:
        rows = product.reader.alerts(where, None, limit)
    except StorageFailed as error:
        _stop_unread(product, error)
    views = [AlertView.of(row).model_dump() for row in rows]
    _print(views, ALERT_COLUMNS, as_json=as_json)


def incidents(
    config: ConfigFile = None,
    source: Source = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what fires now: the newest word on each problem is "firing"."""
    product = wire(config)
    try:
        rows = product.reader.firing(_given(source=source), None, limit)
    except StorageFailed as error:
        _stop_unread(product, error)
    views = [AlertView.of(row).model_dump() for row in rows]
    _print(views, INCIDENT_COLUMNS, as_json=as_json)


def sources(config: ConfigFile = None, as_json: Json = False) -> None:
    """List the configured sources and how to point them here."""
    rows = [
        {
            "source": entrance.name,
            "type": entrance.kind,
            "path": entrance.paths[0],
            "set-up": entrance.source.setup,
        }
        for entrance in wire(config).entrances.values()
    ]
    _print(rows, ("source", "type", "path", "set-up"), as_json=as_json)


def _given(**filters: str | None) -> dict[str, str]:
    """Return the filters that were given."""
    return {name: text for name, text in filters.items() if text is not None}


def _print(
    rows: list[dict[str, Any]], columns: tuple[str, ...], *, as_json: bool
) -> None:
    """Print rows for a person or for a program."""
    if as_json:
        print_json(rows)
    else:
        print_table(rows, columns)


def _stop_unread(product: Product, error: StorageFailed) -> None:
    """End a command that could not read the database."""
    remedy = "Is it there? 'python main.py migrate' makes it."
    stop(f"{product.location}: {error}. {remedy}", NO_DATABASE)
