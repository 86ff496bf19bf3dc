"""The chore finds what is due, keeps what is its own, and lets go."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from app.act.settings import ActSettings
from app.engine import missions
from app.engine.leases import Lease, node_name
from app.engine.missionmeters import Meters
from app.engine.missions import MissionChore
from app.engine.parts import Parts
from app.engine.stopping import Stop
from app.engine.sweeping import SWEEP_SECONDS
from app.fold.muting import add_mute, plan_mute
from app.models.approval import Answer
from app.models.matcher import read_matchers
from app.models.mission import SECOND, Mission
from app.models.mission_tables import MissionRow
from app.models.mute import Wish
from app.models.timetable import Timetable
from app.store.glance import Stamps
from app.store.inbox import SqlInbox
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from app.store.missions import MISSION, find_mission
from app.store.reading import open_engine
from tests.fakes import FakeClock
from tests.unit.engine.theatre import ASKS, Direct, Theatre


class Still:
    """A keeper that never says that the log has grown."""

    def listen(self, _listener: Callable[[], None]) -> None:
        """Take who wants to know."""


class Hall(Theatre):
    """A theatre with chores; each round is called by the test."""

    stamps: Stamps | None = None
    is_deciding = True

    def chore(self, node: str = "one", slots: int = 16) -> MissionChore:
        """Return a chore that takes so many at a time."""
        parts = Parts(
            advancer=self.advancer,
            moves=self.moves,
            ways=Direct(self, self.stamps),
            keeper=Still(),  # type: ignore[arg-type] # only listened to
            settings=ActSettings(concurrency=slots),
            clock=self.clock,
            meters=Meters(CollectorRegistry()),
            is_deciding=lambda _connection: self.is_deciding,
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
    made = Hall(inbox, ledger, tmp_path, ASKS)
    made.stamps = Stamps(open_engine(location, 2.0))
    yield made
    made.stamps.close()
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


def test_what_gets_alerts_and_no_decision_is_handed_over(hall: Hall) -> None:
    """An alert each minute does not put the time off when people get it."""
    chore = hall.chore()
    began = hall.clock.now()
    number = hall.fire("web-01")
    while not hall.rows(MissionRow):
        hall.clock.advance(60)
        minute = (hall.clock.now() - began) // (60 * SECOND)
        assert hall.fire("web-01", f"DiskFull{minute}") == number
        assert hall.incident(number).state == "open"
        assert hall.incident(number).changed_at == hall.clock.now()
        hall.round(chore)
        assert hall.clock.now() - began <= 11 * 60 * SECOND
    assert hall.clock.now() - began > ActSettings().deciding_seconds * SECOND
    assert hall.mission().stage == "escalated"
    assert "nobody decided" in hall.mission().reason


def test_what_was_muted_has_its_time_from_then_on(hall: Hall) -> None:
    """It was there for hours; who decides sees it since it is open."""
    chore = hall.chore()
    now = hall.clock.now()
    wish = Wish(
        matchers=read_matchers('target="web-01"'),
        times=Timetable(starts_at=now, ends_at=now + 7_200 * SECOND),
        author="ana",
        comment="we work on it",
    )
    hall.turn(lambda c: add_mute(c, plan_mute(wish, now), now))
    number = hall.fire("web-01")
    assert hall.incident(number).state == "suppressed"
    hall.clock.advance(7_201)
    hall.fold()
    assert hall.incident(number).state == "open"
    for seconds in (0, 300, 300 + SWEEP_SECONDS):
        assert not hall.rows(MissionRow)
        hall.clock.advance(seconds)
        hall.fire("web-01", f"DiskFull{seconds}")
        hall.round(chore)
    assert hall.mission().stage == "escalated"


def test_more_than_a_page_is_handed_over_at_once(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full page has another one behind it; no sweep is waited for."""
    monkeypatch.setattr(missions, "PAGE", 3)
    for number in range(7):
        hall.fire(f"web-{number}")
    hall.clock.advance(ActSettings().deciding_seconds + 1)
    chore = hall.chore()
    for _ in range(3):
        hall.round(chore)
    assert len(hall.rows(MissionRow)) == 7


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
    assert hall.stage(number) == "verifying"


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
    assert hall.mission().stage == "verifying"


def begin_job(hall: Hall, chore: MissionChore) -> int:
    """Let a job run; return its mission."""
    hall.propose(hall.fire("web-01"), "mend", "web-01")
    hall.round(chore)
    number = hall.mission().id
    hall.grant()
    hall.round(chore)
    assert hall.stage(number) == "acting"
    return number


def test_what_a_halt_must_end_comes_before_what_is_late(hall: Hall) -> None:
    """Older missions are due, and there is one slot: the job ends first."""
    chore = hall.chore(slots=1)
    number = begin_job(hall, chore)
    for other in range(2, 6):
        host = f"web-{other:02}"
        hall.decide(hall.fire(host), "mend", host=host)
    hall.clock.advance(0.5)
    stop = Stop(author="bo", reason="smoke")
    hall.turn(lambda c: hall.stopping.halt(c, stop))
    hall.round(chore)
    assert hall.robot.aborts
    for _ in range(6):
        hall.round(chore)
    assert hall.stage(number) == "verifying"


def test_what_a_halt_must_end_does_not_wait_for_a_slot(hall: Hall) -> None:
    """All slots are taken by what is slow: the job is ended all the same."""
    chore = hall.chore(slots=1)
    begin_job(hall, chore)
    stop = Stop(author="bo", reason="smoke")
    hall.turn(lambda c: hall.stopping.halt(c, stop))

    async def halt() -> None:
        """Look once, while something slow is under way."""
        slow = asyncio.create_task(asyncio.Event().wait())
        vars(chore)["_tasks"][-1] = slow
        await chore._try_round()
        del chore._tasks[-1]
        slow.cancel()
        await asyncio.gather(*chore._tasks.values())

    asyncio.run(halt())
    assert hall.robot.aborts


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
