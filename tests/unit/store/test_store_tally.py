"""What the guard asks the store beside counts: risks, open questions."""

from app.models.canary import ANSWER
from app.models.ruling import Scope
from app.store.approvals import add_approval
from app.store.jobs import StoreTally, add_job, count_verdicts
from app.store.ledger import Connection
from tests.unit.store.missions import NOW, make_approval, make_job


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


def test_scopes_that_are_counted_together_are_counted_as_one_by_one(
    connection: Connection,
) -> None:
    """Whatever each names; what is counted later counts as well."""
    for number, risk in enumerate(("observe", "disruptive", "disruptive")):
        job = make_job(number + 1, risk=risk, target=f"host:web-{number}")
        add_job(connection, job)
    since = NOW - 3_600_000_000
    scopes = [
        Scope(since=since),
        Scope(since=since, target="host:web-1"),
        Scope(since=since, risks=("disruptive",)),
        Scope(since=since, target="host:web-0", risks=("disruptive",)),
        Scope(since=NOW + 1),
    ]
    together = StoreTally(connection)
    together.expect([])
    together.expect(scopes)
    found = [together.count(one) for one in scopes]
    assert [one.started for one in found] == [3, 1, 2, 0, 0]
    assert found == [StoreTally(connection).count(one) for one in scopes]
    later = Scope(since=since, target="host:web-2")
    assert together.count(later).started == 1


def test_the_canary_takes_nothing_of_anybodys_budget(
    connection: Connection,
) -> None:
    """Its jobs count for what asks about its own action, and nowhere else."""
    jobs = [make_job(1, action=ANSWER, target="", verdict="fixed")]
    jobs.append(make_job(2, target="host:web-1", verdict="fixed"))
    for job in jobs:
        add_job(connection, job)
    since = NOW - 3_600_000_000
    tally = StoreTally(connection)
    assert tally.count(Scope(since=since)).started == 1
    assert tally.count(Scope(since=since, action=ANSWER)).started == 1
    told = count_verdicts(connection, since)
    assert [action for action, *_ in told] == [jobs[1].action]


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
