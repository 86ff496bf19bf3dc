"""The broom: what ended long ago is taken off, and the last jobs stay."""

import os
from pathlib import Path

import pytest

from app.act.local import broom
from app.act.local.broom import DAY_SECONDS, KEPT_DAYS, MOST_TAKEN
from app.act.local.journal import Journal, write_all
from app.models.job import JobState
from tests.unit.act.backends.making import order
from tests.unit.act.local.test_journal import (
    KEY,
    SUCCEEDED,
    journal,
    open_job,
)

__all__ = ["journal"]


def make_old(folder: Path, pattern: str, days: float) -> None:
    """Let files be older than they are."""
    for file in folder.glob(pattern):
        then = file.stat().st_mtime - days * DAY_SECONDS
        os.utime(file, (then, then))


@pytest.fixture
def few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no job stay for its number."""
    monkeypatch.setattr(broom, "KEPT_JOBS", 0)


def test_the_last_jobs_stay_however_old(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that jumps by a week does not let a key be done again."""
    monkeypatch.setattr(broom, "KEPT_JOBS", 3)
    folder = journal.stop_file(KEY).parent
    for number in range(5):
        os.close(open_job(journal, f"sj-old-{number}"))
        make_old(folder, f"sj-old-{number}.order", KEPT_DAYS + 9 - number)
    os.close(open_job(journal, "sj-new"))
    os.close(open_job(journal, "sj-new-2"))
    kept = {file.name for file in folder.glob("*.order")}
    names = ("sj-old-3", "sj-old-4", "sj-new", "sj-new-2")
    assert kept == {f"{name}.order" for name in names}
    assert journal.open(order("later", "sj-old-4")) is None


@pytest.mark.usefixtures("few_are_kept")
def test_old_jobs_are_taken_off(journal: Journal) -> None:
    """Those that ended, those whose doer died; what runs stays."""
    folder = journal.stop_file(KEY).parent
    for number in range(MOST_TAKEN + 5):
        lock = open_job(journal, f"sj-old-{number}")
        with journal.writing(f"sj-old-{number}") as file:
            write_all(file, b"line\n")
        (folder / f"sj-old-{number}.plan").write_bytes(b"1 2 3\n")
        if number % 2:
            journal.end(f"sj-old-{number}", SUCCEEDED)
        os.close(lock)
    runs = open_job(journal, "sj-runs")
    make_old(folder, "*", KEPT_DAYS + 1)
    (folder / "sj-x.end-1-00000000").write_text("half")
    (folder / "foreign.txt").write_text("not ours")
    make_old(folder, "*-00000000", KEPT_DAYS + 2)
    make_old(folder, "foreign.txt", KEPT_DAYS + 2)
    os.close(open_job(journal, "sj-new-1"))
    assert not (folder / "sj-x.end-1-00000000").exists()
    os.close(open_job(journal, "sj-new-2"))
    kept = {file.name for file in folder.iterdir()}
    assert kept == {
        "foreign.txt",
        "sj-runs.order",
        "sj-new-1.order",
        "sj-new-2.order",
    }
    os.close(runs)


def test_what_is_younger_is_kept(journal: Journal) -> None:
    """A week long it can be said what became of a job."""
    lock = open_job(journal)
    journal.end(KEY, SUCCEEDED)
    os.close(lock)
    make_old(journal.stop_file(KEY).parent, "*", KEPT_DAYS - 1)
    os.close(open_job(journal, "sj-2"))
    said = journal.find(KEY, "")
    assert said is not None
    assert said.state is JobState.SUCCEEDED
