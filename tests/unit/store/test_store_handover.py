"""A night is counted whole, listed in part, and shown to those who may."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.models.entry import Note
from app.models.matcher import Matcher
from app.models.mute import Mute, Wish
from app.models.timetable import Slot, Timetable
from app.store import handover, mutes
from app.store.approvals import add_approval
from app.store.handover import Night, Span, find_night
from app.store.jobs import add_job
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.log import append
from app.store.missions import add_mission
from app.store.reading import Reader
from tests.unit.store.missions import (
    HOUR,
    NOW,
    SECOND,
    add_incident,
    make_approval,
    make_job,
    make_mission,
)

NIGHT = Span(NOW, NOW + 10 * HOUR)
AFTER = NOW + 10 * HOUR


@pytest.fixture
def ledger(location: Location) -> Iterator[Ledger]:
    """Return who writes into an empty store."""
    made = Ledger(location, 2.0)
    yield made
    made.close()


def look(reader: Reader, span: Span = NIGHT, *teams: str) -> Night:
    """Return what is known of a night."""
    return reader.ask(lambda one: find_night(one, span, teams))


def note(kind: str, incident: int = 0, **more: Any) -> Note:
    """Return a line about an incident."""
    values = {"actor": "pipeline", "summary": "said", **more}
    return Note(kind=kind, incident=incident, **values)


def tell(ledger: Ledger, at: int, *notes: Note) -> None:
    """Write lines at a moment."""
    with ledger.turn() as connection:
        append(connection, at, notes)


def test_nothing_happened(reader: Reader) -> None:
    """All is zero, nothing is listed; that is no error."""
    night = look(reader)
    assert (night.alerts, night.opened, night.living, night.seq) == (0,) * 4
    assert set(night.ends.values()) == {0}
    assert (night.asking.states, night.asking.waits) == ({}, None)
    assert (night.verdicts, night.doings, night.mutes) == ({}, [], [])
    for some in (night.jobs, night.open, night.said, night.changes):
        assert (list(some.rows), some.has_more) == ([], False)


def test_what_was_at_the_edges(ledger: Ledger, reader: Reader) -> None:
    """The first moment is in the night, the last one is the next one's."""
    for number, at in enumerate((NOW - 1, NOW, AFTER - 1, AFTER), 1):
        tell(ledger, at, note("incident.noted", 1, actor="person:ana"))
        with ledger.turn() as connection:
            add_incident(connection, number, opened_at=at)
            job = make_job(number, planned_at=at, state="succeeded")
            add_job(connection, job)
            add_approval(
                connection, make_approval(decision_id=number, asked_at=at)
            )
    night = look(reader)
    assert night.opened == 2
    assert [row.at for row in night.said.rows] == [AFTER - 1, NOW]
    assert sum(night.verdicts.values()) == len(night.jobs.rows) == 2
    assert night.asking.states == {"asked": 2}
    # What is open or waits is so now, whenever it began.
    assert (night.living, len(night.open.rows)) == (4, 4)
    assert night.asking.waiting == 4


def test_ends_are_counted_by_incident(ledger: Ledger, reader: Reader) -> None:
    """One that was fixed twice is one; not_fixed is no fixed."""
    tell(
        ledger,
        NOW + 5,
        note("mission.closed", 1, summary="fixed: measured"),
        note("mission.closed", 1, summary="fixed: measured once more"),
        note("mission.closed", 2, summary="no_action: it is a backup"),
        note("mission.closed", 3, summary="resolved: by itself"),
        note("incident.escalated", 4, summary="escalated: no idea"),
        note("incident.escalated", 4, summary="escalated: still none"),
        note("verdict.given", 5, summary="fixed: not an end"),
        note("verdict.given", 5, summary="not_fixed: not an end"),
        note("mission.closed", 6, summary="fixedly: no word of ours"),
    )
    ends = look(reader).ends
    assert {name: many for name, many in ends.items() if many} == {
        "fixed": 1,
        "no_action": 1,
        "resolved": 1,
        "escalated": 1,
    }


def test_unknown_is_no_success(ledger: Ledger, reader: Reader) -> None:
    """Each verdict is counted for itself, and so is what has none."""
    with ledger.turn() as connection:
        for number, verdict in enumerate(
            ("fixed", "fixed", "not_fixed", "unknown", ""), 1
        ):
            # One that runs holds its target: these are over.
            add_job(
                connection,
                make_job(
                    number,
                    verdict=verdict,
                    state="succeeded",
                    planned_at=NOW + number,
                ),
            )
    night = look(reader)
    assert night.verdicts == {
        "fixed": 2,
        "not_fixed": 1,
        "unknown": 1,
        "": 1,
    }
    assert [row.decision_id for row in night.jobs.rows] == [5, 4, 3, 2, 1]


def test_waits_are_those_of_people(ledger: Ledger, reader: Reader) -> None:
    """The middle one; what expired or was withdrawn nobody answered."""
    asked = [
        ("granted", 60),
        ("refused", 120),
        ("granted", 600),
        ("expired", 3_600),
        ("withdrawn", 1),
        ("asked", None),
    ]
    with ledger.turn() as connection:
        for number, (state, seconds) in enumerate(asked, 1):
            ended = None if seconds is None else NOW + seconds * SECOND
            approval = make_approval(
                decision_id=number, state=state, ended_at=ended
            )
            add_approval(connection, approval)
    asking = look(reader).asking
    assert asking.waits == 120 * SECOND
    assert asking.states["granted"] == 2
    assert asking.states["expired"] == 1
    assert asking.waiting == 1


def test_open_ones_come_the_worst_first(
    ledger: Ledger, reader: Reader
) -> None:
    """Then the oldest, each with who has it and what is done about it."""
    with ledger.turn() as connection:
        add_incident(connection, 1, severity="info", opened_at=NOW)
        add_incident(connection, 2, severity="critical", opened_at=NOW + 2)
        add_incident(
            connection, 3, severity="critical", opened_at=NOW + 1, owner="bo"
        )
        add_incident(connection, 4, severity="critical", state="resolved")
        add_incident(connection, 5, severity="critical", source="canary")
        add_incident(connection, 6, severity="warning", state="suppressed")
        add_mission(connection, make_mission(3, reason="waits"))
    night = look(reader)
    assert [row.id for row in night.open.rows] == [3, 2, 6, 1]
    assert (night.living, night.opened) == (4, 5)
    assert night.open.rows[0].owner == "bo"
    assert night.open.rows[0].mission.reason == "waits"
    assert night.open.rows[1].mission is None


def test_who_did_what(ledger: Ledger, reader: Reader) -> None:
    """Lines by actor and kind; what the canary wrote is nobody's work."""
    tell(
        ledger,
        NOW,
        note("incident.noted", 1, actor="person:ana"),
        note("incident.noted", 2, actor="person:ana"),
        note("halt.changed", actor="person:bo"),
        note("incident.opened", 9, problem="SmokejumperCanary"),
    )
    told = {(one.actor, one.kind): one.count for one in look(reader).doings}
    assert told == {
        ("person:ana", "incident.noted"): 2,
        ("person:bo", "halt.changed"): 1,
    }


def test_changes_are_of_all_that_holds_for_everybody(
    ledger: Ledger, reader: Reader
) -> None:
    """Policy, brains, people, tokens, mutes, pauses; no line of work.

    Who had a drill must not be taken for who had a night.
    """
    kinds = [
        "reins.changed",
        "decide.changed",
        "simulator.changed",
        "account.created",
        "token.revoked",
        "policy.changed",
        "mute.added",
        "halt.changed",
        "log.broken",
    ]
    work = ["incident.opened", "log.cut", "decision.made", "mute.started"]
    tell(ledger, NOW, *map(note, [*kinds, *work]))
    rows = look(reader).changes.rows
    assert [row.kind for row in rows] == kinds[::-1]


def test_lists_are_bounded_and_counts_are_not(
    ledger: Ledger, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told that there is more; the newest are shown."""
    monkeypatch.setattr(handover, "MOST_LISTED", 2)
    with ledger.turn() as connection:
        for number in range(1, 5):
            add_incident(connection, number)
            add_job(
                connection,
                make_job(number, state="succeeded", verdict="fixed"),
            )
    notes = [note("incident.noted", number) for number in range(1, 5)]
    tell(ledger, NOW, *notes)
    night = look(reader)
    assert (night.living, night.verdicts) == (4, {"fixed": 4})
    for some in (night.open, night.jobs, night.said):
        assert (len(some.rows), some.has_more) == (2, True)
    assert [row.incident_id for row in night.said.rows] == [4, 3]


def test_a_team_is_told_of_its_own(ledger: Ledger, reader: Reader) -> None:
    """Numbers, too; what holds for everybody is told to everybody."""
    with ledger.turn() as connection:
        for number, team in ((1, "shop"), (2, "data"), (3, "")):
            add_incident(connection, number, team=team)
            add_job(
                connection,
                make_job(number, incident_id=number, state="succeeded"),
            )
            asked = make_approval(incident_id=number, decision_id=number)
            add_approval(connection, asked)
    for number in (1, 2, 3):
        tell(
            ledger,
            NOW,
            note("incident.noted", number),
            note("mission.closed", number, summary="fixed: measured"),
        )
    tell(ledger, NOW, note("halt.changed"), note("account.created"))
    mine = look(reader, NIGHT, "shop")
    assert mine.alerts is None
    assert (mine.opened, mine.living, mine.ends["fixed"]) == (1, 1, 1)
    assert [row.id for row in mine.open.rows] == [1]
    assert [row.incident_id for row in mine.jobs.rows] == [1]
    assert [row.incident_id for row in mine.said.rows] == [1]
    assert (mine.asking.states, mine.asking.waiting) == ({"asked": 1}, 1)
    assert [row.kind for row in mine.changes.rows] == ["halt.changed"]
    whole = look(reader)
    assert (whole.opened, whole.ends["fixed"], whole.alerts) == (3, 3, 0)


def test_mutes_that_are_on(ledger: Ledger, reader: Reader) -> None:
    """With the end of the time that is on."""
    wish = Wish(
        matchers=(Matcher("host", "=", "web-1"),),
        times=Timetable(starts_at=NOW, ends_at=NOW + HOUR),
        author="ana",
        comment="new disks",
    )
    with ledger.turn() as connection:
        on = Mute(
            id=1,
            wish=wish,
            created_at=NOW,
            slot=Slot(NOW, NOW + HOUR),
            is_on=True,
        )
        over = Mute(id=2, wish=wish, created_at=NOW)
        mutes.add_all(connection, [on, over])
    (found,) = look(reader).mutes
    assert found.id == 1
    assert found.slot is not None
    assert found.slot.until == NOW + HOUR
