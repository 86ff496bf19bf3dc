"""Whose an incident is: the first alert that says it, and people's moves."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from app.models.tables import EntryRow
from app.models.word import Kind
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.fold.room import Room
from tests.unit.fold.stage import Stage, host


@pytest.fixture
def room(location: Location, inbox: SqlInbox) -> Iterator[Room]:
    """Return a room with a database of each kind."""
    ledger = Ledger(location, 2.0)
    yield Room(inbox, ledger)
    ledger.close()


@pytest.fixture
def stage(location: Location, asked: str) -> Iterator[Stage]:
    """Return folding on a database of each kind, with a label of teams."""
    made = Stage(location, team_label=asked)
    yield made
    made.ledger.close()


@pytest.fixture
def asked() -> str:
    """Return which label names a team."""
    return "team"


def about(problem: str, team: str, **more: Any) -> Any:
    """Return an alert about web-01 that names a team, if it is one."""
    labels = {"alertname": problem, "instance": "web-01"}
    if team:
        labels["team"] = team
    return host("web-01", problem, labels=labels, **more)


def fire(room: Room, problem: str, team: str, name: str = "web-01") -> int:
    """Let something fire that names a team; return its incident."""
    labels = {"instance": name} | ({"team": team} if team else {})
    starts_at = room.clock.now()
    room.tell(
        f"{name}/{problem}",
        name=problem,
        occurrence=problem,
        labels=labels,
        starts_at=starts_at,
    )
    return max(room.partition())


def test_the_first_alert_that_names_a_team_says_it(stage: Stage) -> None:
    """A later one fills what is empty, and changes nothing else."""
    stage.told(about("DiskFull", ""))
    before = stage.incident()
    assert before.team == ""
    stage.told(about("Load", " db "))
    assert stage.incident().team == "db"
    assert stage.incident().version == before.version + 1
    stage.told(about("Swap", "web"))
    assert stage.incident().team == "db"
    stage.told(about("DiskFull", "", status="resolved", ends=9))
    assert stage.incident().team == "db"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_alerts_in_one_turn_the_one_that_began_first_says_it(
    stage: Stage, order: tuple[int, ...]
) -> None:
    """However they are ordered in the inbox."""
    said = (
        about("DiskFull", "", starts=0),
        about("Load", "db", starts=1),
        about("Swap", "web", starts=2),
    )
    stage.say(*(said[place] for place in order))
    stage.settle()
    assert stage.incident().team == "db"


@pytest.mark.parametrize(
    ("asked", "team"), [("team", "db"), ("owner", "ops"), ("", "")]
)
def test_the_label_is_a_setting(stage: Stage, team: str) -> None:
    """Another label may name it, or none."""
    labels = {"instance": "web-01", "team": "db", "owner": "ops"}
    stage.told(host("web-01", labels=labels))
    assert stage.incident().team == team


def test_what_is_merged_gives_its_team_to_who_has_none(room: Room) -> None:
    """And takes it away again when it is split off."""
    one = fire(room, "DiskFull", "", "web-01")
    other = fire(room, "DiskFull", "db", "web-02")
    moved = room.partition()[other]
    room.say(Kind.MERGE, other, "ana", into=one)
    assert room.incident(one).team == "db"
    assert room.incident(other).team == "db"
    room.say(Kind.SPLIT, one, "ana", episodes=sorted(moved))
    assert room.incident(one).team == ""
    assert room.incident(other).team == "db"


def test_who_has_a_team_keeps_it_when_another_is_merged(room: Room) -> None:
    """The incident that lives on stays whose it was."""
    one = fire(room, "DiskFull", "web", "web-01")
    other = fire(room, "DiskFull", "db", "web-02")
    room.say(Kind.MERGE, other, "ana", into=one)
    assert room.incident(one).team == "web"
    assert room.incident(other).team == "db"


def test_what_goes_tells_nothing_of_what_lives_on(room: Room) -> None:
    """Its own team reads its words, and may not see the other incident."""
    into = fire(room, "DiskFull", "zq-team", "web-01")
    room.say(Kind.OWNER, into, "zq-boss", owner="zq-owner")
    room.say(Kind.ACKNOWLEDGE, into, "zq-eyes")
    gone = fire(room, "DiskFull", "db", "web-02")
    moved = room.partition()[gone]
    room.say(Kind.MERGE, gone, "ana", into=into)
    lines = [row for row in room.rows(EntryRow) if row.incident_id == gone]
    assert len(room.words(gone)) == 1
    assert "zq-" not in f"{room.words(gone)} {lines}"
    room.say(Kind.SPLIT, into, "ana", episodes=sorted(moved))
    assert room.incident(into).team == "zq-team"
    assert room.incident(into).owner == "zq-owner"


def test_what_is_split_off_tells_nothing_of_what_is_left(room: Room) -> None:
    """The rest is named after what its own team has."""
    number = fire(room, "DiskFull", "db")
    first = sorted(room.partition()[number])
    before = room.incident(number)
    fire(room, "ZqLoad", "zq-team")
    room.say(Kind.SPLIT, number, "ana", episodes=first)
    other = max(room.partition())
    assert room.incident(number).problem == "ZqLoad"
    lines = [row for row in room.rows(EntryRow) if row.incident_id == other]
    assert "ZqLoad" not in f"{room.words(other)} {lines}"
    room.say(Kind.MERGE, other, "ana", into=number)
    assert room.incident(number).problem == before.problem
    assert room.incident(number).title == before.title


@pytest.mark.parametrize(("named", "team"), [("web", "web"), ("", "db")])
def test_what_is_split_off(room: Room, named: str, team: str) -> None:
    """It is the team's that its alerts name, or whose it was so far."""
    number = fire(room, "DiskFull", "db")
    first = set(room.partition()[number])
    fire(room, "Load", named)
    later = set(room.partition()[number]) - first
    room.say(Kind.SPLIT, number, "ana", episodes=sorted(later))
    assert room.incident(number).team == "db"
    assert room.incident(max(room.partition())).team == team
