"""What belongs to a mission goes with its incident, and into a backup."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Table, select

from app.models.approval import Vote
from app.models.ruling import Motion, Outcome, Ruling
from app.store.approvals import APPROVAL, VOTE, add_approval, add_vote
from app.store.backup import back_up, restore
from app.store.halts import HALT, Halt, put_halt
from app.store.jobs import JOB, add_job
from app.store.ledger import Connection, Ledger
from app.store.location import Location, locate
from app.store.missions import MISSION, add_mission
from app.store.outputs import OUTPUT, add_output
from app.store.retention import sweep_incidents
from app.store.rulings import RULING, add_ruling
from tests.unit.store.missions import (
    HOUR,
    NOW,
    add_incident,
    make_approval,
    make_job,
    make_mission,
)

TABLES = (MISSION, JOB, OUTPUT, APPROVAL, VOTE, RULING)
OVER = {"stage": "closed", "end": "fixed", "due_at": None}
numbers = count(1)


@pytest.fixture
def ledger(location: Location) -> Iterator[Ledger]:
    """Return the writing side of an empty database."""
    made = Ledger(location, 2.0)
    yield made
    made.close()


@pytest.fixture
def other(
    request: pytest.FixtureRequest, location: Location, tmp_path: Path
) -> Location:
    """Return where a backup of the same kind can be brought back."""
    if location.file is not None:
        return locate(f"sqlite:///{tmp_path}/other.db", tmp_path)
    server = request.getfixturevalue("postgres")
    return locate(server.make_database(f"kept_{next(numbers)}"), tmp_path)


def fill(turn: Connection, incident: int, **more: Any) -> None:
    """Keep an incident that was over long ago, with all that was done."""
    job = more.pop("job", "succeeded")
    add_incident(
        turn,
        incident,
        state="resolved",
        opened_at=NOW - HOUR,
        changed_at=NOW - HOUR,
    )
    mission = make_mission(incident, **{**OVER, **more})
    mission.id = add_mission(turn, mission)
    motion = Motion(spec=None, action="restart", decision=incident, now=NOW)
    allow = Ruling(outcome=Outcome.ALLOW, rule="r", reason="r")
    add_ruling(turn, NOW, mission, motion, allow)
    asked = add_approval(turn, make_approval(incident_id=incident))
    vote = Vote(approval_id=asked, person="ana", answer="grant", at=NOW)
    add_vote(turn, vote)
    run = make_job(incident, incident_id=incident, state=job)
    add_output(turn, add_job(turn, replace(run, target="")), "out", 100)


def incidents_of(turn: Connection, table: Table) -> set[int]:
    """Return the incidents, or what is numbered as they are, of rows."""
    name = {OUTPUT: "job_id", VOTE: "approval_id"}.get(table, "incident_id")
    return set(turn.execute(select(table.c[name])).scalars())


def sweep(turn: Connection) -> int:
    """Take off what is old; return how many incidents went."""
    return sweep_incidents(turn, NOW, 0).deleted


def test_all_that_was_done_goes_with_the_incident(ledger: Ledger) -> None:
    """Row by row, but the newest, which says which number is next."""
    with ledger.turn() as turn:
        for incident in (1, 2, 3):
            fill(turn, incident)
        # The newest incident of all is never taken off.
        assert sweep(turn) == 2
        for table in TABLES:
            assert incidents_of(turn, table) == {3}, table.name


def test_the_newest_rows_stay_without_what_is_theirs(ledger: Ledger) -> None:
    """So that no number is given twice."""
    with ledger.turn() as turn:
        fill(turn, 1)
        add_incident(turn, 2)
        assert sweep(turn) == 1
        for table in (MISSION, JOB, APPROVAL, RULING):
            assert incidents_of(turn, table) == {1}, table.name
        for table in (OUTPUT, VOTE):
            assert incidents_of(turn, table) == set(), table.name
        assert add_mission(turn, make_mission(2)) == 2


@pytest.mark.parametrize(
    "left",
    [
        {"stage": "verifying", "end": ""},
        {"stage": "awaiting_approval", "end": ""},
        {"job": "started"},
    ],
)
def test_what_is_being_worked_on_stays(
    ledger: Ledger, left: dict[str, Any]
) -> None:
    """However old it is: a mission that goes on, or a job that runs."""
    with ledger.turn() as turn:
        fill(turn, 1, **left)
        fill(turn, 2)
        add_incident(turn, 3)
        assert sweep(turn) == 1
        assert 1 in incidents_of(turn, MISSION)
        assert 1 in incidents_of(turn, JOB)
        assert 1 in incidents_of(turn, OUTPUT)


def test_a_backup_holds_all_that_was_done(
    ledger: Ledger, location: Location, other: Location, tmp_path: Path
) -> None:
    """What is brought back is what was, with the kill switch."""
    with ledger.turn() as turn:
        fill(turn, 1)
        fill(turn, 2, stage="acting", end="")
        put_halt(turn, Halt(1, is_halted=True, reason="!", by="ana", at=NOW))
    before = read(ledger)
    back_up(location, tmp_path / "one.backup")
    restore(tmp_path / "one.backup", other)
    restored = Ledger(other, 2.0)
    after = read(restored)
    restored.close()
    assert after == before
    assert all(rows for rows in before.values())


def read(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of missions."""
    ask: Callable[[Table], Any] = select
    with ledger.turn() as turn:
        return {
            table.name: sorted(map(tuple, turn.execute(ask(table))))
            for table in (*TABLES, HALT)
        }
