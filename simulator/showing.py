"""How the commands speak: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 1_000_000  # a file or a pipe has no width
out = Console(
    highlight=False,
    markup=False,
    width=None if sys.stdout.isatty() else WIDE,
)
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def plain(value: Any) -> Text:
    """Return a cell without anything that could steer a terminal."""
    text = "" if value is None else str(value)
    return Text(
        "".join(
            c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
        )
    )


def show_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows in columns."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    out.print(table)


def show_truths(truths: Sequence[dict[str, Any]]) -> None:
    """Print faults that run or ran."""
    rows = []
    for one in truths:
        target = one.get("target") or {}
        name = " ".join(f"{key}={value}" for key, value in target.items())
        level = f"{one['level']} {one['unit']}"
        ended = one.get("ended_by") or f"runs, {one['seconds']} s at most"
        rows.append((one["fault"], level, name, one["began_at"], ended))
    show_table(("fault", "level", "on", "began", "ended by"), rows)


def say(words: str) -> None:
    """Print a line."""
    out.print(plain(words))


def stop(message: str, code: int) -> NoReturn:
    """Print an error and end with a code."""
    text = plain(message)
    text.stylize("red")
    err.print(text)
    raise typer.Exit(code)
