"""What commands that ask for something have in common.

They write through the store themselves, in a turn of their own: they work
while the service runs, on any node, and when it does not.
"""

import getpass
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from app.api.turns import in_time
from app.bootstrap import Product
from app.cli.mutes import write
from app.cli.output import out, print_json, print_table, stop
from app.cli.show import stop_unread
from app.core.errors import Refused, StorageFailed, TooBusy
from app.core.numbers import LAST_ID
from app.store.ledger import Connection

REFUSED = 1
Number = Annotated[int, typer.Argument(metavar="ID", min=1, max=LAST_ID)]
OfIncident = Annotated[
    int | None, typer.Option(help="Only of this one.", min=1, max=LAST_ID)
]
Author = Annotated[
    str | None,
    typer.Option(help="Who says so.", show_default="who you are logged in as"),
]
Version = Annotated[
    int | None, typer.Option(help="Only if it is this version.", min=0)
]
B = TypeVar("B", bound=BaseModel)
T = TypeVar("T")


def me(author: str | None) -> str:
    """Return who asks, or end when nobody knows."""
    if author:
        return author
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        stop("Nobody knows who you are: say it with --author.", REFUSED)


def read_body(model: type[B], values: Mapping[str, Any]) -> B:
    """Return options as the API would take them, or end the command."""
    try:
        body = model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        stop(f"{field}: {first['msg']}", REFUSED)
    if "author" in values and not getattr(body, "author", ""):
        stop("author: say who you are.", REFUSED)
    return body


def ask(product: Product, work: Callable[[Connection], T]) -> T:
    """Do some work in a turn of its own, or end with what is wrong."""
    return write(product, in_time(work))


@contextmanager
def looking(product: Product) -> Iterator[None]:
    """End the command when what it asks for cannot be had."""
    try:
        yield
    except Refused as refusal:
        if isinstance(refusal, TooBusy):
            stop_unread(product, refusal)
        stop(f"{refusal.detail} {refusal.remedy}".strip(), REFUSED)
    except StorageFailed as error:
        stop_unread(product, error)
    finally:
        product.reader.close()


def read_arguments(pairs: list[str]) -> dict[str, str | int]:
    """Return NAME=VALUE pairs, or end the command with what is wrong."""
    found: dict[str, str | int] = {}
    for pair in pairs:
        name, is_there, value = pair.partition("=")
        if not is_there or not name:
            stop(f"{pair!r}: write NAME=VALUE", REFUSED)
        if name in found:
            stop(f"{name!r} is given twice", REFUSED)
        is_number = value.removeprefix("-").isdecimal() and value.isascii()
        found[name] = int(value) if is_number and len(value) < 18 else value
    return found


def tell(view: BaseModel, names: tuple[str, ...], *, as_json: bool) -> None:
    """Print one thing for a person or for a program."""
    values = view.model_dump()
    if as_json:
        print_json(values)
        return
    rows = [
        {"fact": name.replace("_", " "), "of it": values[name]}
        for name in names
        if values[name] not in (None, "", [])
    ]
    print_table(rows, ("fact", "of it"))


def tell_rows(
    title: str, rows: list[dict[str, Any]], names: tuple[str, ...]
) -> None:
    """Print some rows under a title, when there are any."""
    if rows:
        out.print()
        out.print(title)
        print_table(rows, names)
