"""deliveries, alerts and sources: what came in, and from where."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any, NoReturn

import typer

from app.api.views import AlertItem, DeliveryView
from app.bootstrap import Product
from app.cli.output import Json, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.core.errors import StorageFailed, TooBusy
from app.models.alert import Status
from app.models.delivery import Outcome
from app.store.reading import Reader

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
Limit = Annotated[int, typer.Option(help="How many.", min=1, max=500)]
Canary = Annotated[
    bool, typer.Option("--canary", help="Also what is about the canary.")
]
Source = Annotated[str | None, typer.Option(help="Only of this source.")]


def deliveries(
    config: ConfigFile = None,
    source: Source = None,
    outcome: Annotated[
        Outcome | None, typer.Option(help="Only what came of it.")
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what came in and what became of it, newest first."""
    product = wire(config)
    where = given(source=source, outcome=outcome)
    with reading(product) as reader:
        rows = reader.deliveries(where, None, limit)
    views = [DeliveryView.of(row).model_dump() for row in rows]
    print_rows(views, DELIVERY_COLUMNS, as_json=as_json)


def alerts(
    config: ConfigFile = None,
    source: Source = None,
    status: Annotated[
        Status | None, typer.Option(help="Only those that say so.")
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List the alerts, newest first."""
    product = wire(config)
    where = given(source=source, status=status)
    with reading(product) as reader:
        rows = reader.alerts(where, None, limit)
    views = [AlertItem.of(row).model_dump() for row in rows]
    print_rows(views, ALERT_COLUMNS, as_json=as_json)


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
    print_rows(rows, ("source", "type", "path", "set-up"), as_json=as_json)


def given(**filters: Any) -> dict[str, Any]:
    """Return the filters that were given."""
    return {
        name: str(text) if isinstance(text, StrEnum) else text
        for name, text in filters.items()
        if text is not None
    }


def of_incidents(number: int | None) -> dict[str, Any]:
    """Return the filter of a list: all but the canary, or one incident."""
    if number is None:
        return {"canary": False}
    return {"incident_id": number}


def print_rows(
    rows: Sequence[dict[str, Any]], columns: tuple[str, ...], *, as_json: bool
) -> None:
    """Print rows for a person or for a program."""
    if as_json:
        print_json(rows)
    else:
        print_table(rows, columns)


@contextmanager
def reading(product: Product) -> Iterator[Reader]:
    """Lend what reads the database, or end the command with what failed."""
    try:
        yield product.reader
    except (StorageFailed, TooBusy) as error:
        stop_unread(product, error)
    finally:
        product.reader.close()


def stop_unread(product: Product, error: StorageFailed | TooBusy) -> NoReturn:
    """End a command that could not read the database."""
    remedy = (
        "Is it there? 'python main.py migrate' makes it; 'restore' brings a"
        " backup back."
    )
    if isinstance(error, TooBusy):
        remedy = error.remedy
    stop(f"{product.location}: {error}. {remedy}", NO_DATABASE)
