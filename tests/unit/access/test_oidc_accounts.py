"""From a person whom the provider knows to an account of ours."""

from collections.abc import Iterator
from typing import cast

import msgspec
import pytest

from app.access import accounts, room
from app.access.oidc import SingleSignOn
from app.access.oidc_claims import Person
from app.access.provider import Provider
from app.core.errors import Refused
from app.models.account import Account, Role
from app.store.accounts import add_account, find_account, save_account
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.log import ENTRY
from tests.fakes import FakeClock

# Nobody is asked here.
NOBODY = cast(Provider, None)
DOOR = SingleSignOn(NOBODY, "s", "https://jumper.example", FakeClock())
ANA = Person(
    subject="https://id.example u-1", name="Ana", role=Role.VIEWER, teams=None
)


@pytest.fixture
def ledger(location: Location) -> Iterator[Ledger]:
    """Return the way to write."""
    made = Ledger(location, 5.0)
    yield made
    made.close()


def enter(ledger: Ledger, person: Person) -> Account:
    """Let somebody in, in a turn of their own."""
    with ledger.turn() as connection:
        return DOOR.enter(connection, person)


def reason(ledger: Ledger, person: Person) -> str:
    """Return why somebody is not let in."""
    with pytest.raises(Refused) as caught:
        enter(ledger, person)
    return caught.value.reason


def entries(ledger: Ledger) -> list[tuple[str, str, dict[str, object]]]:
    """Return kind, actor and body of all that the log says."""
    with ledger.turn() as connection:
        rows = connection.execute(ENTRY.select().order_by(ENTRY.c.id)).all()
    return [
        (row.kind, row.actor, msgspec.json.decode(row.body)) for row in rows
    ]


def test_who_comes_first_gets_an_account(ledger: Ledger) -> None:
    """A person without a password, named as accounts are."""
    account = enter(ledger, ANA)
    assert (account.name, account.role, account.nature) == (
        "ana",
        "viewer",
        "person",
    )
    assert account.subject == ANA.subject
    assert account.secret == ""
    assert account.teams == ()
    assert entries(ledger)[0][:2] == ("account.created", "rule:oidc")


def test_who_comes_again_has_the_same_account(ledger: Ledger) -> None:
    """Whatever they are called by now; nothing is written for nothing."""
    first = enter(ledger, ANA)
    again = msgspec.structs.replace(ANA, name="Ana Maria")
    assert enter(ledger, again) == first
    assert enter(ledger, msgspec.structs.replace(ANA, name="")) == first
    assert len(entries(ledger)) == 1


def test_role_and_teams_follow_the_provider(ledger: Ledger) -> None:
    """At every login, up and down, with the difference in the log."""
    enter(ledger, ANA)
    up = msgspec.structs.replace(ANA, role=Role.ADMIN, teams=("db",))
    raised = enter(ledger, up)
    assert (raised.role, raised.teams, raised.version) == ("admin", ("db",), 2)
    down = enter(ledger, ANA)
    assert (down.role, down.teams) == ("viewer", ("db",))
    kind, actor, body = entries(ledger)[1]
    assert (kind, actor) == ("account.changed", "rule:oidc")
    before, after = body["before"], body["after"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert (before["role"], after["role"]) == ("viewer", "admin")
    assert (before["teams"], after["teams"]) == ([], ["db"])


def test_the_provider_may_take_the_last_admin_away(ledger: Ledger) -> None:
    """It is believed; the link of the first start does not hold again."""
    with ledger.turn() as connection:
        secret = accounts.make_setup_link(connection, 1)
    boss = msgspec.structs.replace(ANA, role=Role.ADMIN)
    enter(ledger, boss)
    assert enter(ledger, ANA).role == "viewer"
    with ledger.turn() as connection, pytest.raises(Refused) as caught:
        accounts.find_link(connection, secret, 2, "https://id.example")
    assert caught.value.reason == "link_used"


def test_the_link_of_the_first_start_outlives_viewers(ledger: Ledger) -> None:
    """They cannot make an admin, whatever the provider says of them."""
    with ledger.turn() as connection:
        secret = accounts.make_setup_link(connection, 1)
    enter(ledger, ANA)
    enter(ledger, msgspec.structs.replace(ANA, role=Role.APPROVER))
    with ledger.turn() as connection:
        assert not accounts.find_link(
            connection, secret, 2, "https://id.example"
        ).account_id


def test_there_are_never_more_than_are_listed(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is here already comes in nevertheless."""
    enter(ledger, ANA)
    monkeypatch.setattr(room, "MOST_ACCOUNTS", 1)
    ben = msgspec.structs.replace(ANA, subject="https://i u-2", name="ben")
    assert reason(ledger, ben) == "too_many_accounts"
    assert enter(ledger, ANA).name == "ana"


def test_a_disabled_account_stays_out(ledger: Ledger) -> None:
    """Whatever the provider says; nothing of it changes."""
    account = enter(ledger, ANA)
    with ledger.turn() as connection:
        gone = msgspec.structs.replace(account, is_disabled=True)
        save_account(connection, gone)
    boss = msgspec.structs.replace(ANA, role=Role.ADMIN)
    assert reason(ledger, boss) == "account_disabled"
    with ledger.turn() as connection:
        assert find_account(connection, account.id) == gone


@pytest.mark.parametrize("name", ["ana", "ANA", " ana "])
@pytest.mark.parametrize("subject", ["", "https://id.example u-2"])
def test_no_account_is_taken_over_by_its_name(
    ledger: Ledger, name: str, subject: str
) -> None:
    """Neither one with a password, nor that of another subject."""
    with ledger.turn() as connection:
        local = Account(name="ana", role="admin", subject=subject)
        local = add_account(connection, local)
    person = msgspec.structs.replace(ANA, name=name)
    assert reason(ledger, person) == "name_taken"
    with ledger.turn() as connection:
        assert find_account(connection, local.id) == local


@pytest.mark.parametrize(
    "name", ["", "  ", "a b", "a\nb", "\u0430na", "x" * 65, "<b>"]
)
def test_a_name_that_no_account_can_have(ledger: Ledger, name: str) -> None:
    """It is what people sign with, and what policies name."""
    person = msgspec.structs.replace(ANA, name=name)
    assert reason(ledger, person) == "no_name"
    assert entries(ledger) == []
