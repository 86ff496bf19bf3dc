"""How commands speak: tables for people, JSON for programs."""

import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import msgspec
import typer

from app.core.deferred import Deferred

if TYPE_CHECKING:
    from rich import console, table, text
else:
    # The service speaks this way only when it cannot start.
    console, table = Deferred("rich.console"), Deferred("rich.table")
    text = Deferred("rich.text")

Json = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of a table.")
]
# A file or a pipe has no width: nothing is cut or wrapped there.
WIDE = 1_000_000  # wider than any cell that is stored


class Voice:
    """Writes for people."""

    def __init__(self, *, is_error: bool) -> None:
        """Take whether it writes to stderr."""
        self._is_error = is_error

    @cached_property
    def console(self) -> "console.Console":
        """Return what writes, made when there is something to say."""
        # Names and paths of strangers stand in what is printed: no markup.
        if self._is_error:
            return console.Console(
                stderr=True, highlight=False, markup=False, soft_wrap=True
            )
        return console.Console(
            highlight=False,
            markup=False,
            width=None if sys.stdout.isatty() else WIDE,
        )

    def print(self, *things: Any, **how: Any) -> None:
        """Write things as they are, or as rich is told to."""
        self.console.print(*things, **how)


out, err = Voice(is_error=False), Voice(is_error=True)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    typer.echo(msgspec.json.encode(value).decode())


def print_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    """Print some columns of rows; texts of strangers are only text."""
    drawn = table.Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        drawn.add_column(column)
    for row in rows:
        cells = (text.Text(_plain(row[column])) for column in columns)
        drawn.add_row(*cells)
    out.print(drawn)


def _plain(value: Any) -> str:
    """Return a cell without anything that could steer a terminal."""
    written = "" if value is None else str(value)
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in written
    )


def stop(message: str, code: int = 1) -> NoReturn:
    """Print an error and end with a code."""
    err.print(text.Text(message, style="red"))
    raise typer.Exit(code)
