"""export: a whole list as a file, while the service runs or without it."""

import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from app.api.export import QUERIES, begin
from app.api.formats import Format
from app.cli.output import err, stop
from app.cli.setup import WRONG_SETTINGS, ConfigFile, wire
from app.cli.show import reading

NOT_WRITTEN = 1


class List(StrEnum):
    """What can be exported."""

    INCIDENTS = "incidents"
    LOG = "log"
    ALERTS = "alerts"
    DELIVERIES = "deliveries"


def export(
    what: Annotated[List, typer.Argument(help="Which list.")],
    config: ConfigFile = None,
    kind: Annotated[
        Format, typer.Option("--format", help="The kind of file.")
    ] = Format.NDJSON,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to; else to stdout."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="A filter of the list, as NAME=VALUE; repeatable."),
    ] = None,
) -> None:
    """Write a whole list into a file, newest first."""
    product = wire(config)
    query = _read(what, kind, only or ())
    try:
        with reading(product) as reader:
            parts = begin(reader, what, query)
            if output is None:
                _print(parts)
            else:
                _write(parts, output)
    except OSError as error:
        stop(f"It cannot be written: {error}.", NOT_WRITTEN)


def _read(what: str, kind: Format, only: Sequence[str]) -> Any:
    """Return the filters, or end the command with the first wrong one."""
    given: dict[str, list[str]] = {}
    for one in only:
        name, sign, value = one.partition("=")
        if not sign:
            stop(f"{one!r} is no NAME=VALUE.", WRONG_SETTINGS)
        given.setdefault(name, []).append(value)
    query = QUERIES[what]
    lists = {
        name
        for name, field in query.model_fields.items()
        if isinstance(field.default, list)
    }
    plain = {
        name: values if name in lists else values[-1]
        for name, values in given.items()
    }
    try:
        return query(**{**plain, "format": kind})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        stop(f"--only {field}: {first['msg']}.", WRONG_SETTINGS)


def _print(parts: Iterator[bytes]) -> None:
    """Write the parts to stdout, byte for byte."""
    for part in parts:
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


def _write(parts: Iterator[bytes], output: Path) -> None:
    """Write the parts into a file that has its name only when it is whole."""
    if not output.name:
        stop(f"{output} is no name for a file.", NOT_WRITTEN)
    draft = output.with_name(f"{output.name}.part")
    try:
        with draft.open("wb") as file:
            for part in parts:
                file.write(part)
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    err.print(f"{output}: {output.stat().st_size} bytes.")
