"""What did not help on a target is not offered again for a month."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from app.models.approval import Answer
from app.models.case import Case
from app.models.choice import Decision
from app.models.decision_tables import DecisionRow
from app.models.inventory import Thing
from app.models.menu import Menu
from app.models.record import Record
from app.store.casefile import MOST_HISTORY
from app.store.decisions import add_decision, set_verdict
from app.store.inbox import SqlInbox
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from tests.unit.engine.theatre import ASKS, Theatre

DAY = 86_400
MANY = MOST_HISTORY + 5
WEB = Thing(kind="host", name="web-1", aliases=("10.0.0.5", "web-one"))
WHY = "it did not help on this target before"


def case_of(theatre: Theatre, number: int) -> Case:
    """Return what a brain is shown now."""
    file = theatre.turn(lambda c: theatre.casework.open_file(c, number))
    assert file is not None
    return file.case


def keep(
    theatre: Theatre, number: int, action: str, verdict: str = ""
) -> None:
    """Keep a decision, and what came of it, if anything ran."""
    file = theatre.turn(lambda c: theatre.casework.open_file(c, number))
    assert file is not None
    record = Record(
        at=theatre.clock.now(),
        standpoint=file.standpoint,
        case=file.case,
        menu=Menu(()),
        decision=Decision(
            action=action, arguments={"host": "web-01"}, brain="fake"
        ),
    )

    def write(connection: Connection) -> None:
        """Write both."""
        kept = add_decision(connection, record)
        if verdict:
            set_verdict(connection, kept, verdict)

    theatre.turn(write)


def test_much_that_was_decided_since_hides_no_failure(
    theatre: Theatre,
) -> None:
    """What a brain is shown ends; what is excluded does not."""
    number = theatre.fire("web-01")
    keep(theatre, number, "mend", "not_fixed")
    for _ in range(MANY):
        theatre.clock.advance(60.0)
        keep(theatre, number, "no_action")
    case = case_of(theatre, number)
    assert {one.action for one in case.history} == {"no_action"}
    assert [one.action for one in case.failed] == ["mend"]
    menu = theatre.decider.menu(case)
    assert menu.find("mend") is None
    assert "did not help" in menu.left_out["mend"]
    assert menu.find("other") is not None


def test_the_case_that_is_kept_says_what_was_excluded(
    theatre: Theatre,
) -> None:
    """So it is decided again exactly, whatever came later."""
    number = theatre.fire("web-01")
    keep(theatre, number, "mend", "not_fixed")
    for _ in range(MANY):
        keep(theatre, number, "no_action")
    row = theatre.rows(DecisionRow)[-1]
    stored = msgspec.json.decode(row.casefile, type=Case)
    assert theatre.decider.menu(stored).find("mend") is None


def test_after_a_month_it_may_help_again(theatre: Theatre) -> None:
    """The setting remember_days says how long."""
    number = theatre.fire("web-01")
    keep(theatre, number, "mend", "not_fixed")
    for _ in range(MANY):
        keep(theatre, number, "no_action")
    theatre.clock.advance(29 * DAY)
    assert case_of(theatre, number).failed
    theatre.clock.advance(2 * DAY)
    case = case_of(theatre, number)
    assert not case.failed
    assert theatre.decider.menu(case).find("mend") is not None


def test_what_helped_or_failed_elsewhere_is_offered(theatre: Theatre) -> None:
    """Each call counts once, on its own target only."""
    other = theatre.fire("web-02")
    keep(theatre, other, "mend", "not_fixed")
    number = theatre.fire("web-01")
    for _ in range(3):
        keep(theatre, number, "other", "not_fixed")
        keep(theatre, number, "mend", "fixed")
        keep(theatre, number, "touch", "unknown")
    assert [one.action for one in case_of(theatre, number).failed] == ["other"]


@pytest.fixture
def asking(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Theatre]:
    """Return a theatre in which people are asked about everything."""
    ledger = Ledger(location, 2.0)
    yield Theatre(inbox, ledger, tmp_path, ASKS)
    ledger.close()


def fail(theatre: Theatre, host: str) -> int:
    """Let an action not help on a host; return its incident's number."""
    number = theatre.fire(host)
    theatre.decide(number, "mend", host=host)
    theatre.play(100)
    theatre.robot.end_all()
    theatre.play(300)
    assert theatre.job().verdict == "not_fixed"
    assert theatre.job().target == "host:web-1"
    return number


@pytest.mark.parametrize("name", ["web-one", "WEB-1", "web-1.lan", "10.0.0.5"])
def test_a_host_is_known_by_each_of_its_names(
    theatre: Theatre, name: str
) -> None:
    """Lock and budget know one host, and so does what is excluded there."""
    theatre.things = (WEB,)
    fail(theatre, "web-1")
    number = theatre.fire(name)
    case = case_of(theatre, number)
    assert [one.action for one in case.failed] == ["mend"]
    menu = theatre.decider.menu(case)
    assert menu.find("mend") is None
    assert menu.left_out["mend"] == WHY
    assert menu.find("other") is not None
    assert theatre.decide(number, "mend", host=name).stage == "ruling"
    assert theatre.play(100).end == "escalated"
    assert WHY in theatre.mission().reason
    assert len(theatre.robot.starts) == 1


def test_what_fails_while_people_are_asked_about_the_other_name(
    asking: Theatre,
) -> None:
    """It was on the menu when it was chosen, and is not when it is ruled."""
    asking.things = (WEB,)
    first, second = asking.fire("web-1"), asking.fire("web-one")
    asking.decide(first, "mend", host="web-1")
    asking.go()
    asked = asking.asked().id
    asking.decide(second, "mend", host="web-one")
    asking.go()
    later = asking.asked().id
    asking.answer_to(asked, Answer.GRANT, host="web-1")
    asking.play(20)
    asking.robot.end_all()
    asking.play(100)
    assert asking.job().verdict == "not_fixed"
    asking.answer_to(later, Answer.GRANT, host="web-one")
    assert asking.play(20).end == "escalated"
    assert WHY in asking.mission().reason
    assert len(asking.robot.starts) == 1


def test_what_becomes_known_as_the_same_host_before_it_is_ruled_on(
    theatre: Theatre,
) -> None:
    """The inventory is read anew: what the motion works on counts."""
    theatre.things = (WEB, replace(WEB, name="web-2", aliases=()))
    fail(theatre, "web-1")
    number = theatre.fire("web-2")
    assert not case_of(theatre, number).failed
    theatre.decide(number, "mend", host="web-2")
    theatre.things = (replace(WEB, aliases=("web-2",)),)
    assert theatre.play(100).end == "escalated"
    assert len(theatre.robot.starts) == 1


def test_what_a_job_would_work_on_counts(theatre: Theatre) -> None:
    """Whatever the alert is about, the call is the one that failed."""
    theatre.things = (WEB, replace(WEB, name="web-2", aliases=()))
    fail(theatre, "web-1")
    number = theatre.fire("web-2")
    mission = theatre.decide(number, "mend", host="web-one")
    motions = theatre.advancer._crew.motions
    plan = theatre.turn(lambda c: motions.plan(c, mission))
    assert plan is not None
    assert plan.file is not None
    assert plan.target == "host:web-1"
    (failed,) = plan.file.case.failed
    assert (failed.action, failed.arguments) == ("mend", {"host": "web-1"})


def test_people_may_try_again_what_did_not_help(theatre: Theatre) -> None:
    """By any name: they have seen that it did not."""
    theatre.things = (WEB,)
    fail(theatre, "web-1")
    number = theatre.fire("web-one")
    theatre.propose(number, "mend", "web-one")
    theatre.go()
    if theatre.mission().stage == "awaiting_approval":
        theatre.answer(Answer.GRANT, "bo", "web-one")
        theatre.go()
    assert len(theatre.robot.starts) == 2


def test_another_host_is_no_other_name(theatre: Theatre) -> None:
    """What did not help on one is offered on the next."""
    theatre.things = (WEB, replace(WEB, name="web-2", aliases=()))
    fail(theatre, "web-1")
    case = case_of(theatre, theatre.fire("web-2"))
    assert not case.failed
    assert theatre.decider.menu(case).find("mend") is not None


def test_after_a_month_it_may_help_by_any_name(theatre: Theatre) -> None:
    """The job is as old as its decision."""
    theatre.things = (WEB,)
    fail(theatre, "web-1")
    number = theatre.fire("web-one")
    theatre.clock.advance(29 * DAY)
    assert case_of(theatre, number).failed
    theatre.clock.advance(2 * DAY)
    assert not case_of(theatre, number).failed
