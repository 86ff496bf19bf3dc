"""Exports: whole lists as files, and what breaks one off."""

import csv
import io
import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # the same
import pytest

from app.store.ledger import Ledger
from app.store.log import append
from tests.flow.events import location_of, note, write
from tests.flow.wire import dial, group
from tests.service import Service

AT = datetime(2026, 11, 21, 2, 14, 2, tzinfo=UTC)
HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    'quote " comma , and\r\nline',
    "",
    "Ünïcode ☃ \U0001f600",
    "null",
]


def export(service: Service, what: str) -> httpx.Response:
    """Return a whole export."""
    url = f"{service.url}/api/v1/export/{what}"
    return httpx.get(url, timeout=60).raise_for_status()


def rows_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the rows of an NDJSON export."""
    return [json.loads(line) for line in answer.text.splitlines()]


def table_of(answer: httpx.Response) -> Any:
    """Return a Parquet export as another program reads it."""
    return pq.read_table(io.BytesIO(answer.content))


def wait_for_folding(service: Service) -> None:
    """Wait until each alert has its incident: its row stays as it is then."""
    url = f"{service.url}/api/v1/alerts?limit=500"
    deadline = time.monotonic() + 30
    while any(
        row["incident_id"] is None for row in httpx.get(url).json()["items"]
    ):
        assert time.monotonic() < deadline, "an alert was not folded"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """Return a service with hostile entries, and seven alerts."""
    with Service(tmp_path_factory.mktemp("filled")) as service:
        write(
            service,
            *(
                note(n, summary=text, incident=n % 2, body={"t": text})
                for n, text in enumerate(HOSTILE)
            ),
        )
        for number in range(7):
            url = f"{service.url}/webhooks/alertmanager"
            httpx.post(url, content=group(f"s{number}")).raise_for_status()
        wait_for_folding(service)
        yield service


def test_lines_are_what_the_list_shows(filled: Service) -> None:
    """One object a line, newest first, the same as the list's items.

    All of each: that nothing is cut is not said.
    """
    answer = export(filled, "alerts?format=ndjson")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert "alerts.ndjson" in answer.headers["content-disposition"]
    listed = httpx.get(f"{filled.url}/api/v1/alerts?limit=500").json()
    shown = [{**row, "cut": []} for row in rows_of(answer)]
    assert shown == listed["items"]
    assert len(shown) == 7


def test_lists_of_deliveries_too(filled: Service) -> None:
    """Without their bodies."""
    listed = httpx.get(f"{filled.url}/api/v1/deliveries?limit=500").json()
    assert rows_of(export(filled, "deliveries")) == listed["items"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("kind=test.written", len(HOSTILE)),
        ("kind=test.written&incident_id=1", len(HOSTILE) // 2),
        ("kind=nothing", 0),
        ("kind=test.written&limit=3", 3),
        ("kind=test.written&before=4", 3),
        ("kind=test.written&after=7", 3),
        ("kind=test.written&after=2&before=4", 1),
        ("kind=test.written&since=2026-11-21T02:14:03Z", 0),
        ("kind=test.written&until=2026-11-21T02:14:03Z", len(HOSTILE)),
    ],
)
def test_the_filters_of_the_list(
    filled: Service, query: str, count: int
) -> None:
    """In each format the same rows; without any, a file that is whole."""
    lines = rows_of(export(filled, f"log?{query}"))
    cells = export(filled, f"log?format=csv&{query}").text
    table = table_of(export(filled, f"log?format=parquet&{query}"))
    assert len(lines) == count
    rows = list(csv.DictReader(io.StringIO(cells, newline="")))
    assert [int(row["id"]) for row in rows] == [row["id"] for row in lines]
    assert table["id"].to_pylist() == [row["id"] for row in lines]


def test_no_cell_is_a_formula(filled: Service) -> None:
    """A spreadsheet may open it; everything else is as it was."""
    answer = export(filled, "log?format=csv&kind=test.written")
    assert answer.headers["content-type"].startswith("text/csv")
    text = answer.content.decode()
    assert text.count("\r\n") == len(HOSTILE) + 2
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    rows.reverse()
    for row, written in zip(rows, HOSTILE, strict=True):
        is_dangerous = written[:1] in ("=", "+", "-", "@", "\t", "\r")
        written_so = f"'{written}" if is_dangerous and written else written
        assert row["summary"] == written_so
        assert json.loads(row["body"]) == {"t": written}
        assert row["at"] == "2026-11-21T02:14:02Z"


def test_a_table_has_types(filled: Service) -> None:
    """Numbers, times in UTC and texts; what is nested is JSON."""
    table = table_of(export(filled, "log?format=parquet&kind=test.written"))
    kinds = {field.name: field.type for field in table.schema}
    assert kinds["id"] == pa.int64()
    assert kinds["at"] == pa.timestamp("us", tz="UTC")
    assert kinds["body"] == kinds["summary"] == pa.string()
    assert table["summary"].to_pylist() == list(reversed(HOSTILE))
    assert set(table["at"].to_pylist()) == {AT}
    alerts = table_of(export(filled, "alerts?format=parquet"))
    assert json.loads(alerts["labels"][0].as_py())["alertname"] == "A"
    assert alerts["ends_at"].to_pylist() == [None] * 7


@pytest.mark.parametrize(
    "query", ["format=xml", "nonsense=1", "limit=0", "since=yesterday"]
)
def test_a_wrong_parameter_is_named(filled: Service, query: str) -> None:
    """422, before anything is sent."""
    answer = httpx.get(f"{filled.url}/api/v1/export/log?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json()["field"]


def test_what_comes_meanwhile_is_not_in_it(service: Service) -> None:
    """The newest row of an export is there when it begins."""
    write(service, *(note(n, body={"t": "x" * 9_000}) for n in range(1_000)))
    url = f"{service.url}/api/v1/export/log"
    with httpx.stream("GET", url, timeout=30) as answer:
        lines = answer.iter_lines()
        first = json.loads(next(lines))
        write(service, *map(note, range(300)))
        ids = [first["id"], *(json.loads(line)["id"] for line in lines)]
    assert ids == list(range(1_000, 0, -1))


def open_slowly(service: Service) -> socket.socket:
    """Ask for an export without reading it."""
    line = dial(service)
    line.sendall(b"GET /api/v1/export/log HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
    assert line.recv(15) == b"HTTP/1.1 200 OK"
    return line


def test_so_many_at_once(tmp_path: Path) -> None:
    """Then 503; a client that goes away makes room."""
    with Service(tmp_path, {"api": {"exports": 1}}) as service:
        big = [note(n, body={"t": "x" * 50_000}) for n in range(400)]
        write(service, *big)
        url = f"{service.url}/api/v1/export/log?limit=1"
        with open_slowly(service):
            answer = httpx.get(url)
            assert answer.status_code == 503
            assert answer.json()["reason"] == "exports"
        deadline = time.monotonic() + 20
        while httpx.get(url).status_code == 503:
            assert time.monotonic() < deadline, "the place was not freed"
            time.sleep(0.05)


def damage(service: Service) -> None:
    """Make a page in the middle of the log unreadable."""
    with closing(sqlite3.connect(service.database)) as database, database:
        database.execute("DROP TRIGGER entry_kept")
        database.execute("UPDATE entry SET at = 'no moment' WHERE id = 100")


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_a_file_that_broke_off_says_so(service: Service, kind: str) -> None:
    """After an error in the middle the answer does not end as a whole."""
    write(service, *(note(n, body={"t": "x" * 9_000}) for n in range(600)))
    damage(service)
    url = f"{service.url}/api/v1/export/log?format={kind}"
    with httpx.stream("GET", url, timeout=30) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()


def test_a_database_that_is_lost_breaks_it_off(service: Service) -> None:
    """The same for a page that cannot be read; before the first it is 503."""
    write(service, *(note(n, body={"t": "x" * 50_000}) for n in range(400)))
    line = open_slowly(service)
    with closing(sqlite3.connect(service.database)) as database, database:
        database.execute("ALTER TABLE entry RENAME TO gone")
    with line:
        answer = b""
        while part := line.recv(65_536):
            answer += part
    assert not answer.endswith(b"0\r\n\r\n")
    assert "export.broken_off" in service.log.read_text()
    after = httpx.get(f"{service.url}/api/v1/export/log")
    assert after.status_code == 503


def resident(service: Service) -> int:
    """Return the memory of a service in bytes."""
    status = Path(f"/proc/{service.pid}/status").read_text()
    (line,) = [one for one in status.splitlines() if "VmRSS" in one]
    return int(line.split()[1]) * 1024


@pytest.mark.long
def test_memory_stays_flat(service: Service) -> None:
    """80,000 entries, some 50 MB as lines, cost less than 24 MB."""
    ledger = Ledger(location_of(service), 10.0)
    text = "x" * 300
    for _ in range(8):
        notes = [note(n, body={"t": text}) for n in range(10_000)]
        with ledger.turn() as connection:
            append(connection, 1_795_227_242_000_000, notes)
    ledger.close()
    for kind in ("ndjson", "parquet", "csv"):
        export(service, f"log?limit=5000&format={kind}")
    before = most = resident(service)
    for kind in ("ndjson", "parquet"):
        size = 0
        url = f"{service.url}/api/v1/export/log?format={kind}"
        with httpx.stream("GET", url, timeout=60) as answer:
            for part in answer.iter_bytes(1_048_576):
                size += len(part)
                most = max(most, resident(service))
        assert size > 3_000_000
    assert most - before < 24_000_000


def test_the_command_writes_the_same_file(
    filled: Service, tmp_path: Path
) -> None:
    """As the API does, with the filters of the list; under a draft's name."""
    place = tmp_path / "log.csv"
    kind = ("--only", "kind=test.written", "--format", "csv")
    done = filled.run("export", "log", *kind, "--output", str(place))
    assert done.returncode == 0, done.stderr
    query = "log?format=csv&kind=test.written"
    assert place.read_bytes() == export(filled, query).content
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize(
    "wrong", [["nothing"], ["log", "--only", "a=b"], ["log", "--only", "x"]]
)
def test_a_wrong_command_writes_nothing(
    filled: Service, wrong: list[str]
) -> None:
    """Exit 2 and no byte on stdout."""
    done = filled.run("export", *wrong)
    assert (done.returncode, done.stdout) == (2, "")
