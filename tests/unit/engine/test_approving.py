"""What people answer is bound to what was asked, and the first one wins."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from app.core.errors import Refused
from app.engine.quieting import quiet
from app.models.account import Account, Role
from app.models.approval import Answer
from app.store.accounts import add_account, save_account
from app.store.inbox import SqlInbox
from app.store.ledger import Connection, Ledger
from app.store.location import Location
from tests.unit.engine.theatre import ASKS, Theatre


@pytest.fixture
def asking(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Theatre]:
    """Return a theatre in which people are asked first."""
    ledger = Ledger(location, 2.0)
    yield Theatre(inbox, ledger, tmp_path, ASKS)
    ledger.close()


def test_a_resolved_alert_starts_nothing_more(asking: Theatre) -> None:
    """What waits for people is withdrawn."""
    asking.decide(asking.fire("web-01"), "mend")
    assert asking.go().stage == "awaiting_approval"
    asking.end("web-01")
    number = asking.mission().id
    asking.turn(lambda c: quiet(c, asking.moves, number))
    assert (asking.mission().stage, asking.mission().end) == (
        "closed",
        "resolved",
    )
    assert asking.asked().state == "withdrawn"
    with pytest.raises(Refused, match="withdrawn already"):
        asking.answer(Answer.GRANT)
    assert not asking.robot.starts


def test_what_is_granted_runs_once(asking: Theatre) -> None:
    """And what comes later is told that it was first."""
    asking.decide(asking.fire("web-01"), "mend")
    asking.go()
    asking.answer(Answer.GRANT)
    with pytest.raises(Refused, match="granted already"):
        asking.answer(Answer.REFUSE, "bo")
    asking.go()
    assert asking.job().approval_id == asking.asked().id
    assert list(asking.robot.starts.values()) == [1]


def test_what_is_refused_goes_to_people(asking: Theatre) -> None:
    """With who refused it."""
    asking.decide(asking.fire("web-01"), "mend")
    asking.go()
    asking.answer(Answer.REFUSE)
    mission = asking.mission()
    assert (mission.stage, mission.reason) == ("escalated", "refused by ana")


def test_nobody_answers_in_time(asking: Theatre) -> None:
    """It expires, and is never granted late."""
    asking.decide(asking.fire("web-01"), "mend")
    asking.go()
    mission = asking.play(1_900)
    assert (mission.stage, asking.asked().state) == ("escalated", "expired")
    with pytest.raises(Refused, match="expired"):
        asking.answer(Answer.GRANT)


def test_a_grant_is_withdrawn_before_the_start(asking: Theatre) -> None:
    """Afterwards only the job can be ended."""
    asking.decide(asking.fire("web-01"), "mend")
    asking.go()
    asking.answer(Answer.GRANT)
    asking.answer(Answer.WITHDRAW)
    assert asking.mission().stage == "escalated"
    assert not asking.robot.starts


def test_a_grant_is_not_withdrawn_after_the_start(asking: Theatre) -> None:
    """The refusal names the job."""
    asking.decide(asking.fire("web-01"), "mend")
    asking.go()
    asking.answer(Answer.GRANT)
    asking.go()
    with pytest.raises(Refused) as refused:
        asking.answer(Answer.WITHDRAW)
    assert f"Abort job {asking.job().id}" in refused.value.remedy


def test_an_edit_is_a_decision_that_is_ruled_again(asking: Theatre) -> None:
    """And whoever edited it cannot grant it."""
    asking.decide(asking.fire("web-01"), "mend")
    asking.go()
    first = asking.asked().id
    asking.answer(Answer.EDIT, host="web-02")
    mission = asking.go()
    assert mission.stage == "awaiting_approval"
    assert asking.asked().id != first
    assert '"web-02"' in asking.asked().arguments
    with pytest.raises(Refused, match="proposed it"):
        asking.answer(Answer.GRANT)
    asking.answer(Answer.GRANT, "bo")
    asking.go()
    assert '"web-02"' in asking.job().arguments


def test_a_bad_edit_changes_nothing(asking: Theatre) -> None:
    """The question waits on."""
    asking.decide(asking.fire("web-01"), "mend")
    asking.go()
    with pytest.raises(Refused) as refused:
        asking.answer(Answer.EDIT, host="web 01; rm")
    assert refused.value.field == "arguments.host"
    assert asking.asked().state == "asked"


@pytest.fixture
def two(
    location: Location, inbox: SqlInbox, tmp_path: Path
) -> Iterator[Theatre]:
    """Return a theatre in which two people must grant."""
    ledger = Ledger(location, 2.0)
    yield Theatre(inbox, ledger, tmp_path, f"{ASKS}\nask: {{people: 2}}")
    ledger.close()


def hire(theatre: Theatre, name: str) -> Account:
    """Return the account of an approver."""
    made = Account(name=name, role=Role.APPROVER.value)
    return theatre.turn(lambda c: add_account(c, made))


def change(theatre: Theatre, account: Account, **more: Any) -> None:
    """Let an admin change an account."""

    def work(connection: Connection) -> None:
        """Write it down."""
        save_account(connection, replace(account, **more))

    theatre.turn(work)


LOSSES = [{"is_disabled": True}, {"role": "responder"}, {"role": "viewer"}]


@pytest.mark.parametrize("loss", LOSSES)
def test_who_was_shut_out_is_no_second_person(
    two: Theatre, loss: dict[str, Any]
) -> None:
    """What they granted before does not count, until they may again."""
    ana = hire(two, "ana")
    two.decide(two.fire("web-01"), "mend")
    two.go()
    two.answer(Answer.GRANT, "Ana ")
    change(two, ana, **loss)
    assert two.answer(Answer.GRANT, "bo").state == "asked"
    with pytest.raises(Refused, match="may grant nothing"):
        two.answer(Answer.GRANT, "ana")
    two.go()
    assert not two.robot.starts
    assert two.answer(Answer.GRANT, "cleo").state == "granted"
    two.go()
    assert list(two.robot.starts.values()) == [1]


@pytest.mark.parametrize("loss", LOSSES)
def test_nothing_starts_on_the_word_of_who_was_shut_out(
    asking: Theatre, loss: dict[str, Any]
) -> None:
    """It was granted, and has not started: others are asked anew."""
    ana = hire(asking, "ana")
    asking.decide(asking.fire("web-01"), "mend")
    asking.go()
    first = asking.asked().id
    asking.answer(Answer.GRANT)
    change(asking, ana, **loss)
    assert asking.go().stage == "awaiting_approval"
    assert asking.asked().id != first
    assert not asking.robot.starts
    asking.answer(Answer.GRANT, "bo")
    asking.go()
    assert list(asking.robot.starts.values()) == [1]
