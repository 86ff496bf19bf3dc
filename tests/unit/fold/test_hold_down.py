"""New problems wait, and are cancelled when they heal themselves."""

from collections.abc import Iterator

import pytest

from app.store.location import Location
from tests.unit.fold.stage import Stage, host
from tests.unit.fold.turns import MINUTE, START

HOLD = [{"matchers": ['severity=~"info|warning"'], "seconds": 300}]


@pytest.fixture
def stage(location: Location) -> Iterator[Stage]:
    """Return folding that holds warnings down for five minutes."""
    made = Stage(location, hold_down=HOLD)
    yield made
    made.ledger.close()


def test_a_new_problem_waits_and_is_due(stage: Stage) -> None:
    """It is recorded at once, with a reason and a time to look again."""
    stage.told(host("web-01"))
    incident = stage.incident()
    assert incident.state == "waiting"
    assert "held down" in incident.reason
    assert incident.due_at == START + 5 * MINUTE
    assert stage.turn().next_due == incident.due_at
    assert stage.kinds() == ["incident.opened", "incident.held"]


def test_what_no_rule_names_does_not_wait(stage: Stage) -> None:
    """A critical one is open at once."""
    stage.told(host("web-01", severity="critical"))
    assert stage.state() == "open"
    assert stage.incident().held_until is None


def test_it_heals_itself(stage: Stage) -> None:
    """It is over without ever having been open, and the log says why."""
    stage.told(host("web-01"))
    stage.clock.advance(120)
    stage.told(host("web-01", status="resolved", ends=120))
    assert stage.state() == "resolved"
    assert stage.incident().due_at is None
    (entry,) = stage.entries("incident.resolved")
    assert "healed itself while it was held down" in entry.summary
    stage.wait(10)
    assert stage.state() == "resolved"
    assert not stage.entries("incident.released")


def test_what_came_and_went_in_one_turn_healed_itself(stage: Stage) -> None:
    """Even when both words were there before we looked."""
    over = host("web-01", status="resolved", ends=60)
    stage.say(host("web-01"), over)
    stage.turn()
    (entry,) = stage.entries("incident.resolved")
    assert "healed itself" in entry.summary


def test_what_was_open_does_not_heal_in_its_hold_down(stage: Stage) -> None:
    """After the wait it ends like any other."""
    stage.told(host("web-01"))
    stage.wait(5)
    stage.told(host("web-01", status="resolved", ends=400))
    (entry,) = stage.entries("incident.resolved")
    assert "healed" not in entry.summary


def test_the_wait_elapses(stage: Stage) -> None:
    """A microsecond before it waits, at its end it is open."""
    stage.told(host("web-01"))
    stage.clock.moment = START + 5 * MINUTE - 1
    stage.settle()
    assert stage.state() == "waiting"
    stage.clock.moment += 1
    stage.settle()
    assert stage.state() == "open"
    assert [e.status for e in stage.entries("incident.released")] == ["open"]
    assert stage.incident().held_until is None


def test_a_second_problem_does_not_lengthen_the_wait(stage: Stage) -> None:
    """Of the same fingerprint or of another one on the same target."""
    stage.told(host("web-01"))
    stage.clock.advance(120)
    stage.told(host("web-01", "CpuBusy", starts=120))
    stage.told(host("web-01", status="resolved", ends=130))
    stage.told(host("web-01", starts=150))
    incident = stage.incident()
    assert (incident.state, incident.firing) == ("waiting", 2)
    assert incident.due_at == START + 5 * MINUTE
    stage.wait(3)
    assert stage.state() == "open"


def test_a_problem_that_comes_back_after_healing_waits_no_longer(
    stage: Stage,
) -> None:
    """Within the same wait it waits for the rest of it only."""
    stage.told(host("web-01"))
    stage.told(host("web-01", status="resolved", ends=30))
    stage.clock.advance(240)
    stage.told(host("web-01", starts=200))
    assert stage.incident().due_at == START + 5 * MINUTE
    stage.wait(1)
    assert stage.state() == "open"


@pytest.mark.parametrize("minutes", [1, 60])
def test_a_restart_in_between_changes_nothing(
    location: Location, minutes: int
) -> None:
    """The wait goes on where it was, or is over at the first look."""
    before = Stage(location, hold_down=HOLD)
    before.told(host("web-01"))
    before.ledger.close()
    after = Stage(location, hold_down=HOLD)
    after.wait(minutes)
    assert after.state() == ("waiting" if minutes < 5 else "open")
    assert after.incident().held_until in (START + 5 * MINUTE, None)
    after.wait(5)
    assert after.state() == "open"
    assert len(after.entries("incident.released")) == 1
    after.ledger.close()


def test_a_clock_that_jumps_an_hour_ahead_ends_the_wait(stage: Stage) -> None:
    """And one that is set back does not begin it anew."""
    stage.told(host("web-01"))
    stage.wait(60)
    assert stage.state() == "open"
    stage.wait(-59)
    assert stage.state() == "open"
    stage.told(host("web-01", "CpuBusy", starts=60))
    assert stage.state() == "open"


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("is_together", [True, False])
def test_what_no_rule_names_lifts_the_wait(
    stage: Stage, *, is_first: bool, is_together: bool
) -> None:
    """Whether it comes first or last, in one turn or in two."""
    some = [host("web-01"), host("web-01", "CpuBusy", severity="critical")]
    some = some[::-1] if is_first else some
    if is_together:
        stage.say(*some)
        stage.turn()
    else:
        stage.told(*some)
    assert stage.state() == "open"
    assert stage.incident().held_until is None
    assert stage.turn().next_due is None


def test_what_grows_worse_lifts_the_wait(stage: Stage) -> None:
    """A warning that becomes critical does not wait on."""
    stage.told(host("web-01"))
    assert stage.state() == "waiting"
    stage.told(host("web-01", status="updated", severity="critical"))
    assert stage.state() == "open"


def test_what_was_lifted_stays_open(stage: Stage) -> None:
    """Also when what lifted it is over while the wait would go on."""
    stage.told(host("web-01"))
    stage.told(host("web-01", "CpuBusy", severity="critical"))
    over = {"status": "resolved", "ends": 60, "severity": "critical"}
    stage.told(host("web-01", "CpuBusy", **over))
    assert (stage.state(), stage.incident().firing) == ("open", 1)


@pytest.mark.parametrize("order", [1, -1])
def test_the_least_wait_counts_from_the_opening(
    location: Location, order: int
) -> None:
    """Whichever of two problems came first."""
    holds = [
        {"matchers": ["alertname=DiskFull"], "seconds": 600},
        {"matchers": ["alertname=CpuBusy"], "seconds": 120},
    ]
    stage = Stage(location, hold_down=holds)
    for some in (host("web-01"), host("web-01", "CpuBusy"))[::order]:
        stage.told(some)
        stage.clock.advance(30)
    assert stage.incident().held_until == START + 2 * MINUTE
    stage.ledger.close()
