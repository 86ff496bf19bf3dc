"""What a proof came to is counted by kind, and written down."""

from pathlib import Path

import pytest

from scripts.soak.running import read_tallies
from tests.chaos.ledger import Found, Identity, Ledger, Post
from tests.chaos.tally import RESULTS, Tally, settle

MESSAGE = Identity("f", "alertmanager", "0", "firing")
POST = Post(b"one", (MESSAGE,))
ANSWER = {"delivery": 1, "alerts": [1]}


def count(found: Found) -> tuple[int, int, int]:
    """Return what a ledger with one acknowledgement makes of a database."""
    ledger = Ledger()
    ledger.send(POST)
    ledger.accept(POST, ANSWER, 0)
    tally = Tally.of("x", 1, ledger.compare(found))
    return tally.lost, tally.doubled, tally.unexplained


def test_each_kind_of_fault_is_counted_as_what_it_is() -> None:
    """What is gone is lost, what is there again doubled, all else strange."""
    one, alert = (1, b"one"), (1, MESSAGE, 1)
    assert count(Found([one], [alert], [])) == (0, 0, 0)
    lost, doubled, strange = count(Found([], [], []))
    assert lost > 0
    assert (doubled, strange) == (0, 0)
    twice = Found([one, (2, b"one")], [alert, (2, MESSAGE, 2)], [])
    assert count(twice) == (0, 2, 0)
    assert count(Found([one, (2, b"two")], [alert], [])) == (0, 0, 1)
    assert count(Found([one], [alert], ["integrity: bad"])) == (0, 0, 1)


def test_what_was_settled_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line for each proof, also for the one that fails."""
    file = tmp_path / "results.jsonl"
    monkeypatch.setenv(RESULTS, str(file))
    settle("kills", 5, [])
    with pytest.raises(AssertionError):
        settle("cuts", 7, ["lost: a", "key k was started 2 times"])
    kills, cuts = read_tallies(file)
    assert (kills.what, kills.amount, kills.lost) == ("kills", 5, 0)
    assert (cuts.amount, cuts.lost, cuts.doubled) == (7, 1, 1)


def test_nothing_is_written_when_nobody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a file for results a proof only passes or fails."""
    monkeypatch.delenv(RESULTS, raising=False)
    monkeypatch.chdir(tmp_path)
    settle("kills", 5, [])
    assert list(tmp_path.iterdir()) == []
