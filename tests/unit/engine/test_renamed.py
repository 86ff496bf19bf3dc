"""A host keeps its lock, its rest and its budget when another name leads.

Sources of the inventory come and go: whose word leads is not for ever, and
not on each node the same.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.models.inventory import Thing
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import Location
from tests.unit.engine.theatre import POLICY, Theatre

ZABBIX = Thing(
    kind="host", name="web-1", aliases=("web-1.example.com", "10.0.0.5")
)
PROMETHEUS = Thing(kind="host", name="web-1.example.com")
OTHER = Thing(kind="host", name="web-2", aliases=("10.0.0.6",))
BUDGET = "{name: one, per: [action, target], runs: 1, window: 1h}"
ONCE = POLICY.replace("budgets: []", f"budgets: [{BUDGET}]")
# How the host is known before, how afterwards, and what an alert says then.
NAMES = [
    (PROMETHEUS, ZABBIX, "web-1"),
    (PROMETHEUS, ZABBIX, "10.0.0.5"),
    (ZABBIX, PROMETHEUS, "web-1.example.com"),
]


@pytest.fixture
def careful(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Theatre]:
    """Return a theatre in which an action runs once an hour on a target."""
    ledger = Ledger(location, 2.0)
    yield Theatre(inbox, ledger, tmp_path, ONCE)
    ledger.close()


def begin(theatre: Theatre, thing: Thing) -> None:
    """Let an action begin on a host, as it is known then."""
    theatre.things = (thing, OTHER)
    theatre.decide(theatre.fire(thing.name), "mend", host=thing.name)
    theatre.go()
    assert theatre.mission().stage == "acting"


@pytest.mark.parametrize(("before", "after", "name"), NAMES)
def test_nothing_else_runs_on_it_meanwhile(
    theatre: Theatre, before: Thing, after: Thing, name: str
) -> None:
    """It is the same machine, whatever it is called."""
    begin(theatre, before)
    theatre.things = (after, OTHER)
    theatre.decide(theatre.fire(name), "other", host=name)
    theatre.go()
    assert theatre.mission().stage == "ruling"
    assert "target-busy" in theatre.mission().reason
    assert len(theatre.robot.starts) == 1


@pytest.mark.parametrize(("before", "after", "name"), NAMES)
def test_its_budget_stays_spent(
    careful: Theatre, before: Thing, after: Thing, name: str
) -> None:
    """What ran under the name of before counts."""
    begin(careful, before)
    careful.health.value = 1.0
    careful.robot.end_all()
    careful.play(100)
    assert careful.job().verdict == "fixed"
    careful.health.value = 0.0
    careful.things = (after, OTHER)
    careful.decide(careful.fire(name), "mend", host=name)
    careful.play(20)
    assert careful.mission().end == "escalated"
    assert "budget:one" in careful.mission().reason
    assert len(careful.robot.starts) == 1


@pytest.mark.parametrize(("before", "after", "name"), NAMES)
def test_what_did_not_help_there_is_not_tried_again(
    theatre: Theatre, before: Thing, after: Thing, name: str
) -> None:
    """The menu leaves it out under each name."""
    begin(theatre, before)
    theatre.robot.end_all()
    theatre.play(300)
    assert theatre.job().verdict == "not_fixed"
    theatre.things = (after, OTHER)
    number = theatre.fire(name)
    file = theatre.turn(lambda c: theatre.casework.open_file(c, number))
    assert file is not None
    assert theatre.decider.menu(file.case).find("mend") is None


def test_a_name_of_two_hosts_is_none_of_either(theatre: Theatre) -> None:
    """A shared address lets neither wait for the other."""
    first = Thing(kind="host", name="web-1", aliases=("web-2",))
    theatre.things = (first, OTHER)
    theatre.decide(theatre.fire("10.0.0.6"), "mend", host="10.0.0.6")
    theatre.go()
    theatre.decide(theatre.fire("web-1"), "mend", host="web-1")
    theatre.go()
    assert len(theatre.robot.starts) == 2
