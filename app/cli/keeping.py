"""backup, restore and cleanup: the database as an operator sees it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import Json, out, print_json, stop
from app.cli.setup import ConfigFile, wire
from app.core.errors import SmokejumperError, StorageFailed
from app.engine.keeper import Bug
from app.store.backup import Copied, back_up
from app.store.backup import restore as bring_back

NO_DATABASE = 3


def backup(
    file: Annotated[
        Path, typer.Argument(help="Where to write it; a new one.")
    ],
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Write a backup of the database while the service runs."""
    product = wire(config)
    try:
        copied = back_up(product.location, file)
    except StorageFailed as error:
        stop(str(error), NO_DATABASE)
    _report(f"{product.location} is saved in {file}", copied, as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(help="A backup that was made here.")],
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Bring a backup back, into a place where nothing is."""
    product = wire(config)
    try:
        copied = bring_back(file, product.location)
    except StorageFailed as error:
        stop(str(error), NO_DATABASE)
    if product.anchor_file is not None:
        # It is about the database that was there before.
        product.anchor_file.forget()
    _report(f"{file} is back in {product.location}", copied, as_json=as_json)


def cleanup(config: ConfigFile = None, as_json: Json = False) -> None:
    """Take off what the settings under 'retention' call too old, now."""
    product = wire(config)
    product.keeper.start()
    try:
        gone = asyncio.run(product.cleaner.clean())
    except (SmokejumperError, Bug) as error:
        stop(f"not all is cleaned up: {error}", NO_DATABASE)
    finally:
        product.keeper.stop()
    if as_json:
        print_json(gone)
        return
    for table, count in gone.items():
        out.print(f"{table}: {count} removed")


def _report(what: str, copied: Copied, *, as_json: bool) -> None:
    """Print what a backup or a restore did, and what proves it."""
    if as_json:
        print_json(copied)
        return
    out.print(
        f"{what} ({copied.size:,} bytes; {copied.entries} entries of the"
        " action log, chain whole)."
    )
    if copied.entries:
        out.print(f"Keep this elsewhere: {copied.last}:{copied.hash}")
