"""migrate and replay."""

from typing import Annotated

import typer

from app.bootstrap import Product, open_inbox
from app.cli.output import Json, out, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.cli.show import reading, stop_unread
from app.core.errors import StorageFailed
from app.core.numbers import LAST_ID
from app.ingest.replay import replay as replay_quarantine
from app.store.migrate import migrate as migrate_store

NO_DATABASE = 3


def migrate(config: ConfigFile = None, as_json: Json = False) -> None:
    """Create the database, or bring it to this release's schema."""
    product = wire(config)
    try:
        before, after = migrate_store(product.location)
    except StorageFailed as error:
        stop(str(error), NO_DATABASE)
    if as_json:
        print_json({"before": before, "after": after})
    elif before == after:
        out.print(f"{product.location} is up to date ({after}).")
    else:
        out.print(f"{product.location}: {before or 'new'} -> {after}.")


def replay(
    config: ConfigFile = None,
    source: Annotated[
        str | None, typer.Option(help="Only what this source sent.")
    ] = None,
    delivery: Annotated[
        int | None,
        typer.Option(help="Only this delivery.", min=1, max=LAST_ID),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read the quarantine again, after a parser or a setting was mended."""
    product = wire(config)
    limits = product.settings.server.limits
    inbox = open_inbox(product.location, limits.waiting_seconds)
    where = {"source": source, "id": delivery}
    try:
        done = list(replay_quarantine(inbox, product.entrances, limits, where))
    except StorageFailed as error:
        stop_unread(product, error)
    finally:
        inbox.close()
    if not done and (wrong := _wrong_choice(product, source, delivery)):
        stop(wrong)
    if as_json:
        print_json(done)
        return
    rows = [
        {
            "delivery": one.delivery,
            "source": one.source,
            "new alerts": one.receipt.accepted if one.receipt else 0,
            "still wrong": f"{one.flaw.reason} {one.flaw.field}"
            if one.flaw
            else "",
        }
        for one in done
    ]
    if rows:
        print_table(rows, tuple(rows[0]))
    mended = sum(one.flaw is None for one in done)
    out.print(f"{len(done)} read again, {mended} understood now.")


def _wrong_choice(
    product: Product, source: str | None, delivery: int | None
) -> str:
    """Return why nothing was found of what was asked for, or nothing.

    Who mistypes a name must not hear that all is understood.
    """
    if source is not None and source not in product.entrances:
        return (
            f"There is no source {source!r}, and nothing of it waits;"
            " 'python main.py sources' lists those that are."
        )
    if delivery is not None:
        with reading(product) as reader:
            if reader.find_delivery(delivery) is None:
                return (
                    f"There is no delivery {delivery}; 'python main.py"
                    " deliveries --outcome unparsed' lists what waits."
                )
    return ""
