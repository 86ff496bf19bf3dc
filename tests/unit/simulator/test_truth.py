"""The log of truths: added to only, and readable after any crash."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator import truth as truth_module
from simulator.truth import (
    CRASH,
    TIME,
    Truth,
    TruthLog,
    iso_now,
    parse_iso,
    truth_of,
)


def make(name: str = "one", began_at: str = "2026-01-01T10:00:00Z") -> Truth:
    """Return a truth of a fault that runs."""
    target = {"host": "simulator", "process": "sim-cpu"}
    expects = ("kill_process",)
    return Truth(name, "cpu", 90, "%", 60, target, expects, began_at=began_at)


def test_a_fault_is_one_truth_with_two_lines(tmp_path: Path) -> None:
    """The line of its end adds to that of its beginning."""
    log = TruthLog(tmp_path)
    log.write(make())
    assert log.open_ones() == [make()]
    ended = make().ended(TIME)
    log.write(ended)
    assert log.since() == [ended]
    assert log.open_ones() == []
    lines = (tmp_path / "truth.jsonl").read_text().splitlines()
    assert [json.loads(line)["ended_by"] for line in lines] == ["", "time"]
    assert json.loads(lines[0])["ended_at"] is None


def test_what_ran_since_a_moment(tmp_path: Path) -> None:
    """Whatever ran at or after it counts, however early it began."""
    log = TruthLog(tmp_path)
    log.write(make("old").ended(TIME, "2026-01-01T10:01:00Z"))
    log.write(make("long").ended(TIME, "2026-01-01T12:00:00Z"))
    log.write(make("runs"))
    moment = datetime(2026, 1, 1, 11, tzinfo=UTC)
    assert [one.id for one in log.since(moment)] == ["long", "runs"]
    assert [one.id for one in log.since()] == ["old", "long", "runs"]


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    """A crash in the middle of a line leaves the others to be read."""
    log = TruthLog(tmp_path)
    log.write(make("one"))
    path = tmp_path / "truth.jsonl"
    with path.open("ab") as file:
        file.write(b'{"id": "torn", "fau')
    log.write(make("two"))
    assert [one.id for one in log.since()] == ["one", "two"]


@pytest.mark.parametrize("odd", [b"[]", b"7", b'{"id": "x"}', b"\xff", b""])
def test_odd_lines_are_passed_over(tmp_path: Path, odd: bytes) -> None:
    """What is no truth is nobody's truth."""
    (tmp_path / "truth.jsonl").write_bytes(odd + b"\n")
    log = TruthLog(tmp_path)
    log.write(make())
    assert log.since() == [make()]


def test_no_link_is_written_through(tmp_path: Path) -> None:
    """A link in the place of the log harms no other file."""
    other = tmp_path / "other"
    other.write_text("precious")
    (tmp_path / "truth.jsonl").symlink_to(other)
    with pytest.raises(OSError, match=r"symbolic|links"):
        TruthLog(tmp_path).write(make())
    assert other.read_text() == "precious"


def test_a_long_log_is_turned_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays bounded, and one earlier file is still read."""
    monkeypatch.setattr(truth_module, "MOST_BYTES", 10)
    log = TruthLog(tmp_path)
    for name in ("one", "two", "three"):
        log.write(make(name))
    assert [one.id for one in log.since()] == ["two", "three"]
    assert len(list(tmp_path.iterdir())) == 2


def test_json_there_and_back() -> None:
    """What is written is what is read; more fields are passed over."""
    ended = make().ended(CRASH)
    said = json.loads(json.dumps(ended.as_json() | {"more": 1}))
    assert truth_of(said) == ended
    assert truth_of([]) is None


def test_moments_have_a_zone() -> None:
    """A moment without one is UTC."""
    assert iso_now().endswith("Z")
    assert parse_iso(iso_now()).tzinfo is not None
    assert parse_iso("2026-01-01T00:00:00") == datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="yesterday"):
        parse_iso("yesterday")
