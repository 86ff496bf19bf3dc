"""The size of the write-ahead log is shown, and told of when it is odd."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import CapturingLogger

from app.store.wal import WalWatch

NAME = "smokejumper_database_wal_bytes"
ALARM = 100


def test_it_is_told_once_when_it_is_too_long_and_once_when_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not again and again while it lasts."""
    log = CapturingLogger()
    monkeypatch.setattr("app.store.wal.log", log)
    registry = CollectorRegistry()
    watch = WalWatch(tmp_path / "a.db", ALARM, registry)
    file = tmp_path / "a.db-wal"
    told = []
    for size in (0, 100, 101, 200, 50, 60, 300):
        file.write_bytes(bytes(size))
        assert registry.get_sample_value(NAME) == size
        watch.look()
        told.append([one.args[0] for one in log.calls])
        log.calls.clear()
    long, short = ["wal.too_long"], ["wal.short_again"]
    assert told == [[], [], long, [], short, [], long]


def test_a_log_that_is_not_there_has_no_size(tmp_path: Path) -> None:
    """Before the first commit there is none."""
    registry = CollectorRegistry()
    WalWatch(tmp_path / "a.db", ALARM, registry).look()
    assert registry.get_sample_value(NAME) == 0


def test_on_postgresql_there_is_nothing_to_look_at() -> None:
    """No metric, and nothing that runs."""
    registry = CollectorRegistry()
    asyncio.run(WalWatch(None, ALARM, registry).run())
    assert registry.get_sample_value(NAME) is None
