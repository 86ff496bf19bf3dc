"""F7: somebody reads for so long that the write-ahead log cannot restart."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from app.store.wal import KEPT
from tests.chaos.ledger import read_sqlite
from tests.chaos.load import Load, wait_until
from tests.chaos.tally import settle
from tests.service import Service

pytestmark = pytest.mark.chaos
ALARM = KEPT + KEPT // 4
SETTINGS = {"wal_alarm_bytes": ALARM}
SIZE = "smokejumper_database_wal_bytes"
PADDING = 80_000


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Hold one state of the database, as a forgotten shell does."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM alert").fetchone()
        yield
        other.execute("ROLLBACK")


def size_of_log(service: Service) -> float:
    """Return how long the log is, as the metrics say."""
    text = httpx.get(f"{service.url}/metrics", timeout=10).text
    lines = [line.split() for line in text.splitlines()]
    return next(float(line[1]) for line in lines if line[0] == SIZE)


def test_a_long_reader_is_told_of_and_got_over(tmp_path: Path) -> None:
    """All is taken while he reads; then the log is short again, 0 lost."""
    url = f"sqlite:///{tmp_path / 'smokejumper.db'}"
    settings = {"database": {"url": url, **SETTINGS}}
    with Service(tmp_path, settings) as service:
        load = Load(service.port, padding=PADDING)
        with load.running() as ledger:
            load.wait_for(20)
            with reading(service.database):
                wait_until(lambda: size_of_log(service) > ALARM, "growth", 60)
                wait_until(
                    lambda: "wal.too_long" in service.log.read_text(),
                    "the warning",
                )
                load.wait_for(20)
            wait_until(lambda: size_of_log(service) <= KEPT, "a short log")
            wait_until(
                lambda: "wal.short_again" in service.log.read_text(),
                "the end of the warning",
            )
            load.wait_for(20)
        assert service.log.read_text().count("wal.too_long") == 1
        service.kill()
    refused = [f"refused: {one}" for one in ledger.refusals]
    found = ledger.compare(read_sqlite(service.database))
    settle("long readers", 1, [*ledger.faults, *refused, *found])
