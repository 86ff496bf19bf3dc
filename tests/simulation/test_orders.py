"""F15: whatever order one alert's events come in, nothing acts too late.

All that can be told of one fingerprint in up to six events: two episodes,
each with its start and its end, some of it twice, some of it never, in every
order there is. The engine is at work between them.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product
from typing import Any

import pytest

from app.models.alert import Severity, Status
from app.models.tables import EpisodeRow, IncidentRow
from tests.fakes import make_alert
from tests.simulation.dealing import Dealer
from tests.simulation.hosts import BROKEN, CALM
from tests.simulation.loop import BEGINNING, SECOND
from tests.simulation.reckoning import reckon
from tests.simulation.sim import Simulation

HOST = "web-1"
# How long a job has to start, and to end, after each event.
BETWEEN = 8.0
LIFE = ("F1", "F1", "R1", "R1", "F2", "R2")
# Seconds between the end of the first episode and the start of the second:
# the same incident, and another one.
GAPS = {"again": 30, "anew": 200}
# So many orders go into one test.
SHARES = 8


def orders() -> list[tuple[str, ...]]:
    """Return every order of every part of a life, in some fixed order."""
    parts = {
        part
        for size in range(1, len(LIFE) + 1)
        for part in combinations(LIFE, size)
    }
    return sorted({order for part in parts for order in permutations(part)})


class Life:
    """When the events of a fingerprint were, whenever they are told."""

    def __init__(self, gap: int) -> None:
        """Take how long it was well between its two episodes."""
        began = BEGINNING - 1_000 * SECOND
        again = began + (100 + gap) * SECOND
        self._begins = {"1": began, "2": again}
        self._ends = {
            "1": began + 100 * SECOND,
            "2": again + 100 * SECOND,
        }

    def tell(self, sim: Simulation, event: str) -> None:
        """Let an event be told."""
        which, is_over = event[1], event[0] == "R"
        sim.say(f"{HOST} {event}")
        began = self._begins[which]
        alert = make_alert(
            f"{HOST}/Sick",
            occurrence=str(began),
            status=Status.RESOLVED if is_over else Status.FIRING,
            name="Sick",
            labels={"instance": HOST, "alertname": "Sick"},
            severity=Severity.WARNING,
            starts_at=began,
            ends_at=self._ends[which] if is_over else None,
        )
        sim.stage.vault.receive(alert)
        sim._is_alert_in = True
        sim.stage.changes += 1

    def goes_on(self, told: Sequence[str]) -> bool:
        """Tell whether something fires, by all that was told so far.

        A start counts unless an end was told that lies behind it.
        """
        begins = [self._begins[one[1]] for one in told if one[0] == "F"]
        ends = [self._ends[one[1]] for one in told if one[0] == "R"]
        last = max(ends, default=0)
        return any(begin > last for begin in begins)


def live(order: Sequence[str], gap: int) -> tuple[Any, ...]:
    """Let events come in an order; return what becomes of it in the end."""
    sim, life = Simulation(Dealer(["clean"])), Life(gap)
    try:
        for count, event in enumerate(order, 1):
            goes_on = life.goes_on(order[:count])
            sim.stage.hosts.all[HOST].value = BROKEN if goes_on else CALM
            before = len(sim.stage.receiver.works)
            life.tell(sim, event)
            sim.run(BETWEEN)
            starts = len(sim.stage.receiver.works) - before
            assert starts <= goes_on, f"{order}: {event} is acted on"
        sim.drain(900)
        reckon(sim)
        firsts = {one for one in order if one[0] == "F"}
        assert len(sim.stage.receiver.works) <= len(firsts), order
        return picture(sim)
    finally:
        sim.close()


def picture(sim: Simulation) -> tuple[Any, ...]:
    """Return what must not depend on the order: not the numbers."""
    episodes: dict[int, list[Any]] = {}
    for row in sim.stage.vault.rows(EpisodeRow):
        told = (row.begins_at, row.until, row.ended, row.severity)
        episodes.setdefault(row.incident_id, []).append(told)
    return tuple(
        sorted(
            (row.state, row.severity, row.firing, *sorted(episodes[row.id]))
            for row in sim.stage.vault.rows(IncidentRow)
            if row.state != "merged"
        )
    )


def in_order(order: Sequence[str]) -> tuple[str, ...]:
    """Return the same events as they were: 1 before 2, F before R."""
    return tuple(sorted(order, key=lambda one: (one[1], one[0])))


def shares() -> Iterator[Any]:
    """Yield the shares of all orders that are played here.

    CI plays two, a newcomer one; with CHAOS_SCALE above 1 all are played.
    """
    scale = int(os.environ.get("CHAOS_SCALE", "1"))
    for gap, share in product(GAPS, range(SHARES if scale > 1 else 1)):
        is_first = (gap, share) == ("again", 0)
        marks = [] if is_first else [pytest.mark.long]
        yield pytest.param(gap, share, marks=marks)


@pytest.mark.parametrize(("gap", "share"), list(shares()))
def test_no_order_acts_on_what_is_over(gap: str, share: int) -> None:
    """And each ends as it would have in order."""
    expected: dict[tuple[str, ...], Any] = {}
    for order in orders()[share::SHARES]:
        right = in_order(order)
        if right not in expected:
            expected[right] = live(right, GAPS[gap])
        assert live(order, GAPS[gap]) == expected[right], order
