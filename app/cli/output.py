"""How commands speak: tables for people, JSON for programs."""

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of a table.")
]
# A file or a pipe has no width: nothing is cut or wrapped there.
WIDE = 1_000_000  # wider than any cell that is stored
# Names and paths of strangers stand in what is printed: no markup.
out = Console(
    highlight=False,
    markup=False,
    width=None if sys.stdout.isatty() else WIDE,
)
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    typer.echo(msgspec.json.encode(value).decode())


def print_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    """Print some columns of rows; texts of strangers are only text."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(_plain(row[column])) for column in columns))
    out.print(table)


def _plain(value: Any) -> str:
    """Return a cell without anything that could steer a terminal."""
    text = "" if value is None else str(value)
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def stop(message: str, code: int = 1) -> NoReturn:
    """Print an error and end with a code."""
    err.print(Text(message, style="red"))
    raise typer.Exit(code)
