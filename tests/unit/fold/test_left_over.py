"""What clean-up leaves of an incident is spoken of again."""

import pytest
from sqlalchemy import update

from app.models.alert import Status
from app.models.tables import EpisodeRow, IncidentRow
from app.models.word import Kind
from app.store import retention
from app.store.incidents import INCIDENT
from app.store.ledger import Connection
from tests.unit.fold.conftest import inbox, location
from tests.unit.fold.room import SECOND, Room
from tests.unit.fold.test_split_merge import room

__all__ = ["inbox", "location", "room"]
HOUR = 3_600


def come_and_go(room: Room, host: str) -> int:
    """Let a problem of a host come and go; return its incident."""
    number = room.fire(host)
    room.end(host)
    room.clock.advance(60)
    return number


def test_an_incident_stays_with_the_newest_episode(room: Room) -> None:
    """That row stays for its number; an update of it is no surprise."""
    one = come_and_go(room, "web-01")
    two = come_and_go(room, "web-02")
    three = come_and_go(room, "web-03")
    assert come_and_go(room, "web-01") == one
    room.clock.advance(2 * HOUR)
    before = room.clock.now() - HOUR * SECOND
    swept = room.turn(lambda c: retention.sweep_incidents(c, before, 0))
    assert swept.deleted == 1
    assert [row.id for row in room.rows(IncidentRow)] == [one, three]
    room.update("web-01", 0, message="it was the disk")
    assert room.incident(one).state == "resolved"
    come_and_go(room, "web-04")
    assert two not in {row.incident_id for row in room.rows(EpisodeRow)}


def test_what_was_left_without_its_incident_is_in_one_again(
    room: Room,
) -> None:
    """By a release that left it: what is told of it now must not be lost."""
    come_and_go(room, "web-01")
    one = room.rows(EpisodeRow)[-1].incident_id
    began = room.began("web-01")
    room.turn(lambda c: retention.delete_incidents(c, [one]))
    assert [row.incident_id for row in room.rows(EpisodeRow)] == [one]
    room.tell(
        "web-01/DiskFull",
        status=Status.UPDATED,
        occurrence="update",
        labels={"instance": "web-01"},
        starts_at=began,
        annotations={"update_message": "it was the disk"},
    )
    assert room.incident(one).state == "resolved"
    assert [word.text for word in room.words(one)] == ["it was the disk"]
    assert room.fire("web-01") == one
    assert room.incident(one).state == "open"


def test_one_that_is_there_again_keeps_no_younger_one(room: Room) -> None:
    """Clean-up goes by the numbers: a low one is as old as its number."""
    one = come_and_go(room, "web-01")
    come_and_go(room, "web-02")
    assert come_and_go(room, "web-01") == one
    room.turn(lambda c: retention.delete_incidents(c, [one]))
    others = [come_and_go(room, f"web-1{number}") for number in range(3)]
    room.clock.advance(2 * HOUR)
    # Something more is told of what was left.
    room.tell(
        "web-01/DiskFull",
        status=Status.UPDATED,
        occurrence="update",
        labels={"instance": "web-01"},
        starts_at=room.began("web-01"),
        annotations={"update_message": "it was the disk"},
    )
    assert room.incident(one).state == "resolved"
    newest = come_and_go(room, "web-20")
    before = room.clock.now() - HOUR * SECOND
    room.turn(lambda c: retention.sweep_incidents(c, before, 0))
    left = [row.id for row in room.rows(IncidentRow)]
    assert set(left).isdisjoint(others)
    assert left == [one, newest]


def merge_two(room: Room) -> tuple[int, int]:
    """Let two problems be one; return the merged incident, and the other."""
    one, two = come_and_go(room, "web-01"), come_and_go(room, "web-02")
    room.say(Kind.MERGE, one, into=two)
    come_and_go(room, "web-03")
    return one, two


def test_what_was_merged_goes_with_what_it_lives_on_in(room: Room) -> None:
    """Else its page leads to one that is not there, until the next time."""
    one, two = merge_two(room)
    room.clock.advance(2 * HOUR)
    before = room.clock.now() - HOUR * SECOND
    swept = room.turn(lambda c: retention.sweep_incidents(c, before, 0))
    assert swept.deleted == 2
    assert {one, two}.isdisjoint(row.id for row in room.rows(IncidentRow))


def test_what_was_merged_keeps_what_it_lives_on_in(room: Room) -> None:
    """As long as something of it must stay."""
    one, two = merge_two(room)
    room.clock.advance(2 * HOUR)
    room.turn(
        lambda c: c.execute(
            update(INCIDENT)
            .where(INCIDENT.c.id == one)
            .values(changed_at=room.clock.now())
        )
    )
    before = room.clock.now() - HOUR * SECOND
    swept = room.turn(lambda c: retention.sweep_incidents(c, before, 0))
    assert swept.deleted == 0
    assert [row.id for row in room.rows(IncidentRow)][:2] == [one, two]


def test_of_many_that_were_merged_no_statement_names_all(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database takes so many names in one statement, and no more."""
    named: list[int] = []
    delete = retention.delete_incidents

    def note(connection: Connection, ids: list[int]) -> None:
        """Note how many are named."""
        named.append(len(ids))
        delete(connection, ids)

    merge_two(room)
    # So many are looked at, and deleted, at once.
    monkeypatch.setattr(retention, "BATCH", 1)
    monkeypatch.setattr(retention, "delete_incidents", note)
    room.clock.advance(2 * HOUR)
    before = room.clock.now() - HOUR * SECOND
    upto: int | None = 0
    for _ in room.rows(IncidentRow):
        if upto is not None:
            upto = sweep(room, before, upto)
    assert set(named) == {1}
    assert len(named) >= 2


def sweep(room: Room, before: int, after: int) -> int | None:
    """Clean up once; return how far that came, None when it is done."""
    swept = room.turn(lambda c: retention.sweep_incidents(c, before, after))
    return swept.upto
