"""The keeper rests while nobody writes and nothing is due."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from app.bootstrap import open_inbox
from app.engine import keeper as keeping
from app.engine.keeper import STILL_SECONDS, Keeper, Meters
from app.fold.folding import BATCH, Folder, Turn
from app.fold.rules import FoldSettings, make_rules
from app.models.alert import Status
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from tests.chaos.load import wait_until
from tests.fakes import FakeClock, make_alert, make_filing
from tests.schema import make_sqlite

PATIENCE = 20.0
# So many looks one after the other say what the keeper does by itself.
MANY = 20


class CountingLedger(Ledger):
    """Counts the looks at whether somebody wrote."""

    looks = 0

    def stamp(self) -> int | None:
        """Look, and count it."""
        self.looks += 1
        return super().stamp()


class CountingFolder(Folder):
    """Counts the turns, and what they folded."""

    turns, folded = 0, 0

    def fold(self, connection: Connection, limit: int = BATCH) -> Turn:
        """Fold, and count it."""
        turn = super().fold(connection, limit)
        self.turns += 1
        self.folded += turn.alerts
        return turn


class Rest:
    """A keeper that looks a hundred times a second, by a clock of ours."""

    def __init__(self, location: Location) -> None:
        self.clock = FakeClock()
        self.ledger = CountingLedger(location, 5.0)
        rules = make_rules(FoldSettings())
        self.folder = CountingFolder(rules, self.clock)
        meters = Meters(CollectorRegistry())
        self.keeper = Keeper(self.ledger, self.folder, self.clock, meters)
        self.inbox = open_inbox(location, 5.0)

    def look_often(self) -> None:
        """Return when it has looked many times more."""
        wanted = self.ledger.looks + MANY
        wait_until(lambda: self.ledger.looks >= wanted, "looks")

    def turns_of(self, looks: int) -> int:
        """Return how many turns there are in so many times many looks."""
        before = self.folder.turns
        for _ in range(looks):
            self.look_often()
        return self.folder.turns - before

    def call(self) -> None:
        """Ask for something, and wait for the answer."""
        assert self.keeper.ask(lambda _turn: 7).result(PATIENCE) == 7

    def wait_for_turns(self, many: int) -> None:
        """Return when there were so many turns, and no fewer."""
        wait_until(lambda: self.folder.turns >= many, "turns")
        assert self.folder.turns == many

    def pass_until_turn(self, moment: int) -> None:
        """Let it be a moment; return when there was a turn."""
        before = self.folder.turns
        self.clock.moment = moment
        wait_until(lambda: self.folder.turns > before, "a turn")

    def write(self, **values: Any) -> None:
        """Let another process take an alert in: nobody wakes this one."""
        alert = make_alert("disk/web-1", **values)
        self.inbox.write([make_filing(alert, body=repr(values).encode())])


@pytest.fixture
def rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rest]:
    """Return a keeper at work that has nothing to do."""
    monkeypatch.setattr(keeping, "LOOK_SECONDS", 0.01)
    made = Rest(make_sqlite(tmp_path / "rest.db"))
    made.keeper.start()
    made.look_often()
    yield made
    made.keeper.stop()
    made.inbox.close()


def test_while_nobody_writes_there_is_no_turn(rest: Rest) -> None:
    """It looks, and that is all."""
    assert rest.turns_of(3) == 0


def test_what_another_process_took_in_is_folded(rest: Rest) -> None:
    """With the next look, though nobody called; then it rests again."""
    rest.write()
    wait_until(lambda: rest.folder.folded == 1, "the alert to be folded")
    rest.look_often()
    assert rest.turns_of(2) == 0


def test_what_is_due_is_not_missed(rest: Rest) -> None:
    """Time alone makes a turn: an incident settles, and nobody writes."""
    now = rest.clock.now()
    rest.write(starts_at=now)
    rest.write(starts_at=now, ends_at=now + 1, status=Status.RESOLVED)
    wait_until(lambda: rest.folder.folded == 2, "both to be folded")
    rest.look_often()
    assert rest.keeper._next_due is not None
    rest.pass_until_turn(rest.keeper._next_due)


def test_now_and_then_there_is_one_all_the_same(rest: Rest) -> None:
    """Whatever else may change is seen with that."""
    for _ in range(2):
        rest.pass_until_turn(rest.clock.now() + int(STILL_SECONDS * 1e6))
        rest.look_often()
        assert rest.turns_of(1) == 0


def test_calls_in_a_row_share_the_turn_behind_them(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first has one at once; what the others leave is done together."""
    monkeypatch.setattr(keeping, "OWED_SECONDS", PATIENCE)
    before = rest.folder.turns
    rest.clock.advance(PATIENCE)
    rest.call()
    rest.wait_for_turns(before + 1)
    for _ in range(20):
        rest.call()
    assert rest.folder.turns == before + 1
    rest.clock.advance(PATIENCE)
    rest.call()
    rest.wait_for_turns(before + 2)


def test_what_calls_leave_is_done_though_nobody_calls_again(
    rest: Rest,
) -> None:
    """It is owed for a moment, and then there is a turn."""
    rest.call()
    rest.call()
    rest.look_often()
    wait_until(lambda: not rest.keeper._is_owed, "the turn")
    rest.look_often()
    assert rest.turns_of(1) == 0


def test_news_do_not_wait_behind_calls(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes in is folded at once, however lately there was a turn."""
    monkeypatch.setattr(keeping, "OWED_SECONDS", 10 * PATIENCE)
    rest.call()
    rest.write()
    rest.keeper.wake()
    wait_until(lambda: rest.folder.folded == 1, "the alert to be folded")
