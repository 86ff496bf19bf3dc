"""What another policy would have said, out of what lies in the store."""

from collections.abc import Iterator

import pytest

from app.core.errors import Refused
from app.engine import hindsight
from app.engine.hindsight import (
    choose_policy,
    find_trust,
    look_back,
    rule_again,
)
from app.guard.guard import Guard
from app.guard.policy import default_policy, parse_policy
from app.models.action import ActionSpec, Risk
from app.models.ruling import Motion, Outcome, Ruling
from app.store.approvals import add_approval
from app.store.jobs import add_job, count_verdicts
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.reading import Reader
from app.store.rulings import RULING, add_ruling, find_ruling
from tests.unit.store.missions import (
    NOW,
    SECOND,
    make_approval,
    make_job,
    make_mission,
)

SUGGEST = parse_policy("trust: {ladder: [], otherwise: suggest}")
ONCE = parse_policy(
    "trust: {ladder: [], otherwise: approve}\n"
    "budgets: [{name: once, per: [action], runs: 1,"
    " window: 1h, risks: [observe]}]\n"
)
SPEC = ActionSpec(
    name="look_at",
    purpose="Look at one host.",
    when_to_use="Nothing else is known.",
    when_not_to_use="It is known already.",
    risk=Risk.OBSERVE,
)
MOTION = Motion(spec=SPEC, action="look_at", target="host:web-1", now=NOW)
ASKS = Ruling(outcome=Outcome.ASK, rule="trust:approve", reason="not trusted")


@pytest.fixture
def ledger(location: Location) -> Iterator[Ledger]:
    """Return who writes into an empty store."""
    made = Ledger(location, 2.0)
    yield made
    made.close()


def rule(ledger: Ledger, at: int, ruling: Ruling = ASKS) -> int:
    """Write a ruling down; return its number."""
    with ledger.turn() as connection:
        return add_ruling(connection, at, make_mission(), MOTION, ruling)


def test_the_newest_rulings_are_put_again(
    ledger: Ledger, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many at most, page by page; and it says that there were more."""
    monkeypatch.setattr(hindsight, "MOST_RULINGS", 5)
    monkeypatch.setattr(hindsight, "PAGE", 2)
    numbers = [rule(ledger, NOW + at) for at in range(7)]
    seen = look_back(reader, SUGGEST, NOW)
    assert seen.is_cut
    assert seen.replayed.moves == {"ask -> suggest": 5}
    assert [one.id for one in seen.replayed.changes] == numbers[2:]
    later = look_back(reader, SUGGEST, NOW + 4)
    assert not later.is_cut
    assert [one.id for one in later.replayed.changes] == numbers[4:]
    none = look_back(reader, SUGGEST, NOW + 100)
    assert (none.replayed.looked_at, none.is_cut) == (0, False)


def test_what_had_run_by_then_is_counted(
    ledger: Ledger, reader: Reader
) -> None:
    """A budget that was smaller would have handed it over; and says so."""
    rule(ledger, NOW)
    with ledger.turn() as connection:
        ran = make_job(
            8,
            action="look_at",
            target="host:web-9",
            state="succeeded",
            risk="observe",
            planned_at=NOW - SECOND,
            started_at=NOW - SECOND,
            ended_at=NOW - SECOND,
        )
        add_job(connection, ran)
    seen = look_back(reader, ONCE, NOW)
    assert seen.replayed.moves == {"ask -> escalate": 1}
    assert seen.replayed.changes[0].now_rule == "budget:once"
    assert not seen.is_short
    alone = reader.ask(lambda one: find_ruling(one, 1))
    assert alone is not None
    again = rule_again(reader, Guard(ONCE), alone)
    assert again.changes == seen.replayed.changes


def test_it_says_when_more_had_run_than_is_counted(
    ledger: Ledger, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody takes a part for the whole."""
    rule(ledger, NOW)
    monkeypatch.setattr("app.store.history.MOST", 1)
    monkeypatch.setattr(hindsight, "MOST_RUNS", 1)
    with ledger.turn() as connection:
        for number in (1, 2):
            made = make_job(number, target=f"host:{number}", planned_at=NOW)
            add_job(connection, made)
    seen = look_back(reader, SUGGEST, NOW)
    assert seen.is_short
    assert seen.assumed[0] == "Only the newest 1 runs, and questions, count."


def test_what_cannot_be_read_is_counted(
    ledger: Ledger, reader: Reader
) -> None:
    """Another release may have written what this one does not know."""
    number = rule(ledger, NOW)
    rule(ledger, NOW)
    with ledger.turn() as connection:
        odd = RULING.update().where(RULING.c.id == number)
        connection.execute(odd.values(body='{"motion": 1}'))
    seen = look_back(reader, SUGGEST, NOW)
    assert (seen.unread, seen.replayed.looked_at) == (1, 1)


def test_a_text_that_is_no_policy_is_refused() -> None:
    """All that is wrong is told, each with its line."""
    held = default_policy()
    with pytest.raises(Refused) as caught:
        choose_policy(held, "zone: UTC\nrules: 3\ntrust: {otherwise: no}\n")
    assert caught.value.status == 422
    assert "policy:2: rules" in caught.value.detail
    assert "policy:3: trust.otherwise" in caught.value.detail
    assert choose_policy(held, " \n").version == held.version
    assert choose_policy(held, "trust: {otherwise: auto}") != held


def test_verdicts_and_answers_make_the_report(
    ledger: Ledger, reader: Reader
) -> None:
    """By action and environment; what came before does not count."""
    with ledger.turn() as connection:
        for number, verdict in enumerate(("fixed", "fixed", "not_fixed", "")):
            made = make_job(
                number + 1,
                target=f"host:{number}",
                verdict=verdict,
                state="succeeded",
                planned_at=NOW + number,
            )
            add_job(connection, made)
        for state in ("granted", "refused", "expired"):
            add_approval(connection, make_approval(state=state))
    (line,) = reader.ask(lambda one: find_trust(one, NOW))
    assert (line.answers, line.agreed) == (2, 1)
    assert (line.fixed, line.not_fixed, line.unknown) == (2, 1, 0)
    place = ("restart_service", "production")
    assert reader.ask(lambda one: count_verdicts(one, NOW + 1)) == [
        (*place, "fixed", 1),
        (*place, "not_fixed", 1),
    ]
    assert reader.ask(lambda one: find_trust(one, NOW + 1)) == []
