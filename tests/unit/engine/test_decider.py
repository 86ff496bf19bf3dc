"""The decider decides once on what an incident is, and on nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from app.core.errors import BrainFailed
from app.decide.reins import Wish
from app.engine import decider
from app.engine.decider import rest_after
from app.engine.undecided import find_due
from app.models.alert import Severity
from app.models.tables import IncidentRow
from app.store.location import Location
from tests.brains import FakeBrain
from tests.fakes import make_alert
from tests.unit.engine.hall import Hall

Story = Callable[[Hall], Awaitable[None]]


def live(hall: Hall, story: Story) -> None:
    """Let a node live through a story."""

    async def run() -> None:
        """Start it, tell it, stop it."""
        async with hall:
            await story(hall)

    asyncio.run(run())


def has_decided(hall: Hall, times: int) -> bool:
    """Tell whether so many decisions are there, or more."""
    return len(hall.decisions) >= times


def test_an_alert_is_decided_on(location: Location) -> None:
    """One decision with its case, and a line that nothing has run."""
    brain = FakeBrain("collect_diagnostics")

    async def story(hall: Hall) -> None:
        hall.tell(annotations={"summary": "it is full"})
        await hall.until(lambda: hall.log("decision.made"))
        (row,), (entry,) = hall.decisions, hall.log("decision.made")
        assert row.action == "collect_diagnostics"
        assert (row.why, row.brain, row.calls) == ("chosen", "fake", 1)
        assert row.tokens == 101
        assert row.target == "host::web-01"
        case = msgspec.json.decode(row.casefile)
        assert case["labels"]["mountpoint"] == "/var"
        assert case["texts"] == {"summary": "it is full"}
        assert row.case_digest == brain.cases[0].digest
        assert entry.summary.startswith("proposed, nothing has run: ")
        assert entry.action.startswith("collect_diagnostics(host=web-01")
        assert entry.actor == "brain:fake"
        body = hall.body(entry)
        assert body["decision"] == row.id
        assert body["has_run"] is False
        record = msgspec.json.decode(row.record)
        assert record["grounding"][0]["source"] == "labels.instance"
        assert record["calls"][0]["raw"] == "SECRET-ANSWER"

    live(Hall(location, {"fake": brain}), story)


def test_a_storm_on_one_incident_costs_one_decision(
    location: Location,
) -> None:
    """However many alerts it is made of."""
    brain = FakeBrain()

    async def story(hall: Hall) -> None:
        for start in range(0, 1_000, 100):
            alerts = [
                make_alert(
                    f"f{number}",
                    "1",
                    labels={"instance": "web-01", "disk": str(number)},
                )
                for number in range(start, start + 100)
            ]
            await asyncio.to_thread(hall.write, alerts)
        await hall.until(
            lambda: sum(r.episodes for r in hall.rows(IncidentRow)) == 1_000
        )
        await hall.quiet()
        assert len(hall.of("web-01")) == 1
        assert len(brain.cases) == 2  # the other one ended the storm

    live(Hall(location, {"fake": brain}), story)


def test_a_bug_with_one_incident_costs_that_one_alone(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others are decided on, though they are looked at together."""

    def crash(connection: Any, numbers: list[int], rest: float) -> Any:
        """Fail for the first incident, as a bug would."""
        if 1 in numbers:
            raise KeyError("a bug")
        return find_due(connection, numbers, rest)

    monkeypatch.setattr(decider, "find_due", crash)

    async def story(hall: Hall) -> None:
        for host in ("web-01", "web-02", "web-03"):
            hall.tell(host)
        await hall.until(partial(has_decided, hall, 2))
        assert {row.incident_id for row in hall.decisions} == {2, 3}

    live(Hall(location, {"fake": FakeBrain()}), story)


@pytest.mark.parametrize(
    ("took", "rest"), [(0.0, 30.0), (0.2, 30.0), (1.1, 110.0), (60.0, 600.0)]
)
def test_a_sweep_is_worth_a_hundredth_of_the_time(
    took: float, rest: float
) -> None:
    """However much is open; but it is never given up."""
    assert rest_after(took) == pytest.approx(rest)


def test_what_is_news_is_decided_on_again(location: Location) -> None:
    """Worse, another problem, asked for, reopened; not one alert more."""
    brain = FakeBrain()

    async def story(hall: Hall) -> None:
        hall.tell()
        await hall.until(lambda: len(hall.decisions) == 1)
        hall.tell(fingerprint="another disk")
        await hall.quiet()
        assert len(hall.of("web-01")) == 1
        hall.tell(name="DiskSlow", severity=Severity.CRITICAL)
        await hall.until(lambda: len(hall.of("web-01")) == 2)
        hall.tell(name="LoadHigh")
        await hall.until(lambda: len(hall.of("web-01")) == 3)
        assert "LoadHigh" in hall.of("web-01")[-1].problems
        await hall.note("decision.asked", hall.of("web-01")[0].incident_id)
        await hall.until(lambda: len(hall.of("web-01")) == 4)

    live(Hall(location, {"fake": brain}, calls_per_incident=9), story)


def test_a_reopened_incident_is_decided_on_again(location: Location) -> None:
    """And its history tells what was decided before."""
    brain = FakeBrain()

    async def story(hall: Hall) -> None:
        hall.tell()
        await hall.until(lambda: len(hall.decisions) == 1)
        hall.end()
        await hall.until(lambda: hall.log("incident.resolved"))
        hall.tell()
        await hall.until(lambda: len(hall.decisions) == 2)
        assert len(hall.rows(IncidentRow)) == 1
        (past,) = brain.cases[-1].history
        assert (past.action, past.verdict) == ("escalate", "")

    live(Hall(location, {"fake": brain}), story)


def test_the_calls_of_an_incident_are_bounded(location: Location) -> None:
    """Then people are told, once, and no brain is asked."""
    brain = FakeBrain()

    async def story(hall: Hall) -> None:
        for number, name in enumerate("ABCDE", 1):
            hall.tell(name=name)
            await hall.until(partial(has_decided, hall, min(number, 3)))
        await hall.quiet()
        whys = [row.why for row in hall.of("web-01")]
        assert whys == ["chosen", "chosen", "budget"]
        asked = [case for case in brain.cases if case.target == "web-01"]
        assert len(asked) == 2
        assert hall.of("web-01")[-1].action == "escalate"
        refused = "smokejumper_decide_refused_total"
        assert hall.metric(refused, budget="incident") == 1

    live(Hall(location, {"fake": brain}, calls_per_incident=2), story)


def test_tokens_of_the_day_are_bounded(location: Location) -> None:
    """What was spent is read from the decisions, so it holds everywhere."""
    brain = FakeBrain(tokens=1_000)

    async def story(hall: Hall) -> None:
        hall.tell("web-01")
        await hall.until(lambda: len(hall.decisions) == 1)
        hall.tell("web-02")
        await hall.until(lambda: len(hall.decisions) == 2)
        assert [row.why for row in hall.decisions] == ["chosen", "budget"]
        assert len(brain.cases) == 1

    live(Hall(location, {"fake": brain}, tokens_per_day=1_000), story)


def test_it_waits_for_a_call_of_the_minute(location: Location) -> None:
    """Out of patience, people are told instead."""
    brain = FakeBrain()

    async def story(hall: Hall) -> None:
        hall.tell("web-01")
        await hall.until(lambda: len(hall.decisions) == 1)
        hall.tell("web-02")
        await hall.until(lambda: len(hall.decisions) == 2)
        assert hall.decisions[-1].why == "budget"

    brains = {"fake": brain}
    hall = Hall(location, brains, calls_per_minute=1, patience_seconds=0)
    live(hall, story)


def test_what_is_over_meanwhile_is_kept_with_a_note(
    location: Location,
) -> None:
    """A decision that comes too late has no effect, and says so."""
    brain = FakeBrain("collect_diagnostics")

    async def story(hall: Hall) -> None:
        brain.gate.clear()
        hall.tell()
        await hall.until(lambda: brain.cases)
        hall.end()
        await hall.until(lambda: hall.log("incident.resolved"))
        brain.gate.set()
        await hall.until(lambda: hall.decisions)
        (row,), (entry,) = hall.decisions, hall.log("decision.made")
        assert row.note.startswith("the incident is resolved meanwhile")
        assert row.note in entry.summary
        assert entry.status == "resolved"

    live(Hall(location, {"fake": brain}), story)


def test_what_waits_is_not_decided_on(location: Location) -> None:
    """It may heal itself; and what is over needs no decision any more."""
    brain = FakeBrain()

    async def story(hall: Hall) -> None:
        hall.tell("web-01", severity=Severity.INFO)
        await hall.until(lambda: hall.rows(IncidentRow))
        await hall.quiet()
        assert hall.rows(IncidentRow)[0].state == "waiting"
        assert hall.of("web-01") == []
        hall.tell("web-01", name="Worse")
        await hall.until(lambda: hall.of("web-01"))

    hold = {"matchers": ["severity=info"], "seconds": 3_600}
    tree = {"incidents": {"hold_down": [hold]}}
    live(Hall(location, {"fake": brain}, tree), story)


def test_a_failing_brain_escalates(location: Location) -> None:
    """It cannot be reached, crashes, or takes too long: people are told."""
    brain = FakeBrain()

    async def story(hall: Hall) -> None:
        for number, failure in enumerate(
            (BrainFailed("no server", remedy="ollama serve"), KeyError("x"))
        ):
            brain.failure = failure
            hall.tell(f"web-{number}")
            await hall.until(partial(has_decided, hall, number + 1))
        brain.gate.clear()
        hall.tell("web-9")
        await hall.until(lambda: len(hall.decisions) == 3)
        assert {row.action for row in hall.decisions} == {"escalate"}
        assert {row.why for row in hall.decisions} == {"unavailable"}
        reasons = [row.reason for row in hall.decisions]
        assert "ollama serve" in reasons[0]
        assert "crashed: KeyError" in reasons[1]
        assert "no answer within" in reasons[2]

    live(Hall(location, {"fake": brain}, timeout_seconds=0.5), story)


def test_a_shadow_decides_beside_without_effect(location: Location) -> None:
    """It is kept with whether it agrees, and no line of the log is its."""
    brain, other = FakeBrain(), FakeBrain("no_action", name="other")

    async def story(hall: Hall) -> None:
        hall.tell()
        await hall.until(lambda: hall.shadows)
        (row,), (shadow,) = hall.decisions, hall.shadows
        assert (row.action, row.agrees) == ("escalate", None)
        assert (shadow.action, shadow.agrees) == ("no_action", 0)
        assert shadow.beside == row.id
        assert len(hall.log("decision.made")) == 1
        await hall.quiet()
        assert len(hall.of("web-01")) == 1

    brains = {"fake": brain, "other": other}
    live(Hall(location, brains, shadow="other"), story)


def test_reins_hold_from_the_next_decision_on(location: Location) -> None:
    """A brain that is set at run time is asked without a restart."""
    brain, other = FakeBrain(), FakeBrain("no_action", name="other")

    async def story(hall: Hall) -> None:
        hall.tell("web-01")
        await hall.until(lambda: len(hall.decisions) == 1)
        change = {"brain": "other", "models": {"other": "big-7"}}
        wish = Wish("ana", change, 0)
        held = await hall.turn(partial(hall.desk.change_reins, wish=wish))
        assert (held.version, held.brain) == (1, "other")
        hall.tell("web-02")
        await hall.until(lambda: len(hall.decisions) == 2)
        assert [row.brain for row in hall.decisions] == ["fake", "other"]
        records = [msgspec.json.decode(r.record) for r in hall.decisions]
        models = [record["calls"][0]["model"] for record in records]
        assert models == ["fake-1", "big-7"]
        (entry,) = hall.log("reins.changed")
        assert entry.actor == "person:ana"
        assert hall.body(entry)["before"] == {"brain": "fake", "models": {}}
        assert hall.body(entry)["after"] == change

    live(Hall(location, {"fake": brain, "other": other}), story)


def test_what_is_switched_on_is_caught_up(location: Location) -> None:
    """While it is off nothing is decided; then all that is open is."""
    brain = FakeBrain()

    async def story(hall: Hall) -> None:
        hall.tell("web-01")
        await hall.until(lambda: hall.rows(IncidentRow))
        assert not brain.cases
        wish = Wish("ana", {"enabled": True})
        await hall.turn(partial(hall.desk.change_reins, wish=wish))
        await hall.until(lambda: hall.decisions)
        assert len(brain.cases) == 1

    live(Hall(location, {"fake": brain}, enabled=False), story)


def test_two_nodes_decide_once(location: Location) -> None:
    """Whoever is first; on PostgreSQL the other does not even ask."""
    brains = FakeBrain(), FakeBrain()

    async def run() -> None:
        """Let two nodes live on one database."""
        one = Hall(location, {"fake": brains[0]})
        two = Hall(location, {"fake": brains[1]})
        async with one, two:
            for number in range(12):
                (one, two)[number % 2].tell(f"web-{number}")
            await one.until(lambda: len(one.decisions) == 12)
            await one.quiet()
            await two.quiet()
            numbers = [row.incident_id for row in one.decisions]
            assert len(numbers) == len(set(numbers)) == 14
            assert len(one.log("decision.made")) == 14
        if location.file is None:
            asked = [case.incident for b in brains for case in b.cases]
            assert sorted(asked) == sorted(numbers)

    asyncio.run(run())
