"""Parquet files, written a group of rows at a time.

The small part of the format that a list needs: flat columns, plain values,
one page for each column of a group, gzip. The reasons are in
docs/decisions/009; https://parquet.apache.org/docs/file-format/ names the
numbers below.
"""

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec

MAGIC = b"PAR1"
GZIP = 31  # zlib's word for: with the head and tail of gzip
LEVEL = 1
# Types of Thrift's compact protocol.
TRUE, I32, I64, BINARY, LIST, STRUCT = 1, 5, 6, 8, 9, 12
# Numbers of the format.
PLAIN, RLE = 0, 3
GZIP_CODEC = 2
OPTIONAL = 1

Part = tuple[int, int, bytes]


class Kind(Enum):
    """What a column holds; the value is the physical type."""

    BOOLEAN = (0, "bool")
    INTEGER = (2, "int")
    MOMENT = (2, "microseconds since 1970, UTC")
    TEXT = (6, "str")


class Column(msgspec.Struct, frozen=True):
    """One column: any of its values may be None."""

    name: str
    kind: Kind


class ParquetWriter:
    """Makes the bytes of one file, to be written in the order of the calls.

    It keeps some hundred bytes for each group until the end, never rows.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        """Take the columns; the file begins with ``begin``."""
        self._columns = tuple(columns)
        self._position = 0
        self._rows = 0
        self._groups: list[bytes] = []

    def begin(self) -> bytes:
        """Return the first bytes of the file."""
        return self._placed(MAGIC)

    def group(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Return some rows as a group of the file."""
        pages: list[bytes] = []
        chunks: list[bytes] = []
        total = 0
        for column in self._columns:
            offset = self._position
            values = [row[column.name] for row in rows]
            page, size = _page(column.kind, values)
            total += size
            pages.append(self._placed(page))
            chunks.append(_chunk(column, len(rows), (offset, len(page), size)))
        self._rows += len(rows)
        self._groups.append(
            _struct(
                _list(1, STRUCT, chunks),
                _i64(2, total),
                _i64(3, len(rows)),
            )
        )
        return b"".join(pages)

    def end(self) -> bytes:
        """Return the foot, without which no reader takes the file."""
        root = _struct(_text(4, "row"), _i32(5, len(self._columns)))
        foot = _struct(
            _i32(1, 1),
            _list(2, STRUCT, [root, *map(_element, self._columns)]),
            _i64(3, self._rows),
            _list(4, STRUCT, self._groups),
            _text(6, "smokejumper"),
        )
        return self._placed(foot + struct.pack("<I", len(foot)) + MAGIC)

    def _placed(self, part: bytes) -> bytes:
        """Return a part, counted: the foot says where each begins."""
        self._position += len(part)
        return part


def _page(kind: Kind, values: Sequence[Any]) -> tuple[bytes, int]:
    """Return the only page of a column's chunk, and its size unpacked."""
    levels = _levels(values)
    there = [value for value in values if value is not None]
    plain = struct.pack("<I", len(levels)) + levels + ENCODERS[kind](there)
    packed = zlib.compress(plain, LEVEL, GZIP)
    head = _struct(
        _i32(1, 0),
        _i32(2, len(plain)),
        _i32(3, len(packed)),
        _inner(
            5,
            _i32(1, len(values)),
            _i32(2, PLAIN),
            _i32(3, RLE),
            _i32(4, RLE),
        ),
    )
    return head + packed, len(head) + len(plain)


def _levels(values: Sequence[Any]) -> bytes:
    """Return which values are there: a 1 for each that is, a 0 for None."""
    missing = sum(value is None for value in values)
    if missing in (0, len(values)):
        # A run of one number.
        return _varint(len(values) << 1) + bytes([not missing])
    bits = _bits([value is not None for value in values])
    return _varint((len(bits) << 1) | 1) + bits


def _bits(flags: Sequence[bool]) -> bytes:
    """Return flags as bits, the first one lowest, filled up to a byte."""
    if not flags:
        return b""
    digits = "".join("1" if flag else "0" for flag in reversed(flags))
    return int(digits, 2).to_bytes((len(flags) + 7) // 8, "little")


def _integers(values: Sequence[int]) -> bytes:
    """Return whole numbers of eight bytes."""
    return struct.pack(f"<{len(values)}q", *values)


def _texts(values: Sequence[str]) -> bytes:
    """Return texts in UTF-8, each after its length."""
    parts: list[bytes] = []
    for value in values:
        # Half a character, which JSON can smuggle in, becomes "?".
        text = value.encode(errors="replace")
        parts += (struct.pack("<I", len(text)), text)
    return b"".join(parts)


ENCODERS: dict[Kind, Callable[[Sequence[Any]], bytes]] = {
    Kind.BOOLEAN: _bits,
    Kind.INTEGER: _integers,
    Kind.MOMENT: _integers,
    Kind.TEXT: _texts,
}


def _chunk(column: Column, rows: int, place: tuple[int, int, int]) -> bytes:
    """Return what the foot says of a column in a group.

    Args:
        column: which one.
        rows: how many values it has there, None counted.
        place: where it begins, its size and its size unpacked.
    """
    offset, packed, size = place
    about = _inner(
        3,
        _i32(1, column.kind.value[0]),
        _list(2, I32, [_zigzag(PLAIN), _zigzag(RLE)]),
        _list(3, BINARY, [_binary(column.name)]),
        _i32(4, GZIP_CODEC),
        _i64(5, rows),
        _i64(6, size),
        _i64(7, packed),
        _i64(9, offset),
    )
    return _struct(_i64(2, offset), about)


def _element(column: Column) -> bytes:
    """Return what the foot says of a column in the schema."""
    parts = [
        _i32(1, column.kind.value[0]),
        _i32(3, OPTIONAL),
        _text(4, column.name),
    ]
    if column.kind is Kind.TEXT:
        parts += [_i32(6, 0), _inner(10, _inner(1))]
    elif column.kind is Kind.MOMENT:
        is_utc: Part = (1, TRUE, b"")
        microseconds = _inner(2, _inner(2))
        parts += [_i32(6, 10), _inner(10, _inner(8, is_utc, microseconds))]
    return _struct(*parts)


# Thrift's compact protocol: what a reader of the foot expects.


def _varint(number: int) -> bytes:
    """Return a number of any size, seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _zigzag(number: int) -> bytes:
    """Return a number that is never negative here as a signed one."""
    return _varint(number << 1)


def _binary(text: str) -> bytes:
    """Return a text after its length."""
    raw = text.encode()
    return _varint(len(raw)) + raw


def _i32(number: int, value: int) -> Part:
    """Return a field of a struct that holds a number."""
    return number, I32, _zigzag(value)


def _i64(number: int, value: int) -> Part:
    """Return a field of a struct that holds a wide number."""
    return number, I64, _zigzag(value)


def _text(number: int, value: str) -> Part:
    """Return a field of a struct that holds a text."""
    return number, BINARY, _binary(value)


def _inner(number: int, *parts: Part) -> Part:
    """Return a field of a struct that holds another struct."""
    return number, STRUCT, _struct(*parts)


def _list(number: int, kind: int, items: Sequence[bytes]) -> Part:
    """Return a field of a struct that holds a list."""
    count = len(items)
    head = (
        bytes([count << 4 | kind])
        if count < 15
        else bytes([0xF0 | kind]) + _varint(count)
    )
    return number, LIST, head + b"".join(items)


def _struct(*parts: Part) -> bytes:
    """Return a struct; each field says how far it is from the one before."""
    out = bytearray()
    before = 0
    for number, kind, content in parts:
        out.append((number - before) << 4 | kind)
        out += content
        before = number
    out.append(0)
    return bytes(out)
