"""Mutes suppress incidents while they are on, and only then."""

from collections.abc import Iterator

import pytest

from app.core.errors import Refused
from app.fold import folding, mutes, muting
from app.store.location import Location
from tests.unit.fold.stage import HOUR, Stage, host
from tests.unit.fold.turns import MINUTE, START

WEB = 'target=~"web-.*"'


@pytest.fixture
def stage(location: Location) -> Iterator[Stage]:
    """Return folding on a database without mutes."""
    made = Stage(location)
    yield made
    made.ledger.close()


def test_a_muted_incident_is_recorded_and_suppressed(stage: Stage) -> None:
    """Never dropped; the reason names the mute, its author and its end."""
    stage.mute(WEB, 0, 60)
    until = stage.after(60)
    stage.told(host("web-01"))
    incident = stage.incident()
    assert incident.state == "suppressed"
    assert incident.reason == (
        f"maintenance 1: kernel updates, by ana, until {until}"
    )
    assert incident.due_at == START + HOUR
    assert stage.kinds() == [
        "mute.added",
        "mute.started",
        "incident.opened",
        "incident.suppressed",
    ]
    actors = [e.actor for e in stage.entries("mute.added")]
    assert actors == ["person:ana"]
    assert incident.reason in stage.entries("incident.suppressed")[0].summary


def test_at_its_end_the_incident_is_open(stage: Stage) -> None:
    """By itself, without any new alert, at that very moment."""
    stage.mute(WEB, 0, 60)
    stage.told(host("web-01"))
    (turn,) = stage.wait(59.9)
    assert stage.state() == "suppressed"
    assert turn.next_due == START + HOUR
    stage.wait(0.1)
    assert stage.state() == "open"
    assert stage.kinds()[-2:] == ["mute.ended", "incident.released"]


@pytest.mark.parametrize(
    "matchers",
    [
        'alertname="DiskFull"',
        "source=alertmanager",
        "severity=~info|warning",
        'target="web-01"',
        "target_kind=host",
        "problem=DiskFull",
        "instance=web-01,severity!=critical",
    ],
)
def test_what_a_matcher_may_ask(stage: Stage, matchers: str) -> None:
    """The labels of the alert, and what we know of it."""
    stage.told(host("web-01"))
    assert stage.state() == "open"
    stage.mute(matchers, 0, 60)
    stage.settle()
    assert stage.state() == "suppressed"


def test_a_mute_of_something_else_changes_nothing(stage: Stage) -> None:
    """An incident that does not fit is open."""
    stage.mute("target=web-02", 0, 60)
    stage.told(host("web-01"))
    assert stage.state() == "open"


def test_all_of_an_incident_must_be_muted(stage: Stage) -> None:
    """One symptom that is not muted keeps it open."""
    stage.mute("alertname=DiskFull", 0, 60)
    stage.told(host("web-01"))
    assert stage.state() == "suppressed"
    stage.told(host("web-01", "CpuBusy", starts=10))
    assert stage.state() == "open"
    over = host("web-01", "CpuBusy", status="resolved", starts=10, ends=20)
    stage.told(over)
    assert stage.state() == "suppressed"


def test_the_first_of_several_mutes_to_end_is_when_to_look(
    stage: Stage,
) -> None:
    """Two symptoms under two mutes; a third mute that helps no one."""
    stage.mute("alertname=DiskFull", 0, 60)
    stage.mute("alertname=CpuBusy", 0, 30)
    stage.mute("alertname=CpuBusy", 0, 10)
    stage.told(host("web-01"), host("web-01", "CpuBusy"))
    incident = stage.incident()
    assert incident.due_at == START + 30 * MINUTE
    assert incident.reason.startswith("maintenance 2:")
    assert incident.reason.endswith(" and 1 more")
    stage.wait(10)
    assert stage.state() == "suppressed"
    stage.wait(20)
    assert stage.state() == "open"


def test_one_mute_hands_over_to_the_next(stage: Stage) -> None:
    """At the end of the first the second covers it: it stays suppressed."""
    stage.mute(WEB, 0, 30)
    stage.told(host("web-01"))
    stage.mute(WEB, 20, 60)
    stage.wait(30)
    assert stage.state() == "suppressed"
    assert stage.incident().reason.startswith("maintenance 2:")
    assert not stage.entries("incident.released")
    reasons = [e.summary for e in stage.entries("incident.suppressed")]
    assert ["maintenance 1:" in one for one in reasons] == [True, False]
    assert "maintenance 2:" in reasons[1]


def test_a_mute_that_ends_while_it_flaps_is_told(stage: Stage) -> None:
    """It stays suppressed; the log has the new reason, and that once."""
    stage.mute(WEB, 0, 5)
    for flap in range(0, 60, 20):
        over = host("web-01", status="resolved", starts=flap, ends=flap + 10)
        stage.told(host("web-01", starts=flap), over)
    stage.told(host("web-01", starts=60))
    assert stage.incident().reason.startswith("maintenance 1:")
    before = len(stage.entries("incident.suppressed"))
    stage.wait(5)
    stage.settle()
    (entry,) = stage.entries("incident.suppressed")[before:]
    assert stage.incident().reason in entry.summary
    assert "flapping" in entry.summary
    assert not stage.entries("incident.released")


def test_the_rules_that_one_turn_follows_are_bounded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several windows end at once: as many turns as their rules need."""
    for _ in range(3):
        stage.mute(WEB, 0, 10, rule="FREQ=DAILY;COUNT=5")
    stage.settle()
    monkeypatch.setattr(mutes, "MOST_STEPS", 1)
    stage.clock.advance(600)
    counts = []
    for _ in range(4):
        turn = stage.turn()
        counts.append((len(stage.entries("mute.ended")), turn.is_full))
    assert counts == [(1, True), (2, True), (3, False), (3, False)]


def test_resolved_while_muted_is_resolved(stage: Stage) -> None:
    """And stays so when the mute ends."""
    stage.mute(WEB, 0, 60)
    stage.told(host("web-01"))
    stage.told(host("web-01", status="resolved", ends=60))
    assert stage.state() == "resolved"
    stage.wait(60)
    assert stage.state() == "resolved"


def test_a_mute_that_begins_later_takes_living_incidents(
    stage: Stage,
) -> None:
    """At its time, without any alert; the turn before says when."""
    stage.told(host("web-01"))
    stage.mute(WEB, 10, 20)
    (turn,) = stage.settle()
    assert stage.state() == "open"
    assert turn.next_due == START + 10 * MINUTE
    stage.wait(10)
    assert stage.state() == "suppressed"
    assert stage.kinds()[-2:] == ["mute.started", "incident.suppressed"]


def test_ending_it_early_opens_at_once(stage: Stage) -> None:
    """The row stays, and the log says who and why; a second end is told."""
    mute = stage.mute(WEB, 0, 60)
    stage.told(host("web-01"))
    stage.clock.advance(60)
    stage.end(mute)
    stage.settle()
    assert stage.state() == "open"
    (row,) = stage.mutes()
    assert row.ended_at == START + MINUTE
    (entry,) = stage.entries("mute.ended")
    assert entry.actor == "person:ben"
    assert "it went well" in entry.summary
    with pytest.raises(Refused) as caught:
        stage.end(mute)
    assert caught.value.status == 409


def test_living_incidents_are_settled_in_bounded_batches(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many a turn, until all are done; a restart goes on with the rest."""
    monkeypatch.setattr(folding, "BATCH", 3)
    stage.told(*(host(f"web-{n:02}") for n in range(8)))
    stage.settle()
    stage.mute(WEB, 0, 60)
    counts = []
    for _ in range(4):
        turn = stage.turn()
        states = [row.state for row in stage.incidents()]
        counts.append((states.count("suppressed"), turn.is_full))
    assert counts[:3] == [(3, True), (6, True), (8, False)]
    assert counts[3] == (8, False)


def test_incidents_that_are_over_are_left_alone(stage: Stage) -> None:
    """A mute does not touch what is resolved."""
    over = host("web-01", status="resolved", ends=10)
    stage.told(host("web-01"), over)
    before = stage.incident()
    stage.mute(WEB, 0, 60)
    stage.settle()
    assert stage.incident() == before


def test_a_window_that_comes_again(stage: Stage) -> None:
    """Each day for ten minutes; in between the incident is open."""
    stage.told(host("web-01"))
    stage.mute(WEB, 10, 20, rule="FREQ=DAILY;COUNT=2")
    states = []
    for minutes in (10, 10, 24 * 60 - 10, 10, 24 * 60):
        stage.wait(minutes)
        states.append(stage.state())
    assert states == ["suppressed", "open", "suppressed", "open", "open"]
    assert stage.mutes()[0].due_at is None


def test_a_clock_that_jumps_an_hour_misses_no_boundary(stage: Stage) -> None:
    """Into a mute, out of it, and over a whole one."""
    stage.told(host("web-01"))
    stage.mute(WEB, 10, 90)
    stage.mute(WEB, 130, 140)
    stage.wait(60)
    assert stage.state() == "suppressed"
    stage.wait(60)
    assert stage.state() == "open"
    stage.wait(60)
    assert stage.state() == "open"
    (entry,) = stage.entries("mute.missed")
    assert "unseen" in entry.summary


def test_a_clock_that_is_set_back_revives_no_mute(stage: Stage) -> None:
    """What was over stays over; what is on stays on until its end."""
    stage.told(host("web-01"))
    stage.mute(WEB, 10, 20)
    stage.wait(10)
    stage.wait(-8)
    assert stage.state() == "suppressed"
    stage.wait(20)
    assert stage.state() == "open"
    stage.wait(-10)
    stage.told(host("web-01", "CpuBusy", starts=60))
    assert stage.state() == "open"


def test_a_restart_within_a_mute(location: Location, stage: Stage) -> None:
    """What is on, and what is due, lies in the store."""
    stage.mute(WEB, 0, 60)
    stage.told(host("web-01"))
    after = Stage(location)
    after.clock.moment = stage.clock.moment
    after.wait(30)
    assert after.state() == "suppressed"
    after.wait(30)
    assert after.state() == "open"
    after.ledger.close()


def test_hold_down_goes_on_under_a_mute(location: Location) -> None:
    """Whichever is longer decides; what was released early still waits."""
    stage = Stage(location, hold_down=[{"seconds": 3600}])
    mute = stage.mute(WEB, 0, 120)
    stage.told(host("web-01"))
    assert stage.state() == "suppressed"
    stage.end(mute)
    stage.settle()
    assert stage.state() == "waiting"
    stage.wait(60)
    assert stage.state() == "open"
    stage.ledger.close()


def test_mutes_are_bounded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than so many at once are refused, and nothing is written."""
    monkeypatch.setattr(muting, "MOST_LIVING", 2)
    stage.mute(WEB, 0, 10)
    stage.mute(WEB, 0, 60)
    with pytest.raises(Refused) as caught:
        stage.mute(WEB, 0, 60)
    assert caught.value.reason == "too_many_mutes"
    assert len(stage.mutes()) == 2
    stage.wait(10)
    stage.mute(WEB, 0, 60)


def test_a_mute_that_is_over_already_is_refused(stage: Stage) -> None:
    """It would do nothing, and somebody believes otherwise."""
    with pytest.raises(Refused) as caught:
        stage.mute(WEB, -60, -30)
    assert (caught.value.status, caught.value.field) == (422, "times")
    assert stage.mutes() == []
