"""What did not help on a target is not offered again for a month."""

import msgspec

from app.models.case import Case
from app.models.choice import Decision
from app.models.decision_tables import DecisionRow
from app.models.menu import Menu
from app.models.record import Record
from app.store.casefile import MOST_HISTORY
from app.store.decisions import add_decision, set_verdict
from app.store.ledger import Connection
from tests.unit.engine.theatre import Theatre

DAY = 86_400
MANY = MOST_HISTORY + 5


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
