"""Whole lists as files: CSV for spreadsheets, NDJSON, Parquet.

A format takes the rows as JSON shows them, some at a time, and forgets them.
"""

import csv
import io
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec
from pydantic import BaseModel

from app.core.clock import from_iso
from app.core.parquet import Column, Kind, ParquetWriter

Row = Mapping[str, Any]
KINDS = {bool: Kind.BOOLEAN, int: Kind.INTEGER}
# A spreadsheet takes a text that begins so for a formula, and runs it; some
# do where the sign is a wide one, as keyboards of East Asia write it.
WIDE = ("\uff1d", "\uff0b", "\uff0d", "\uff20")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", *WIDE)
# Rows of a group in a Parquet file, and about how many bytes they hold.
GROUP_ROWS = 5_000
GROUP_BYTES = 4_194_304


def _fields(value: Any) -> Any:
    """Return the fields of a view that stands in another one."""
    if isinstance(value, BaseModel):
        return vars(value)
    raise TypeError(f"{type(value).__name__} is nothing to write")


encode = msgspec.json.Encoder(enc_hook=_fields).encode


class Format(StrEnum):
    """What kind of file."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


class Writer(Protocol):
    """Makes the bytes of one file out of its rows."""

    def begin(self) -> bytes:
        """Return what stands before the rows."""

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Return some rows, or nothing yet."""

    def end(self) -> bytes:
        """Return what stands after the rows."""


def columns_of(view: type[BaseModel]) -> tuple[Column, ...]:
    """Return the columns of a list out of what JSON shows of it."""
    return tuple(
        Column(name, _kind(name, field.annotation))
        for name, field in view.model_fields.items()
    )


def _kind(name: str, annotation: Any) -> Kind:
    """Return what a column holds; what is no plain value is JSON text."""
    if isinstance(annotation, types.UnionType):
        given = [
            one
            for one in typing.get_args(annotation)
            if one is not types.NoneType
        ]
        annotation = given[0] if len(given) == 1 else None
    is_moment = name == "at" or name.endswith(("_at", "_until"))
    if is_moment and annotation is str:
        return Kind.MOMENT
    return KINDS.get(annotation, Kind.TEXT)


class NdjsonWriter:
    """One JSON object a line."""

    def begin(self) -> bytes:
        """Return nothing: there is no head."""
        return b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Return a line for each row."""
        return b"".join(encode(row) + b"\n" for row in rows)

    def end(self) -> bytes:
        """Return nothing."""
        return b""


class CsvWriter:
    """RFC 4180 with a line of names, safe to open in a spreadsheet."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Take the columns."""
        self._names = [column.name for column in columns]

    def begin(self) -> bytes:
        """Return the line of names."""
        return self._lines([self._names])

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Return a line for each row; a cell may hold line breaks."""
        return self._lines(
            [[_cell(row[name]) for name in self._names] for row in rows]
        )

    def end(self) -> bytes:
        """Return nothing."""
        return b""

    def _lines(self, lines: Sequence[Sequence[str]]) -> bytes:
        """Return lines of cells."""
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\r\n").writerows(lines)
        return out.getvalue().encode(errors="replace")


def _cell(value: Any) -> str:
    """Return a value as a cell; a text never begins as a formula does."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(DANGEROUS) else value
    return encode(value).decode()


class TableWriter:
    """Parquet; rows wait until there are enough for a group."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Take the columns."""
        self._writer = ParquetWriter(columns)
        self._plain: dict[str, Callable[[Any], Any]] = {
            column.name: PLAIN.get(column.kind, _text) for column in columns
        }
        self._waiting: list[Row] = []
        self._weight = 0

    def begin(self) -> bytes:
        """Return the head of the file."""
        return self._writer.begin()

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Take some rows; return a group when there are enough."""
        for row in rows:
            plain = {
                name: to_plain(row[name])
                for name, to_plain in self._plain.items()
            }
            self._weight += _weigh(plain)
            self._waiting.append(plain)
        is_full = len(self._waiting) >= GROUP_ROWS
        if is_full or self._weight >= GROUP_BYTES:
            return self._group()
        return b""

    def end(self) -> bytes:
        """Return the last group and the foot."""
        return (self._group() if self._waiting else b"") + self._writer.end()

    def _group(self) -> bytes:
        """Return what waits as a group."""
        group = self._writer.group(self._waiting)
        self._waiting = []
        self._weight = 0
        return group


def _weigh(row: Row) -> int:
    """Return about how many bytes a row holds."""
    return sum(
        len(value) if isinstance(value, str) else 8 for value in row.values()
    )


def _as_it_is(value: Any) -> Any:
    """Return a value that the file holds as it is."""
    return value


def _moment(value: str | None) -> int | None:
    """Return a time as the file holds it."""
    return None if value is None else from_iso(value)


def _text(value: Any) -> str | None:
    """Return a text as it is, and anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return encode(value).decode()


PLAIN: dict[Kind, Callable[[Any], Any]] = {
    Kind.BOOLEAN: _as_it_is,
    Kind.INTEGER: _as_it_is,
    Kind.MOMENT: _moment,
}
MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.NDJSON: "application/x-ndjson",
    Format.PARQUET: "application/vnd.apache.parquet",
}


def make_writer(kind: Format, columns: Sequence[Column]) -> Writer:
    """Return a writer of one file."""
    if kind is Format.CSV:
        return CsvWriter(columns)
    if kind is Format.PARQUET:
        return TableWriter(columns)
    return NdjsonWriter()
