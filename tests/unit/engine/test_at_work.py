"""A rule may ask whether people work on a target, whatever they muted."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.fold.muting import add_mute, end_mute, plan_mute
from app.models.approval import Answer
from app.models.inventory import Thing
from app.models.matcher import read_matchers
from app.models.mute import Mute, MuteKind, Wish
from app.models.timetable import Timetable
from app.models.verdict import Reading, Subject
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.theatre import POLICY, Theatre
from tests.unit.fold.room import SECOND

RULE = """[{name: work, reason: Somebody works there., outcome: ask,
  when: "maintenance != ''"}]"""
KERNEL = 'target="web-01", alertname="LoadHigh"'
HOUR = 3_600 * SECOND


@pytest.fixture
def theatre(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Theatre]:
    """Return a theatre in which a rule asks where people work."""
    ledger = Ledger(location, 2.0)
    policy = POLICY.replace("rules: []", f"rules: {RULE}")
    yield Theatre(inbox, ledger, tmp_path, policy)
    ledger.close()


def work_on(
    theatre: Theatre, matchers: str, kind: MuteKind = MuteKind.MAINTENANCE
) -> Mute:
    """Let people announce that they work, from now on for an hour."""
    now = theatre.clock.now()
    wish = Wish(
        kind=kind,
        matchers=read_matchers(matchers),
        times=Timetable(starts_at=now, ends_at=now + HOUR),
        author="ana",
        comment="kernel updates",
    )
    return theatre.turn(lambda c: add_mute(c, plan_mute(wish, now), now))


def stop_work(theatre: Theatre, mute: Mute) -> None:
    """Let people say that they are done."""
    now = theatre.clock.now()
    theatre.turn(lambda c: end_mute(c, mute.id, ("ana", "done"), now))


def test_what_a_window_does_not_mute_is_asked_about(theatre: Theatre) -> None:
    """Somebody works on the host, and another of its alerts fires."""
    mute = work_on(theatre, KERNEL)
    number = theatre.fire("web-01")
    theatre.decide(number, "mend")
    assert theatre.go().stage == "awaiting_approval"
    assert theatre.asked().rule == "work"
    assert theatre.asked().reason == "Somebody works there."
    assert not theatre.robot.starts
    stop_work(theatre, mute)
    theatre.answer(Answer.REFUSE)
    theatre.decide(theatre.fire("web-01", "SwapFull"), "mend")
    theatre.go()
    assert list(theatre.robot.starts.values()) == [1]


@pytest.mark.parametrize(
    ("matchers", "kind"),
    [
        (KERNEL, MuteKind.MUTE),
        (KERNEL.replace("01", "02"), MuteKind.MAINTENANCE),
        ('alertname="LoadHigh"', MuteKind.MAINTENANCE),
    ],
)
def test_what_is_about_nothing_here_changes_nothing(
    theatre: Theatre, matchers: str, kind: MuteKind
) -> None:
    """A silence, another host, or an alert anywhere."""
    work_on(theatre, matchers, kind)
    theatre.decide(theatre.fire("web-01"), "mend")
    theatre.go()
    assert list(theatre.robot.starts.values()) == [1]


def test_a_window_may_name_what_the_inventory_knows(theatre: Theatre) -> None:
    """Another name of the host, or its environment."""
    host = Thing(
        kind="host",
        name="web-01",
        aliases=("shop.example.com",),
        environment="lab",
    )
    theatre.things = (host,)
    mute = work_on(theatre, KERNEL.replace("web-01", "shop.example.com"))
    theatre.decide(theatre.fire("web-01"), "mend")
    assert theatre.go().stage == "awaiting_approval"
    stop_work(theatre, mute)
    theatre.answer(Answer.REFUSE)
    work_on(theatre, 'environment="lab", alertname="LoadHigh"')
    theatre.decide(theatre.fire("web-01", "SwapFull"), "mend")
    assert theatre.go().stage == "awaiting_approval"


def test_what_is_muted_is_denied_as_ever(theatre: Theatre) -> None:
    """A window on all alerts of the host is no question."""
    number = theatre.fire("web-01")
    theatre.decide(number, "mend")
    work_on(theatre, 'target="web-01"')
    theatre.go()
    assert theatre.log("ruling.made")[-1].summary.startswith("deny")
    assert not theatre.robot.starts


def between(theatre: Theatre, change: Callable[[], object]) -> None:
    """Let something change when a job is planned, and not started yet."""
    measure = theatre.health.measure

    async def changing(subject: Subject) -> Reading:
        """Measure; meanwhile it changes."""
        change()
        return await measure(subject)

    vars(theatre.health)["measure"] = changing


def test_work_that_begins_meanwhile_starts_nothing(theatre: Theatre) -> None:
    """It is asked once more right before the start."""
    between(theatre, lambda: work_on(theatre, KERNEL))
    theatre.decide(theatre.fire("web-01"), "mend")
    assert theatre.go().stage == "escalated"
    assert not theatre.robot.starts
    assert "not started: work: Somebody works" in theatre.job().reason


def test_work_that_ends_meanwhile_leaves_the_question(
    theatre: Theatre,
) -> None:
    """Who was asked answers; what is granted then runs."""
    mute = work_on(theatre, KERNEL)
    theatre.decide(theatre.fire("web-01"), "mend")
    assert theatre.go().stage == "awaiting_approval"
    stop_work(theatre, mute)
    theatre.answer(Answer.GRANT)
    theatre.go()
    assert list(theatre.robot.starts.values()) == [1]
