"""From an alert to its incident; and what is left of one that was merged."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.models.strand import MOST_POINTS
from app.models.tables import IncidentRow
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.reading import Reader
from tests.unit.fold.room import Room
from tests.unit.fold.turns import MINUTE, Bench, Said

WITHIN = 30 * MINUTE


@pytest.fixture
def bench(location: Location) -> Iterator[Bench]:
    """Return folding on an empty database of each kind."""
    made = Bench(location)
    yield made
    made.ledger.close()


@pytest.fixture
def room(inbox: SqlInbox, location: Location) -> Iterator[Room]:
    """Return people and alerts on an empty database of each kind."""
    ledger = Ledger(location, 2.0)
    yield Room(inbox, ledger)
    ledger.close()


def on(host: str, **more: Any) -> Said:
    """Return an alert about a host."""
    labels = {"alertname": "DiskFull", "instance": host}
    return Said(**{"labels": labels, "fingerprint": host, **more})


def traced(reader: Reader) -> dict[int, int | None]:
    """Return the incident of each alert, as the page and each row say it."""
    page = {row.id: row.incident_id for row in reader.alerts({}, None, 500)}
    alone = {number: reader.find_alert(number).incident_id for number in page}
    assert page == alone
    return page


def siblings(reader: Reader, incident: int) -> list[int]:
    """Return the siblings of an incident."""
    dossier = reader.find_incident(incident, WITHIN)
    assert dossier is not None
    return list(dossier.siblings)


def test_an_alert_names_its_incident(bench: Bench, reader: Reader) -> None:
    """By its beginning; of two episodes of one strand the right one."""
    bench.told(
        on("a", starts=0),
        on("b", starts=0),
        on("a", status="resolved", starts=0, ends=60),
        on("a", starts=90_000),
        on("a", status="resolved", starts=90_000, ends=90_060),
    )
    assert traced(reader) == {1: 1, 2: 2, 3: 1, 4: 3, 5: 3}


def test_an_alert_of_long_ago_names_it_too(
    bench: Bench, reader: Reader
) -> None:
    """Also when its strand has forgotten it: the episode has not."""
    days = range(MOST_POINTS + 3)
    bench.say(*(on("a", starts=90_000 * day) for day in days))
    while bench.turn().alerts:
        pass
    assert traced(reader) == {day + 1: 1 for day in days}


def test_an_alert_without_a_beginning_names_it_too(
    bench: Bench, reader: Reader
) -> None:
    """By when it came, or by what its strand took it for."""
    bench.told(on("a"))
    bench.clock.advance(60.0)
    bench.told(on("a", status="updated"))
    bench.clock.advance(60.0)
    bench.told(on("a", status="resolved"))
    assert traced(reader) == {1: 1, 2: 1, 3: 1}


def test_an_alert_of_no_incident_names_none(
    bench: Bench, reader: Reader
) -> None:
    """A lone end, one of another source, and what is not folded yet."""
    bench.told(on("a", status="resolved", ends=60), on("b", starts=0))
    bench.told(on("b", status="resolved", starts=9, source="other"))
    bench.say(on("c", starts=0))
    assert traced(reader) == {1: None, 2: 1, 3: None, 4: None}
    bench.turn()
    assert traced(reader)[4] == 2


def test_alerts_go_where_the_episode_went(room: Room, reader: Reader) -> None:
    """After a merge by hand they are in the one that lives on."""
    one, two = room.fire("a"), room.fire("b")
    assert traced(reader) == {1: one, 2: two}
    room.merge(one, two)
    assert traced(reader) == {1: two, 2: two}


def test_a_merged_incident_has_no_episodes(room: Room, reader: Reader) -> None:
    """None and none that fire; and who it lives on in is no sibling."""
    one, two, three = room.fire("a"), room.fire("b"), room.fire("c")
    assert siblings(reader, one) == [two, three]
    room.merge(one, two)
    gone = room.incident(one)
    assert (gone.state, gone.episodes, gone.firing) == ("merged", 0, 0)
    assert siblings(reader, one) == siblings(reader, two) == [three]
    room.merge(two, three)
    assert siblings(reader, one) == siblings(reader, two) == []
    assert siblings(reader, three) == []


def test_a_rule_that_merges_leaves_none_behind(
    bench: Bench, reader: Reader
) -> None:
    """The same when an alert that came late shows that they are one."""
    bench.told(
        on("a", starts=0),
        on("a", starts=1_500, name="B", fingerprint="b"),
        on("a", starts=750, name="C", fingerprint="c"),
    )
    living, gone = bench.rows(IncidentRow)
    assert (living.state, living.episodes, living.firing) == ("open", 3, 3)
    assert (gone.state, gone.episodes, gone.firing) == ("merged", 0, 0)
    assert siblings(reader, gone.id) == []
