"""What the guard asks the store beside counts: risks, open questions."""

from collections.abc import Iterator

import pytest

from app.models.ruling import Scope
from app.store.approvals import add_approval
from app.store.jobs import StoreTally, add_job
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from tests.unit.store.missions import NOW, make_approval, make_job


@pytest.fixture
def connection(location: Location) -> Iterator[Connection]:
    """Lend a turn on an empty database."""
    ledger = Ledger(location, 2.0)
    with ledger.turn() as turn:
        yield turn
    ledger.close()


def test_runs_are_counted_by_risk(connection: Connection) -> None:
    """Only what has one of the risks counts; without risks all does."""
    for number, risk in enumerate(("observe", "disruptive", "destructive")):
        target = f"host:web-{number}"
        job = make_job(number + 1, risk=risk, target=target)
        add_job(connection, job)
    tally = StoreTally(connection)

    def count(*risks: str) -> int:
        """Return how many ran of some risks."""
        scope = Scope(since=NOW - 3_600_000_000, risks=risks)
        return tally.count(scope).started

    assert count() == 3
    assert count("observe") == 1
    assert count("disruptive", "destructive") == 2
    assert count("reversible") == 0


def test_an_open_question_about_an_action_is_found(
    connection: Connection,
) -> None:
    """Neither those about other actions nor those that ended count."""
    tally = StoreTally(connection)
    assert tally.asking("restart_service") == 0
    add_approval(
        connection, make_approval(action="restart_service", state="granted")
    )
    add_approval(connection, make_approval(action="free_memory"))
    assert tally.asking("restart_service") == 0
    number = add_approval(connection, make_approval(action="restart_service"))
    assert tally.asking("restart_service") == number
