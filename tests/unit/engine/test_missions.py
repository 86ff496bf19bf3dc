"""The chore finds what is due, keeps what is its own, and lets go."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from app.act.settings import ActSettings
from app.engine.leases import Lease, node_name
from app.engine.missions import (
    SWEEP_SECONDS,
    Meters,
    MissionChore,
    Parts,
)
from app.engine.stopping import Stop
from app.models.approval import Answer
from app.models.mission import Mission
from app.models.mission_tables import MissionRow
from app.store.inbox import SqlInbox
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.missions import MISSION, find_mission
from tests.fakes import FakeClock
from tests.unit.engine.theatre import ASKS, Direct, Theatre


class Still:
    """A keeper that never says that the log has grown."""

    def listen(self, _listener: Callable[[], None]) -> None:
        """Take who wants to know."""


class Hall(Theatre):
    """A theatre with chores; each round is called by the test."""

    def chore(self, node: str = "one") -> MissionChore:
        """Return a chore."""
        parts = Parts(
            advancer=self.advancer,
            moves=self.moves,
            ways=Direct(self),
            keeper=Still(),  # type: ignore[arg-type] # only listened to
            settings=ActSettings(),
            clock=self.clock,
            meters=Meters(CollectorRegistry()),
            is_deciding=lambda _connection: True,
        )
        return MissionChore(parts, node)

    def round(self, chore: MissionChore) -> None:
        """Let a chore look once, and end what it begins."""

        async def look() -> None:
            """Look, and wait for what was begun."""
            await chore._try_round()
            await asyncio.gather(*chore._tasks.values())

        asyncio.run(look())

    def grant(self) -> None:
        """Let somebody grant the newest question."""
        self.answer(Answer.GRANT, "cleo")

    def stage(self, number: int) -> str:
        """Return where a mission stands."""
        found = self.turn(lambda c: find_mission(c, number))
        assert found is not None
        return found.stage


@pytest.fixture
def hall(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Hall]:
    """Return a theatre with chores, in which people are asked."""
    ledger = Ledger(location, 2.0)
    yield Hall(inbox, ledger, tmp_path, ASKS)
    ledger.close()


def test_what_is_due_is_taken_and_let_go(hall: Hall) -> None:
    """Nobody holds what waits for people."""
    hall.decide(hall.fire("web-01"), "mend")
    hall.round(hall.chore())
    mission = hall.mission()
    assert mission.stage == "awaiting_approval"
    assert (mission.holder, mission.lease_until) == ("", 0)
    assert mission.fence == 1


def test_an_incident_that_is_over_ends_what_waits(hall: Hall) -> None:
    """With the next look after the log said so."""
    chore = hall.chore()
    hall.decide(hall.fire("web-01"), "mend")
    hall.round(chore)
    hall.end("web-01")
    hall.round(chore)
    assert (hall.mission().stage, hall.mission().end) == ("closed", "resolved")


def test_a_sweep_finds_what_was_over_before_it_began(hall: Hall) -> None:
    """A restart misses nothing."""
    hall.decide(hall.fire("web-01"), "mend")
    hall.round(hall.chore())
    hall.end("web-01")
    hall.round(hall.chore("two"))
    assert hall.mission().end == "resolved"


def test_what_nobody_decides_on_is_handed_over(hall: Hall) -> None:
    """After the time that a decision may take, by the next sweep."""
    chore = hall.chore()
    hall.fire("web-01")
    hall.round(chore)
    assert not hall.rows(MissionRow)
    hall.clock.advance(ActSettings().deciding_seconds + SWEEP_SECONDS)
    hall.round(chore)
    assert hall.mission().stage == "escalated"
    hall.clock.advance(SWEEP_SECONDS)
    hall.round(chore)
    assert len(hall.rows(MissionRow)) == 1


def test_what_was_fixed_and_still_fires_is_handed_over(hall: Hall) -> None:
    """Once: a measurement and the monitoring system do not agree."""
    hall.decide(hall.fire("web-01"), "no_action")
    fixed = msgspec.structs.replace(hall.mission(), end="fixed")
    hall.turn(lambda c: _put(c, fixed))
    chore = hall.chore()
    hall.round(chore)
    assert len(hall.rows(MissionRow)) == 1
    for _ in range(2):
        seconds = ActSettings().deciding_seconds + SWEEP_SECONDS
        hall.clock.advance(seconds)
        hall.round(chore)
    assert len(hall.rows(MissionRow)) == 2
    assert "still fires" in hall.mission().reason


def test_what_came_back_and_nobody_decides_on_is_handed_over(
    hall: Hall,
) -> None:
    """Its last mission ended with it; the decider stays away."""
    chore = hall.chore()
    hall.decide(hall.fire("web-01"), "mend")
    hall.round(chore)
    hall.end("web-01")
    hall.round(chore)
    assert hall.mission().end == "resolved"
    hall.fire("web-01", begins=1)
    assert hall.incident(1).state == "open"
    seconds = ActSettings().deciding_seconds + SWEEP_SECONDS
    hall.clock.advance(seconds)
    hall.round(chore)
    assert hall.mission().stage == "escalated"
    assert "nobody decided" in hall.mission().reason


def test_a_suggestion_that_nobody_answers_expires(hall: Hall) -> None:
    """And the log says so."""
    chore = hall.chore()
    hall.decide(hall.fire("web-01"), "nowhere")
    hall.round(chore)
    assert hall.asked().mode == "suggest"
    hall.clock.advance(3_600)
    hall.round(chore)
    assert (hall.asked().state, hall.asked().says) == (
        "expired",
        "nobody answered",
    )
    assert len(hall.log("approval.expired")) == 1


def _put(connection: Connection, mission: Mission) -> None:
    """Write the end of a mission as if it had been measured."""
    change = MISSION.update().where(MISSION.c.id == mission.id)
    connection.execute(change.values(end=mission.end))


def test_a_halt_reaches_what_runs_with_the_next_look(hall: Hall) -> None:
    """Though it was not due for a while."""
    chore = hall.chore()
    hall.propose(hall.fire("web-01"), "mend", "web-01")
    hall.round(chore)
    number = hall.mission().id
    hall.grant()
    hall.round(chore)
    assert hall.stage(number) == "acting"
    hall.turn(
        lambda c: hall.stopping.halt(c, Stop(author="bo", reason="smoke"))
    )
    hall.round(chore)
    assert hall.robot.aborts
    hall.round(chore)
    assert hall.stage(number) == "escalated"


def test_a_halt_does_not_wait_for_a_backend_that_hangs(hall: Hall) -> None:
    """What only looks is called off, and the job is ended at once."""
    chore = hall.chore()
    hall.propose(hall.fire("web-01"), "mend", "web-01")
    hall.round(chore)
    hall.grant()
    hall.round(chore)
    hall.clock.advance(10)
    hall.robot.gate.clear()
    hall.robot.watched.clear()

    async def halt() -> None:
        """Halt while it is being looked at."""
        await chore._try_round()
        await hall.robot.watched.wait()
        stop = Stop(author="bo", reason="smoke")
        hall.turn(lambda c: hall.stopping.halt(c, stop))
        await chore._try_round()
        await asyncio.gather(*chore._tasks.values())

    asyncio.run(halt())
    assert hall.robot.aborts
    hall.robot.gate.set()
    hall.clock.advance(1)
    hall.round(chore)
    assert hall.mission().stage == "escalated"


def test_a_crash_of_one_step_ends_nothing_else(hall: Hall) -> None:
    """It is counted, and tried again when the lease has run out."""
    chore = hall.chore()
    hall.decide(hall.fire("web-01"), "mend")
    hall.round(chore)
    hall.grant()
    hall.health.clock = None  # type: ignore[assignment] # a bug in a check
    before = hall.mission().fence
    hall.round(chore)
    hall.health.clock = hall.clock
    hall.clock.advance(ActSettings().lease_seconds)
    hall.round(chore)
    assert hall.mission().fence > before
    assert hall.mission().stage == "acting"


def test_what_is_under_way_is_given_back_at_the_end(hall: Hall) -> None:
    """So that another node has it at once."""
    hall.decide(hall.fire("web-01"), "mend")
    chore = hall.chore()
    (mission,) = hall.claim("one")

    async def stop() -> None:
        """Take it, and end."""
        chore._leases[mission.id] = Lease(hall.clock, 9.0)
        await chore._stop()

    asyncio.run(stop())
    assert hall.mission().holder == ""
    assert [one.id for one in hall.claim("two")] == [mission.id]


def test_a_lease_is_held_until_it_runs_out() -> None:
    """And longer when it was renewed, since that began."""
    clock = FakeClock()
    lease = Lease(clock, 9.0)
    clock.advance(8)
    began = clock.monotonic()
    assert lease.is_held()
    clock.advance(2)
    assert not lease.is_held()
    lease.renew(began)
    assert lease.is_held()


def test_no_two_workers_have_one_name() -> None:
    """Though they run on one machine."""
    assert node_name(1) != node_name(2)
