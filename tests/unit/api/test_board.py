"""The board in the API: one answer for all who ask at the same time."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.act import actions
from app.act.catalogue import make_catalogue
from app.api.board import EXAMPLE, BoardQuery, Boards
from app.api.board_views import BoardView
from app.api.sharing import SIGHT, Answer
from app.bootstrap import Product
from app.core.registry import scan
from app.models.account import Caller, Role
from app.models.entry import Note
from app.models.mission import Stage
from app.store.approvals import add_approval
from app.store.incidents import save_incidents
from app.store.ledger import Ledger
from app.store.log import append
from app.store.missions import add_mission
from app.store.reading import Reader, open_engine
from tests.fakes import FakeClock
from tests.schema import make_sqlite
from tests.unit.store.missions import NOW, make_approval, make_mission
from tests.unit.store.shelf import make_incident


class Place:
    """A database, a clock, and the boards that are made of them."""

    def __init__(self, folder: Path) -> None:
        location = make_sqlite(folder / "board.db")
        self.ledger = Ledger(location, 5.0)
        self.reader = Reader(open_engine(location, 5.0))
        self.clock = FakeClock(NOW)
        catalogue = make_catalogue(scan(actions), [])
        product: Any = SimpleNamespace(
            clock=self.clock, reader=self.reader, catalogue=catalogue
        )
        self.boards = Boards(cast(Product, product))

    def open(self, number: int, **more: Any) -> None:
        """Write an incident down, and a line of the log about it."""
        made = make_incident(number, firing=1, **more)
        note = Note(
            kind="incident.opened",
            incident=number,
            actor="rule:folding",
            summary="opened",
        )
        with self.ledger.turn() as connection:
            save_incidents(connection, [made], [])
            append(connection, NOW, [note])

    def find(self, after: int = 0, *teams: str, **more: Any) -> Answer:
        """Return the board as it is sent."""
        return self.boards.find(BoardQuery(after=after, **more), teams)

    def ask(self, after: int = 0, *teams: str, **more: Any) -> BoardView:
        """Return the board as the API has it."""
        sent = self.find(after, *teams, **more).body
        return BoardView.model_validate_json(sent)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return an empty database with its boards."""
    made = Place(tmp_path)
    yield made
    made.reader.close()
    made.ledger.close()


def test_who_has_heard_no_more_shares_an_answer(place: Place) -> None:
    """An answer that knows what somebody has heard of is good enough."""
    place.open(1)
    first = place.find(after=1)
    assert place.find(after=1) is first
    assert place.find() is not first


def test_nobody_gets_an_answer_older_than_what_they_heard(
    place: Place,
) -> None:
    """What happened since must be in it."""
    place.open(1)
    assert place.ask(after=1).living == 1
    place.open(2)
    assert place.ask(after=1).living == 1
    assert place.ask(after=2).living == 2


def test_an_answer_is_shared_for_a_second_only(place: Place) -> None:
    """Afterwards it is made anew, whatever the clock did."""
    place.open(1)
    first = place.find(after=1)
    place.clock.advance(1)
    second = place.find(after=1)
    assert second is not first
    place.clock.advance(-10)
    assert place.find(after=1) is not second


def test_teams_never_share_an_answer(place: Place) -> None:
    """Each sees its own."""
    place.open(1, team="shop")
    assert place.ask(1).living == 1
    assert place.ask(1, "data").living == 0
    assert place.ask(1, "data", "shop").living == 1


def test_an_answer_says_whose_sight_it_is_of(place: Place) -> None:
    """A browser passes it on only to pages of that; the bytes are shared."""
    place.open(1)
    found = place.find(1)
    ana = Caller(name="ana", role=Role.VIEWER, way="session", session_id=1)
    others = [
        Caller(name="ben", role=Role.VIEWER, way="session"),
        Caller(name="ana", role=Role.ADMIN, way="session"),
        Caller(name="ana", role=Role.VIEWER, teams=("shop",), way="session"),
    ]
    sent = [found.to(one) for one in (ana, *others)]
    assert {one.body for one in sent} == {found.body}
    assert {one.headers["etag"] for one in sent} == {found.tag}
    assert len({one.headers[SIGHT] for one in sent}) == len(sent)
    again = Caller(name="ana", role=Role.VIEWER, way="session", session_id=2)
    assert found.to(again).headers[SIGHT] == sent[0].headers[SIGHT]


def test_few_answers_are_kept(place: Place) -> None:
    """However many teams ask."""
    place.open(1)
    for number in range(100):
        place.ask(1, f"team-{number}")
    assert len(place.boards._answers._kept) == 32


def test_a_question_says_how_bad_it_is(place: Place) -> None:
    """The risk is what the action declares; what is gone has none."""
    for number, action in ((1, "restart_service"), (2, "removed_since")):
        place.open(number)
        asked = make_approval(incident_id=number, action=action)
        mission = make_mission(number, stage=Stage.ASKING.value)
        with place.ledger.turn() as connection:
            add_mission(connection, mission)
            add_approval(connection, asked)
    first, second = place.ask().needs_you.items
    assert first.question
    assert second.question
    assert first.question.risk == "disruptive"
    assert first.question.call == "restart_service(host=web-1)"
    assert (second.question.risk, second.question.undo) == ("", "")


def test_the_example_is_an_answer() -> None:
    """What the page of the API shows is what it gives."""
    shown = BoardView.model_validate(EXAMPLE)
    assert shown.model_dump(mode="json") == EXAMPLE
