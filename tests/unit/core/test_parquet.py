"""Parquet files of ours, read back by a reader that is not ours."""

import io
import struct
from datetime import timedelta
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # the same
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import EPOCH
from app.core.parquet import Column, Kind, ParquetWriter

COLUMNS = (
    Column("id", Kind.INTEGER),
    Column("at", Kind.MOMENT),
    Column("text", Kind.TEXT),
    Column("is_new", Kind.BOOLEAN),
)
WIDE = st.integers(-(2**63), 2**63 - 1)
# What Python's own datetime can hold; the file takes any.
MOMENTS = st.integers(-62_000_000_000_000_000, 250_000_000_000_000_000)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.none() | WIDE,
            "at": st.none() | MOMENTS,
            "text": st.none() | st.text(),
            "is_new": st.none() | st.booleans(),
        }
    ),
    max_size=70,
)


def written(groups: list[list[dict[str, Any]]]) -> bytes:
    """Return a file with these groups of rows."""
    writer = ParquetWriter(COLUMNS)
    parts = [writer.begin(), *map(writer.group, groups), writer.end()]
    return b"".join(parts)


def read(file: bytes) -> list[dict[str, Any]]:
    """Return the rows of a file with moments as microseconds again."""
    table = pq.read_table(io.BytesIO(file))
    rows: list[dict[str, Any]] = table.to_pylist()
    for row in rows:
        if row["at"] is not None:
            row["at"] = (row["at"] - EPOCH) // timedelta(microseconds=1)
    return rows


@given(st.lists(ROWS, max_size=5))
def test_any_rows_come_back(groups: list[list[dict[str, Any]]]) -> None:
    """None, any text and any number, in any number of groups."""
    expected = [row for group in groups for row in group]
    assert read(written(groups)) == expected


@given(ROWS)
def test_the_reader_finds_every_page(rows: list[dict[str, Any]]) -> None:
    """What the foot says of sizes and places is true."""
    file = written([rows, rows])
    about = pq.read_metadata(io.BytesIO(file))
    assert about.num_row_groups == 2
    place = 4
    for group in range(2):
        total = 0
        for number in range(len(COLUMNS)):
            chunk = about.row_group(group).column(number)
            assert chunk.data_page_offset == place
            assert chunk.num_values == len(rows)
            place += chunk.total_compressed_size
            total += chunk.total_uncompressed_size
        assert about.row_group(group).total_byte_size == total
    foot = struct.unpack("<I", file[-8:-4])[0]
    assert place == len(file) - 8 - foot


def test_a_file_without_rows_has_its_columns() -> None:
    """With no group at all, too."""
    table = pq.read_table(io.BytesIO(written([])))
    assert table.num_rows == 0
    assert table.schema.equals(
        pa.schema(
            [
                ("id", pa.int64()),
                ("at", pa.timestamp("us", tz="UTC")),
                ("text", pa.string()),
                ("is_new", pa.bool_()),
            ]
        )
    )


def test_many_groups_and_columns() -> None:
    """Lists of fifteen and more are written another way."""
    columns = [Column(f"c{n}", Kind.INTEGER) for n in range(40)]
    writer = ParquetWriter(columns)
    rows = [{f"c{n}": n * m for n in range(40)} for m in range(9)]
    parts = [writer.begin(), *(writer.group(rows) for _ in range(300))]
    file = io.BytesIO(b"".join([*parts, writer.end()]))
    assert pq.ParquetFile(file).metadata.num_row_groups == 300
    assert pq.read_table(file).to_pylist() == rows * 300


def test_half_a_character_does_no_harm() -> None:
    """JSON can hold one; UTF-8 cannot."""
    row = {"id": 1, "at": 0, "text": "a\ud800b", "is_new": True}
    assert read(written([[row]]))[0]["text"] == "a?b"


@pytest.mark.parametrize("cut", [1, 8, 100])
def test_a_short_file_is_refused(cut: int) -> None:
    """The foot comes last: what broke off is no file."""
    rows = [{"id": n, "at": n, "text": "x", "is_new": None} for n in range(9)]
    file = written([rows])
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(io.BytesIO(file[:-cut]))


def test_a_number_that_is_too_wide_is_no_row() -> None:
    """It ends the file instead of being bent."""
    row = {"id": 2**63, "at": 0, "text": "", "is_new": True}
    with pytest.raises(struct.error):
        written([[row]])
