"""The board: who must act, by lanes; on both databases."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from app.models.approval import ApprovalState
from app.models.canary import CANARY
from app.models.case import Case
from app.models.choice import Decision
from app.models.entry import Note
from app.models.mission import End, Mission, Stage
from app.models.strand import Strand
from app.store import lanes
from app.store.approvals import add_approval
from app.store.board import Board, differing, find_board
from app.store.decisions import add_decision
from app.store.incidents import (
    StrandRecord,
    save_episodes,
    save_incidents,
    save_strands,
)
from app.store.jobs import add_job
from app.store.lanes import count_needs
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.log import append
from app.store.missions import add_mission
from app.store.outputs import add_output
from app.store.reading import Reader
from tests.records import make_record
from tests.unit.store.missions import (
    NOW,
    SECOND,
    make_approval,
    make_job,
    make_mission,
)
from tests.unit.store.shelf import make_episode, make_incident

MOST = 50
CASE = Case(source="alertmanager", name="CpuHigh")


class Ward:
    """A database, and what is put on its board."""

    def __init__(self, ledger: Ledger, reader: Reader) -> None:
        self._ledger = ledger
        self._reader = reader
        self._last = 0

    def do(self, work: Callable[[Connection], Any]) -> Any:
        """Do something in a turn."""
        with self._ledger.turn() as connection:
            return work(connection)

    def open(self, **more: Any) -> int:
        """Write an incident down that fires; return its number."""
        self._last += 1
        values = {"target": f"host::web-{self._last}", "firing": 1, **more}
        made = make_incident(self._last, **values)
        self.do(lambda one: save_incidents(one, [made], []))
        return self._last

    def decide(self, incident: int, action: str, **more: Any) -> int:
        """Write a decision down; return its number."""
        chosen = Decision(
            action=action,
            arguments={"host": "web-1"},
            reason="it helps",
            confidence=0.91,
            **{"brain": "cascade", **more},
        )
        record = make_record(incident, CASE, chosen)
        return int(self.do(lambda one: add_decision(one, record)))

    def move(self, incident: int, stage: Stage, **more: Any) -> Mission:
        """Write a mission down that stands somewhere."""
        over = stage in (Stage.ESCALATED, Stage.CLOSED)
        values = {"due_at": None if over else NOW, "stage": stage.value}
        made = make_mission(incident, **{**values, **more})
        made.id = self.do(lambda one: add_mission(one, made))
        return made

    def ask(self, incident: int, **more: Any) -> int:
        """Ask people about an incident; return the question."""
        mission = self.move(incident, Stage.ASKING)
        asked = make_approval(
            incident_id=incident, mission_id=mission.id, **more
        )
        return int(self.do(lambda one: add_approval(one, asked)))

    def log(self, *notes: Note, at: int = NOW) -> None:
        """Write lines of the log."""
        self.do(lambda one: append(one, at, notes))

    def board(self, most: int = MOST, teams: Sequence[str] = ()) -> Board:
        """Return the board."""
        since = NOW - SECOND
        return self._reader.ask(
            lambda one: find_board(one, since, most, tuple(teams))
        )

    def needs(self, teams: Sequence[str] = ()) -> int:
        """Return how many need a person, as the head of pages says it."""
        return self._reader.ask(lambda one: count_needs(one, tuple(teams)))


@pytest.fixture
def ward(location: Location, reader: Reader) -> Iterator[Ward]:
    """Return an empty database to put incidents into."""
    ledger = Ledger(location, 5.0)
    yield Ward(ledger, reader)
    ledger.close()


def ids(stretch: Any) -> list[int]:
    """Return the incidents of a lane, in its order."""
    return [row.incident.id for row in stretch.rows]


def test_an_empty_store_has_an_empty_board(ward: Ward) -> None:
    """Nothing is nothing, and no error."""
    board = ward.board()
    assert (ids(board.needs_you), ids(board.acting)) == ([], [])
    assert (board.watching.count, board.living, board.seq) == (0, 0, 0)
    assert (board.fixed, board.handed_over, ward.needs()) == (0, 0, 0)


def test_each_incident_is_in_the_lane_of_who_must_act(ward: Ward) -> None:
    """Questions and what nobody has: people; work: the machine; others."""
    asked = ward.open(severity="warning")
    ward.ask(asked)
    left = ward.open()
    ward.move(left, Stage.ESCALATED, end=End.ESCALATED.value)
    works = ward.open()
    ward.move(works, Stage.ACTING)
    known = ward.open(acknowledged_by="ana")
    ward.move(known, Stage.ESCALATED, end=End.ESCALATED.value)
    owned = ward.open(owner="bo")
    ward.move(owned, Stage.ESCALATED, end=End.ESCALATED.value)
    silent = ward.open(state="suppressed")
    ward.open(state="resolved", firing=0)
    ward.open(state="merged", merged_into=left, firing=0)
    board = ward.board()
    # The worst first, then the oldest.
    assert ids(board.needs_you) == [left, asked]
    assert ids(board.acting) == [works]
    assert ids(board.watching) == [owned, known, silent]
    assert (board.needs_you.count, board.watching.count) == (2, 3)
    assert (board.living, board.suppressed, ward.needs()) == (6, 1, 2)
    assert board.needs_you.rows[0].merged == 1


def test_what_is_only_looked_at_stays_with_people(ward: Ward) -> None:
    """While evidence is collected nobody else has taken it over."""
    left = ward.open()
    chosen = ward.decide(left, "escalate")
    reason = "nobody knows"
    ward.move(left, Stage.ESCALATED, decision_id=chosen, reason=reason)
    look = ward.decide(left, "collect_diagnostics", brain="code:evidence")
    ward.move(left, Stage.ACTING, decision_id=look)
    board = ward.board()
    assert (ids(board.needs_you), ids(board.acting)) == ([left], [])
    (row,) = board.needs_you.rows
    assert (row.decision.action, row.reason) == ("escalate", reason)


def test_what_is_measured_is_shown_although_it_is_over(ward: Ward) -> None:
    """The alert is gone; whether it helped is not known yet."""
    gone = ward.open(state="resolved", firing=0)
    ward.move(gone, Stage.VERIFYING)
    board = ward.board()
    assert ids(board.acting) == [gone]
    assert (board.watching.count, board.living) == (0, 0)


def test_a_row_has_all_that_somebody_must_know(ward: Ward) -> None:
    """The call, the question, the run with its last line, the readings."""
    number = ward.open()
    decision = ward.decide(number, "restart_service")
    before = '[{"check":"cpu","at":1,"value":97.0},{"check":"cpu","at":2}]'
    job = make_job(
        decision,
        incident_id=number,
        state="started",
        started_at=NOW,
        output_bytes=30,
        before=before,
    )
    job.id = ward.do(lambda one: add_job(one, job))
    text = "stopping ...\nstarted pod-a\n\n"
    ward.do(lambda one: add_output(one, job.id, text, 1_000))
    ward.move(
        number,
        Stage.ACTING,
        decision_id=decision,
        job_id=job.id,
        reason="job 1 started",
    )
    (row,) = ward.board().acting.rows
    assert row.decision.confidence == 0.91
    assert (row.job and row.job.id, row.line) == (job.id, "started pod-a")
    assert (row.points, row.reason) == ([97.0], "job 1 started")
    assert row.approval is None


def test_a_question_is_on_its_row_until_it_is_answered(ward: Ward) -> None:
    """What was answered is no question any more."""
    number = ward.open()
    asked = ward.ask(number)
    other = ward.open()
    ward.ask(other, state=ApprovalState.GRANTED.value)
    board = ward.board()
    assert ids(board.needs_you) == [number]
    approval = board.needs_you.rows[0].approval
    assert approval is not None
    assert approval.id == asked


def test_alerts_are_folded_and_told_apart(ward: Ward) -> None:
    """How many there are, and in which labels they differ."""
    number = ward.open(firing=2, episodes=2)
    strands = [
        StrandRecord(
            id=place,
            fingerprint=f"f{place}",
            source="alertmanager",
            name="InterfaceDown",
            labels={"device": f"swp{place}", "job": "node"},
            target="host::sw-1",
            target_kind="host",
            target_name="sw-1",
            problem="InterfaceDown",
            memory=Strand(),
        )
        for place in (1, 2)
    ]
    episodes = [make_episode(place, number, alerts=3) for place in (1, 2)]
    ward.do(lambda one: save_strands(one, strands, []))
    ward.do(lambda one: save_episodes(one, episodes, []))
    (row,) = ward.board().watching.rows
    assert row.alerts == 6
    assert {name: sorted(some) for name, some in row.apart.items()} == {
        "device": ["swp1", "swp2"]
    }


def test_labels_that_differ_most_are_named_first() -> None:
    """A few of them are enough."""
    alerts = [
        {"a": "1", "b": "x", "c": "1", "same": "s", "d": "1"},
        {"a": "2", "b": "y", "c": "1", "same": "s", "d": "2"},
        {"a": "2", "b": "z", "c": "2", "same": "s", "d": "1", "e": "only"},
    ]
    assert list(differing(alerts)) == ["b", "a", "c"]
    assert differing([]) == {}


def test_lanes_are_bounded_and_say_so(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lane names so many; a longer one than is looked at says more."""
    for _ in range(4):
        number = ward.open()
        ward.move(number, Stage.ESCALATED)
    for _ in range(3):
        ward.open()
    board = ward.board(most=2)
    assert (len(board.needs_you.rows), board.needs_you.count) == (2, 4)
    assert (len(board.watching.rows), board.watching.count) == (2, 3)
    assert board.needs_you.is_exact
    monkeypatch.setattr(lanes, "MOST", 3)
    for make in (lanes._asked, lanes._left, lanes._worked_on):
        make.cache_clear()
    try:
        assert not ward.board().needs_you.is_exact
    finally:
        for make in (lanes._asked, lanes._left, lanes._worked_on):
            make.cache_clear()


def test_teams_see_their_own_and_the_canary_nobody(ward: Ward) -> None:
    """What somebody may not see is not counted either."""
    ours = ward.open(team="shop")
    ward.ask(ours)
    theirs = ward.open(team="data")
    ward.move(theirs, Stage.ESCALATED)
    works = ward.open(team="data")
    ward.move(works, Stage.ACTING)
    ward.open(source=CANARY)
    everybody = ward.board()
    assert (everybody.living, ward.needs()) == (3, 2)
    board = ward.board(teams=["shop", "mail"])
    assert (ids(board.needs_you), ids(board.acting)) == ([ours], [])
    assert (board.living, board.watching.count) == (1, 0)
    assert (ward.needs(["shop"]), ward.needs(["mail"])) == (1, 0)


def test_what_is_over_is_counted_since_a_moment(ward: Ward) -> None:
    """Once for each incident, by its end; teams count their own."""
    first, second = ward.open(team="shop"), ward.open(team="data")

    def note(number: int, kind: str, summary: str) -> Note:
        """Return a line about the end of a mission."""
        return Note(
            kind=kind,
            incident=number,
            actor="rule:pipeline",
            summary=summary,
        )

    old = note(first, "mission.closed", "fixed: it was good")
    ward.log(old, at=NOW - 10 * SECOND)
    ward.log(
        note(first, "mission.closed", "no_action: nothing to do"),
        note(second, "mission.closed", "fixed: it was good for 60 s"),
        note(first, "incident.escalated", "escalated: nobody answered"),
        note(first, "incident.escalated", "escalated: the evidence is there"),
    )
    board = ward.board()
    assert (board.fixed, board.handed_over) == (1, 1)
    shop = ward.board(teams=["shop"])
    assert (shop.fixed, shop.handed_over) == (0, 1)
