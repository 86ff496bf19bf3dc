"""Lists as files: cells, lines, tables, and how they are read."""

import csv
import io
import json
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types
import pytest
from pydantic import BaseModel

from app.api.exporting import LISTS, Listed, Places, Span, export
from app.api.formats import (
    GROUP_BYTES,
    GROUP_ROWS,
    CsvWriter,
    Format,
    NdjsonWriter,
    TableWriter,
    Writer,
    columns_of,
    make_writer,
)
from app.core.errors import TooBusy
from app.core.parquet import Column, Kind

TEXT = (Column("text", Kind.TEXT),)


class Inner(BaseModel):
    """What stands in a row."""

    value: int


class Line(BaseModel):
    """A row with a column of each kind."""

    id: int
    at: str
    seen_at: str | None
    held_until: str | None
    format: str
    what_at: int
    is_new: bool | None
    number: int | None
    either: int | str | None
    labels: dict[str, str]
    ids: list[int]
    body: Any
    inner: Inner | None


def cells(*values: Any) -> list[str]:
    """Return values as a reader of CSV sees them again."""
    writer = CsvWriter(TEXT)
    file = writer.begin() + writer.rows([{"text": one} for one in values])
    lines = csv.reader(io.StringIO(file.decode(), newline=""), strict=True)
    return [cell for (cell,) in lines][1:]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff20SUM(A1)", "'\uff20SUM(A1)"),
        ("+49 30", "'+49 30"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("a=1", "a=1"),
        ("'=1", "'=1"),
        ("", ""),
        (None, ""),
        ("None", "None"),
        (-5, "-5"),
        (0, "0"),
        (False, "false"),
        (True, "true"),
        (1.5, "1.5"),
        ('say "no", then', 'say "no", then'),
        ("a\r\nb\nc\rd", "a\r\nb\nc\rd"),
        ("Größe 5\u2028β 🦊", "Größe 5\u2028β 🦊"),
        ("\ud800", "?"),
        ([], "[]"),
        ([1, 2], "[1,2]"),
        ({"a": "=1"}, '{"a":"=1"}'),
        (Inner(value=3), '{"value":3}'),
        ({"a": [Inner(value=3)]}, '{"a":[{"value":3}]}'),
    ],
)
def test_a_cell_is_the_value_and_never_a_formula(
    value: Any, cell: str
) -> None:
    """A reader of CSV finds it in one cell."""
    assert cells(value, "end") == [cell, "end"]


def test_csv_has_its_names_first_and_ends_lines_as_the_rfc_says() -> None:
    """Columns keep their order, whatever order a row has."""
    writer = CsvWriter((Column("b", Kind.TEXT), Column("a", Kind.INTEGER)))
    rows = writer.rows([{"a": 1, "b": "x", "c": 9}, {"b": "", "a": None}])
    assert writer.begin() + rows + writer.end() == b"b,a\r\nx,1\r\n,\r\n"


def test_a_csv_without_rows_has_names() -> None:
    """So that a spreadsheet shows what is empty."""
    writer = CsvWriter(TEXT)
    parts = writer.begin(), writer.rows([]), writer.end()
    assert b"".join(parts) == b"text\r\n"


@pytest.mark.parametrize(
    "row",
    [
        {"a": None, "b": False, "c": 0, "d": ""},
        {"text": "a\nb\u2028c\r"},
        {"labels": {"": "=1"}, "ids": []},
        {"inner": {"value": 2**63 - 1}},
    ],
)
def test_a_row_is_one_line_of_json(row: dict[str, Any]) -> None:
    """No line break of a text is one of the file."""
    lines = NdjsonWriter().rows([row, row]).split(b"\n")
    assert [json.loads(one) for one in lines[:-1]] == [row, row]
    assert lines[-1] == b""


def test_a_view_in_a_row_is_an_object() -> None:
    """Not the text that Python has for it."""
    line = NdjsonWriter().rows([{"inner": Inner(value=3)}])
    assert line == b'{"inner":{"value":3}}\n'


@pytest.mark.parametrize("value", [object(), lambda: None, 1j])
def test_what_json_does_not_know_is_no_row(value: Any) -> None:
    """Better no file than one with a wrong value."""
    with pytest.raises(TypeError, match="nothing to write"):
        NdjsonWriter().rows([{"a": value}])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("id", Kind.INTEGER),
        ("at", Kind.MOMENT),
        ("seen_at", Kind.MOMENT),
        ("held_until", Kind.MOMENT),
        ("format", Kind.TEXT),
        ("what_at", Kind.INTEGER),
        ("is_new", Kind.BOOLEAN),
        ("number", Kind.INTEGER),
        ("either", Kind.TEXT),
        ("labels", Kind.TEXT),
        ("ids", Kind.TEXT),
        ("body", Kind.TEXT),
        ("inner", Kind.TEXT),
    ],
)
def test_a_column_has_the_kind_of_its_field(name: str, kind: Kind) -> None:
    """A time is one by its name, and only when it is a text."""
    kinds = {one.name: one.kind for one in columns_of(Line)}
    assert kinds[name] is kind
    assert list(kinds) == list(Line.model_fields)


@pytest.mark.parametrize("name", LISTS)
def test_every_time_of_a_list_is_a_moment(name: str) -> None:
    """And nothing else is; so a table can be sorted by it."""
    columns = columns_of(LISTS[name][1])
    moments = {one.name for one in columns if one.kind is Kind.MOMENT}
    assert moments == {
        one.name
        for one in columns
        if one.name == "at" or one.name.endswith(("_at", "_until"))
    }
    assert moments


def table(writer: TableWriter, *parts: list[dict[str, Any]]) -> Any:
    """Return the file that becomes of rows, open."""
    file = writer.begin() + b"".join(map(writer.rows, parts)) + writer.end()
    return pq.ParquetFile(io.BytesIO(file))


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        (Kind.TEXT, None, None),
        (Kind.TEXT, "", ""),
        (Kind.TEXT, "=1", "=1"),
        (Kind.TEXT, {}, "{}"),
        (Kind.TEXT, [1], "[1]"),
        (Kind.TEXT, 0, "0"),
        (Kind.TEXT, Inner(value=1), '{"value":1}'),
        (Kind.INTEGER, 0, 0),
        (Kind.INTEGER, 2**63 - 1, 2**63 - 1),
        (Kind.BOOLEAN, False, False),
        (Kind.BOOLEAN, None, None),
        (Kind.MOMENT, None, None),
        (Kind.MOMENT, "", None),
    ],
)
def test_a_table_holds_the_plain_value(
    kind: Kind, value: Any, found: Any
) -> None:
    """None stays None, and what is no plain value is JSON."""
    one = Column("a", kind)
    file = table(TableWriter((one,)), [{"a": value, "b": 1}])
    assert file.read().to_pylist() == [{"a": found}]


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2026-11-21T09:00:00+01:00", 1_795_248_000_000_000),
    ],
)
def test_a_table_holds_times_as_times(text: str, micros: int) -> None:
    """To the microsecond."""
    file = table(TableWriter((Column("at", Kind.MOMENT),)), [{"at": text}])
    assert file.read()["at"].cast("int64").to_pylist() == [micros]


@pytest.mark.parametrize(
    ("parts", "groups"),
    [
        ([], []),
        ([0], []),
        ([1], [1]),
        ([3, 0, 2], [5]),
        ([GROUP_ROWS - 1, 1], [GROUP_ROWS]),
        ([GROUP_ROWS - 1, 1, 1], [GROUP_ROWS, 1]),
        ([GROUP_ROWS + 1, 1], [GROUP_ROWS + 1, 1]),
    ],
)
def test_rows_wait_for_a_group(parts: list[int], groups: list[int]) -> None:
    """A group has about so many, and none is empty."""
    rows = [[{"text": "a"}] * many for many in parts]
    about = table(TableWriter(TEXT), *rows).metadata
    found = [about.row_group(n).num_rows for n in range(len(groups))]
    assert (found, about.num_row_groups) == (groups, len(groups))


def test_long_rows_make_a_group_of_their_own() -> None:
    """Memory stays flat; the weight of the last group is forgotten."""
    long = [{"text": "a" * GROUP_BYTES}]
    about = table(TableWriter(TEXT), long, [{"text": "b"}], long).metadata
    assert [about.row_group(n).num_rows for n in range(2)] == [1, 2]


@pytest.mark.parametrize(
    ("kind", "writer"),
    [
        (Format.CSV, CsvWriter),
        (Format.NDJSON, NdjsonWriter),
        (Format.PARQUET, TableWriter),
    ],
)
def test_each_format_has_its_writer(kind: Format, writer: type) -> None:
    """Nobody gets another format than the one that was asked for."""
    assert type(make_writer(kind, TEXT)) is writer


class Only(BaseModel):
    """What JSON shows of a row here."""

    id: int

    @classmethod
    def of(cls, row: Any) -> "Only":
        """Return a row as it is shown."""
        return cls(id=row.id)


class Stored:
    """A row of the store, with a text."""

    def __init__(self, number: int, text: str) -> None:
        self.id = number
        self._mapping = {"id": number, "text": text}


class Shelf:
    """Rows by id, as a list has them; records how it was asked."""

    def __init__(self, ids: range, text: str = "") -> None:
        self.ids = ids
        self.text = text
        self.wants: list[int] = []

    def find(
        self, _where: object, between: tuple[int, int], limit: int
    ) -> list[Stored]:
        """Return the newest rows between two ids."""
        self.wants.append(limit)
        after, before = between
        top = min(before, self.ids.stop)
        found = range(top - 1, max(after, self.ids.start - 1), -1)
        return [Stored(number, self.text) for number in found[:limit]]

    def exported(self, span: Span, writer: Writer | None = None) -> list[int]:
        """Return the ids of a file of lines."""
        parts = export(Listed(self.find, Only), span, writer or NdjsonWriter())
        lines = b"".join(parts).splitlines()
        return [json.loads(line)["id"] for line in lines]


@pytest.mark.parametrize(
    ("span", "ids"),
    [
        (Span({}), range(900, 0, -1)),
        (Span({}, after=899), [900]),
        (Span({}, after=900), []),
        (Span({}, before=2), [1]),
        (Span({}, before=1), []),
        (Span({}, after=3, before=6), [5, 4]),
        (Span({}, limit=1), [900]),
        (Span({}, limit=200), range(900, 700, -1)),
        (Span({}, limit=201), range(900, 699, -1)),
        (Span({}, limit=0), []),
        (Span({}, after=699, limit=200), range(900, 700, -1)),
    ],
)
def test_a_file_has_each_row_of_its_span_once(
    span: Span, ids: list[int]
) -> None:
    """Newest first, and no page twice."""
    assert Shelf(range(1, 901)).exported(span) == list(ids)


@pytest.mark.parametrize(
    ("many", "text", "limit", "wants"),
    [
        (3_000, "", 9_999, [200, 400, 800, 1_000, 1_000]),
        (600, "", 9_999, [200, 400, 800]),
        (600, "", 600, [200, 400]),
        (500, "", 350, [200, 150]),
        (450, "a" * 4_000, 9_999, [200, 200, 200]),
        (321, "a" * 10_486, 9_999, [200, 99, 99]),
        (220, "a" * 1_048_576, 9_999, [200, 10, 10, 10]),
    ],
)
def test_pages_are_as_long_as_their_rows_are_short(
    many: int, text: str, limit: int, wants: list[int]
) -> None:
    """Memory does not grow with the rows, nor does a page crawl."""
    shelf = Shelf(range(1, many + 1), text)
    exported = shelf.exported(Span({}, limit=limit))
    assert len(exported) == min(many, limit)
    assert shelf.wants == wants


def test_nothing_is_read_before_it_is_asked_for() -> None:
    """A slow reader holds up the reading."""
    shelf = Shelf(range(1, 901))
    parts = export(Listed(shelf.find, Only), Span({}), CsvWriter(TEXT))
    assert (next(parts), shelf.wants) == (b"text\r\n", [])


def test_there_are_so_many_places() -> None:
    """One that is given back can be taken again, and no other."""
    places = Places(2)
    places.enter()
    places.enter()
    with pytest.raises(TooBusy, match="2 exports run already") as refused:
        places.enter()
    assert (refused.value.status, refused.value.reason) == (503, "exports")
    places.leave()
    places.enter()
    with pytest.raises(TooBusy):
        places.enter()


def test_no_place_is_given_back_twice() -> None:
    """Else the bound would grow in silence."""
    with pytest.raises(ValueError, match="released"):
        Places(1).leave()
