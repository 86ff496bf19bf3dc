"""Messages are made once of an entry, and kept as long as their incident."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import create_engine, text

from app.models.entry import Note
from app.models.job import JobState
from app.store import messages, retention
from app.store.dispatches import DISPATCH
from app.store.incidents import INCIDENT
from app.store.jobs import add_job
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.log import append
from app.store.marks import get_mark
from app.store.messages import MESSAGE, MESSAGES, add_message, find_message
from app.store.migrate import migrate
from app.store.reading import Reader, Wish
from tests.unit.store.dispatches import (
    add_sending,
    make_dispatch,
    make_message,
)
from tests.unit.store.missions import HOUR, NOW, add_incident, make_job


@pytest.fixture
def ledger(location: Location) -> Iterator[Ledger]:
    """Return the way to write."""
    made = Ledger(location, 2.0)
    yield made
    made.close()


@pytest.fixture
def turn(ledger: Ledger) -> Iterator[Connection]:
    """Lend a turn on an empty database."""
    with ledger.turn() as connection:
        yield connection


def note(kind: str, incident: int = 0) -> Note:
    """Return a line of the log."""
    return Note(kind=kind, incident=incident, actor="a", summary="s")


def test_what_is_written_is_read_back(turn: Connection) -> None:
    """Every field has its column."""
    message = make_message(7, mission_id=3, labels='{"team":"shop"}')
    number = add_message(turn, message)
    kept = msgspec.structs.replace(message, id=number)
    assert find_message(turn, number) == kept
    assert messages.find_messages(turn, [number, 99]) == {number: kept}
    assert find_message(turn, 99) is None
    assert messages.find_messages(turn, []) == {}


def test_an_entry_is_told_once_of_a_kind(turn: Connection) -> None:
    """The database itself holds it."""
    assert add_message(turn, make_message(1)) == 1
    assert add_message(turn, make_message(1)) == 0
    assert add_message(turn, make_message(1, kind="acted")) == 2


def test_the_log_is_read_from_a_place_on(turn: Connection) -> None:
    """What nobody is told of is passed by, some at a time."""
    kinds = ["x.happened", "halt.changed", "x.happened", "halt.changed", "y"]
    append(turn, NOW, [note(kind) for kind in kinds])
    some = messages.find_heard(turn, 0, ["halt.changed"], 1)
    assert [row.id for row in some.rows] == [2]
    assert some.through == 2
    rest = messages.find_heard(turn, 2, ["halt.changed"], 5)
    assert [row.id for row in rest.rows] == [4]
    assert rest.through == 5
    nothing = messages.find_heard(turn, 5, ["halt.changed"], 5)
    assert (nothing.rows, nothing.through) == ([], 5)


def test_who_had_an_incident_before_an_entry(turn: Connection) -> None:
    """Only what came before it counts, of that incident."""
    append(
        turn,
        NOW,
        [note("incident.opened", 1), note("incident.escalated", 1)],
    )
    assert messages.was_escalated_before(turn, 1, 3)
    assert not messages.was_escalated_before(turn, 1, 2)
    assert not messages.was_escalated_before(turn, 2, 3)


def test_the_last_job_that_wrote_anything_is_found(turn: Connection) -> None:
    """Of that incident and of that action."""
    over: dict[str, Any] = {
        "state": JobState.SUCCEEDED.value,
        "action": "look",
    }
    add_job(turn, make_job(1, **over, output_bytes=4))
    add_job(turn, make_job(2, **over, output_bytes=9))
    add_job(turn, make_job(3, **over))
    add_job(turn, make_job(4, **over, output_bytes=3, incident_id=2))
    found = messages.find_last_output(turn, 1, "look")
    assert found.decision_id == 2
    assert messages.find_last_output(turn, 1, "other") is None


def test_what_is_old_goes_with_its_incident(turn: Connection) -> None:
    """And an incident stays as long as people are not told all of it."""
    for number in (1, 2, 3):
        add_incident(turn, number, state="resolved")
    over: dict[str, Any] = {"state": "sent", "due_at": None}
    add_sending(turn, 1, make_dispatch(incident_id=1, **over))
    add_sending(turn, 2, make_dispatch(incident_id=2))
    add_sending(turn, 3, make_dispatch(incident_id=3, **over))
    swept = retention.sweep_incidents(turn, NOW + HOUR, 0)
    assert swept.deleted == 1

    def left(table: object) -> list[int]:
        """Return the incidents that rows of a table are about."""
        column = "id" if table is INCIDENT else "incident_id"
        query = text(f"SELECT {column} FROM {table} ORDER BY 1")
        return list(turn.execute(query).scalars())

    assert left(INCIDENT) == left(MESSAGE) == left(DISPATCH) == [2, 3]


# What came with the messages, and after them.
NEWER = (
    *("dispatch", "message"),
    *("account", "session", "token", "invitation", "attempt"),
    "charter",
)


LATER = (
    "incident_team",
    "decision_failed",
    "ruling_observed",
    "decision_judged",
    "entry_turn",
)
EARLIER = "CREATE INDEX decision_problem ON decision (problem, action)"


def test_nothing_old_is_told_after_an_upgrade(location: Location) -> None:
    """The mark begins where the log ended when the tables were made."""
    ledger = Ledger(location, 2.0)
    with ledger.turn() as turn:
        assert get_mark(turn, "told") == get_mark(turn, "evidence") == 0
        append(turn, NOW, [note("incident.escalated", 1)] * 3)
    ledger.close()
    engine = create_engine(location.url)
    with engine.begin() as connection:
        for table in NEWER:
            connection.execute(text(f"DROP TABLE {table}"))
        for index in LATER:
            connection.execute(text(f"DROP INDEX {index}"))
        connection.execute(text(EARLIER))
        connection.execute(text("ALTER TABLE incident DROP COLUMN team"))
        back = "UPDATE alembic_version SET version_num = '0005'"
        connection.execute(text(back))
    engine.dispose()
    migrate(location)
    ledger = Ledger(location, 2.0)
    with ledger.turn() as turn:
        assert get_mark(turn, "told") == get_mark(turn, "evidence") == 3
    ledger.close()


def test_lists_are_paged_by_their_filters(
    ledger: Ledger, reader: Reader
) -> None:
    """By incident and kind; their long texts are not read for it."""
    with ledger.turn() as turn:
        add_message(turn, make_message(1))
        add_message(turn, make_message(2, kind="acted"))
        add_message(turn, make_message(3, kind="acted", incident_id=2))

    def page(**where: object) -> list[int]:
        """Return the numbers of a page."""
        rows = reader.page(MESSAGES, Wish(where, count="exact")).rows
        assert not any(hasattr(row, "facts") for row in rows)
        return [row.id for row in rows]

    assert page() == [3, 2, 1]
    assert page(kind=("acted",)) == [3, 2]
    assert page(incident_id=(1,)) == [2, 1]
    assert page(incident_id=(1,), kind=("escalated",)) == [1]
