"""What the database knows of how the service is doing; on both."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event

from app.models.canary import PROBLEM
from app.models.entry import Note
from app.models.job import JobState
from app.store.approvals import add_approval
from app.store.inbox import SqlInbox
from app.store.jobs import add_job
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.log import append
from app.store.reading import Reader
from app.store.vitals import (
    DAY,
    Counts,
    Mark,
    count_days,
    count_now,
    measure_size,
)
from tests.fakes import make_alert, make_filing
from tests.unit.store.missions import add_incident, make_approval, make_job

START = 1_795_000_000_000_000 // DAY * DAY
HOUR = DAY // 24


@pytest.fixture
def ledger(location: Location) -> Iterator[Ledger]:
    """Return the writing end of the database."""
    made = Ledger(location, 5.0)
    yield made
    made.close()


def note(kind: str, incident: int, **more: object) -> Note:
    """Return a line of the log about an incident."""
    values = {"actor": "test", "summary": "", "problem": "cpu", **more}
    return Note(kind=kind, incident=incident, **values)  # type: ignore[arg-type] # what a test gives


def write(ledger: Ledger, at: int, *notes: Note) -> None:
    """Write lines of the log at a moment."""
    with ledger.turn() as connection:
        append(connection, at, notes)


def closed(incident: int, end: str) -> Note:
    """Return the end of a mission."""
    return note("mission.closed", incident, body={"mission": 1, "end": end})


def test_an_empty_database_has_nothing(reader: Reader) -> None:
    """Neither questions nor jobs, and a mark at the beginning."""
    found = reader.ask(lambda connection: count_now(connection, None))
    assert found == Counts(0, 0, 0, 0, Mark())


def test_questions_and_jobs_that_go_on_are_counted(
    reader: Reader, ledger: Ledger
) -> None:
    """What was answered, and what is over, is not."""
    with ledger.turn() as connection:
        add_incident(connection, 1)
        add_approval(connection, make_approval())
        add_approval(connection, make_approval(state="granted"))
        for number, state in enumerate(JobState, 1):
            target = f"host:h{number}"
            job = make_job(number, state=state.value, target=target)
            add_job(connection, job)
    found = reader.ask(lambda connection: count_now(connection, None))
    assert (found.approvals, found.jobs) == (1, 1)


def test_only_what_came_since_a_mark_is_counted(
    reader: Reader, ledger: Ledger, inbox: SqlInbox
) -> None:
    """Each look counts what the one before could not see."""

    def look(mark: Mark | None) -> Counts:
        """Count anew."""
        return reader.ask(lambda connection: count_now(connection, mark))

    inbox.write([make_filing(make_alert("a"))])
    with ledger.turn() as connection:
        add_incident(connection, 1)
    first = look(None)
    assert (first.alerts, first.incidents) == (0, 0)
    inbox.write([make_filing(make_alert("b"), make_alert("c"), body=b"2")])
    with ledger.turn() as connection:
        add_incident(connection, 2)
        add_incident(connection, 3, source="canary")
    second = look(first.mark)
    assert (second.alerts, second.incidents) == (2, 1)
    third = look(second.mark)
    assert (third.alerts, third.incidents) == (0, 0)
    assert third.mark == second.mark


def test_the_size_grows_with_what_is_written(
    reader: Reader, ledger: Ledger
) -> None:
    """It is in bytes, on both databases."""
    before = reader.ask(measure_size)
    assert before > 10_000
    many = [note("incident.noted", 1, summary="x" * 400) for _ in range(3_000)]
    write(ledger, START, *many)
    assert reader.ask(measure_size) > before


def test_no_log_makes_days_of_nothing(reader: Reader) -> None:
    """Every day is there, with zeros."""
    days = reader.ask(lambda connection: count_days(connection, START, 3))
    assert [one.at for one in days] == [START, START + DAY, START + 2 * DAY]
    assert all(not one.incidents and not one.wrong for one in days)


def test_days_count_incidents_not_lines(
    reader: Reader, ledger: Ledger
) -> None:
    """What is said twice of one incident on one day counts once."""
    write(ledger, START - HOUR, note("incident.opened", 90))
    write(
        ledger,
        START + HOUR,
        note("incident.opened", 1),
        note("incident.opened", 2),
        note("incident.opened", 3, problem=PROBLEM),
        note("incident.escalated", 2),
        note("incident.escalated", 2),
        closed(1, "fixed"),
    )
    write(
        ledger,
        START + DAY + 23 * HOUR,
        note("incident.opened", 4),
        note("incident.corrected", 1),
        note("incident.corrected", 2),
        closed(4, "no_action"),
        note("mission.closed", 4, body={"end": "resolved"}),
    )
    first, second = reader.ask(lambda c: count_days(c, START, 2))
    assert (first.incidents, first.fixed) == (2, 1)
    assert (first.escalated, first.wrong) == (1, 0)
    assert (second.incidents, second.fixed) == (1, 0)
    assert (second.escalated, second.wrong) == (0, 2)


def test_teams_see_the_days_of_their_incidents(
    reader: Reader, ledger: Ledger
) -> None:
    """A number tells nothing of what others have."""
    with ledger.turn() as connection:
        add_incident(connection, 1, team="web")
        add_incident(connection, 2, team="db")
    write(
        ledger,
        START,
        note("incident.opened", 1),
        note("incident.opened", 2),
        closed(2, "fixed"),
    )

    def days(*teams: str) -> tuple[int, int]:
        """Return how many there were on the day, and how many were fixed."""
        (day,) = reader.ask(lambda c: count_days(c, START, 1, teams))
        return day.incidents, day.fixed

    assert days() == (2, 1)
    assert days("web") == (1, 0)
    assert days("db") == (1, 1)
    assert days("web", "db") == (2, 1)
    assert days("nobody") == (0, 0)


def test_days_are_found_along_an_index(
    reader: Reader, ledger: Ledger, location: Location
) -> None:
    """A log of years is not walked through for two weeks."""
    if location.file is None:
        pytest.skip("the plan is SQLite's")
    write(ledger, START, note("incident.opened", 1))
    plans: list[str] = []

    def look(connection: Connection) -> None:
        """Ask for the plan of each question that is asked."""
        asked: list[tuple[str, Any]] = []

        def note_it(*told: Any) -> None:
            """Keep a statement with its values."""
            asked.append((told[2], told[3]))

        event.listen(connection, "before_cursor_execute", note_it)
        count_days(connection, START, 14)
        event.remove(connection, "before_cursor_execute", note_it)
        for statement, values in asked:
            rows = connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {statement}", values
            )
            plans.append(" ".join(str(row[3]) for row in rows))

    reader.ask(look)
    first, *counts = plans
    assert "entry_at" in first
    assert len(counts) == 4
    assert all("entry_kind" in plan for plan in counts), counts
