"""Who is made, invited, changed and shut out, on both databases."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from app.access import accounts, room
from app.access.accounts import By, Change, Wish
from app.access.secrets import digest_of
from app.core.errors import Refused
from app.models.account import Account, Caller, Nature, Role, Session
from app.store.accounts import (
    INVITATION,
    add_account,
    count_admins,
    find_by_name,
    find_by_subject,
    has_people,
    invited,
    list_accounts,
    save_account,
)
from app.store.ledger import Connection
from app.store.location import Location
from app.store.log import ENTRY
from app.store.sessions import add_session, count_sessions, list_sessions
from tests.unit.access.rooms import Node

DAY = 86_400
ISSUER = "https://id.example"
KEPT = "scrypt$1$2$3$c2FsdA==$a2V5"


@pytest.fixture
def node(location: Location) -> Iterator[Node]:
    """Return a node without any account."""
    made = Node(location)
    yield made
    made.close()


def by(node: Node) -> By:
    """Return that ana does it now."""
    return By("person:ana", node.clock.now())


def add(node: Node, name: str = "ben", **more: Any) -> tuple[Account, str]:
    """Make an account."""
    work = partial(accounts.add, wish=Wish(name=name, **more), by=by(node))
    return node.write(work)


def admin(node: Node, name: str) -> Account:
    """Make an admin who can sign in."""
    account, secret = add(node, name, role=Role.ADMIN)
    return accept(node, secret, account.name)


def accept(node: Node, secret: str, name: str = "") -> Account:
    """Use a link."""
    now = node.clock.now()
    return node.write(
        lambda one: accounts.accept(one, secret, name, KEPT, now, ISSUER)
    )


def change(
    node: Node, number: int, issuer: str = ISSUER, **wanted: Any
) -> Account:
    """Change an account."""
    return node.write(
        partial(
            accounts.change,
            number=number,
            wanted=Change(**wanted),
            by=by(node),
            issuer=issuer,
        )
    )


def count(node: Node, issuer: str = ISSUER) -> int:
    """Return how many admins can sign in."""
    return node.reader.ask(partial(count_admins, issuer=issuer))


def why(work: Callable[[], object]) -> tuple[int, str]:
    """Return why something is refused."""
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.status, caught.value.reason


def log(node: Node) -> list[Any]:
    """Return the action log."""
    with node.reader.snapshot() as connection:
        return list(connection.execute(ENTRY.select().order_by(ENTRY.c.id)))


def sign_in(node: Node, account: Account) -> None:
    """Open a session of somebody."""
    now = node.clock.now()
    session = Session(
        digest=digest_of(f"{account.name}{now}"),
        account_id=account.id,
        way="password",
        created_at=now,
        seen_at=now,
        expires_at=now + 10**12,
    )
    node.write(lambda one: add_session(one, session))


def sessions(node: Node) -> dict[int, int]:
    """Return how many sessions each has."""
    now = node.clock.now()
    return node.reader.ask(lambda one: count_sessions(one, now))


def test_a_person_is_invited(node: Node) -> None:
    """And can do nothing before they have set a password."""
    account, secret = add(node, " Ben.Meyer ", teams=("shop",))
    assert (account.name, account.role) == ("ben.meyer", "viewer")
    assert account.created_by == "ana"
    assert len(secret) >= 40
    assert not node.reader.ask(has_people)
    assert node.reader.ask(lambda one: invited(one, node.clock.now())) == {
        account.id
    }
    entry = log(node)[-1]
    assert (entry.kind, entry.actor) == ("account.created", "person:ana")
    assert '"before":{}' in entry.body.replace(" ", "")
    assert '"shop"' in entry.body
    assert secret not in entry.body


def test_a_service_is_not(node: Node) -> None:
    """It has tokens, and no password ever."""
    account, secret = add(node, "robot", nature=Nature.SERVICE)
    assert secret == ""
    invite = partial(accounts.invite, number=account.id, by=by(node))
    assert why(lambda: node.write(invite)) == (409, "no_way_in")


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "a b", "-a", "a-", "ana\n", "аna", "a/b", "a" * 65),
        *("a;b", "ä"),
        # The log says these of whoever has no account.
        *("local", "Settings"),
    ],
)
def test_what_is_no_name(node: Node, name: str) -> None:
    """No two names may look alike: four eyes are two names."""
    if name.strip() == "ana":
        assert add(node, name)[0].name == "ana"
        return
    assert why(lambda: add(node, name)) == (422, "wrong_name")
    assert node.reader.ask(list_accounts) == []


@pytest.mark.parametrize("name", ["ben", "BEN", " ben "])
def test_a_name_is_taken_once(node: Node, name: str) -> None:
    """However it is written."""
    add(node)
    assert why(lambda: add(node, name)) == (409, "name_taken")
    assert len(log(node)) == 1


def test_there_are_never_more_than_are_listed(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more is refused, and nothing is made of it."""
    add(node, "ben")
    monkeypatch.setattr(room, "MOST_ACCOUNTS", 1)
    assert why(lambda: add(node, "kim")) == (409, "too_many_accounts")
    assert [one.name for one in node.write(list_accounts)] == ["ben"]


def test_a_link_holds_once(node: Node) -> None:
    """Whoever comes second has nothing of it."""
    account, secret = add(node)
    assert accept(node, secret).secret == KEPT
    assert node.reader.ask(has_people)
    assert why(lambda: accept(node, secret)) == (403, "link_used")
    entry = log(node)[-1]
    assert (entry.kind, entry.actor) == ("account.changed", "person:ben")
    assert KEPT not in entry.body
    assert secret not in str(log(node))
    assert account.version == 1


def test_a_link_holds_for_a_week(node: Node) -> None:
    """Not longer."""
    _, secret = add(node)
    node.clock.advance(7 * DAY)
    assert why(lambda: accept(node, secret)) == (403, "link_used")


def test_a_new_link_makes_the_old_one_void(node: Node) -> None:
    """And its use ends all sessions: it is the way back in."""
    account, first = add(node)
    invite = partial(accounts.invite, number=account.id, by=by(node))
    second = node.write(invite)
    assert why(lambda: accept(node, first)) == (403, "link_used")
    sign_in(node, account)
    assert accept(node, second, "ben").name == "ben"
    assert sessions(node) == {}


def test_a_link_is_for_one_name(node: Node) -> None:
    """Nobody becomes another one with it."""
    _, secret = add(node)
    assert why(lambda: accept(node, secret, "ana")) == (422, "wrong_name")
    assert accept(node, secret, "ben").name == "ben"


def test_links_are_kept_as_digests(node: Node) -> None:
    """A copy of the database lets nobody in."""
    _, secret = add(node)
    with node.reader.snapshot() as connection:
        rows = connection.execute(INVITATION.select()).all()
    assert secret not in str(rows)
    assert rows[0].digest == digest_of(secret)


def test_the_setup_link_makes_an_admin(node: Node) -> None:
    """Once; the next one makes the one before void."""
    now = node.clock.now()
    make = partial(accounts.make_setup_link, now=now)
    first, second = node.write(make), node.write(make)
    assert why(lambda: accept(node, first, "eve")) == (403, "link_used")
    assert why(lambda: accept(node, second, "")) == (422, "wrong_name")
    made = accept(node, second, "Ana")
    assert (made.name, made.role, made.secret) == ("ana", "admin", KEPT)
    assert why(lambda: accept(node, second, "eve")) == (403, "link_used")
    # Its own invitation is not left behind.
    assert node.reader.ask(lambda one: invited(one, now)) == set()


def test_the_setup_link_takes_no_account_over(node: Node) -> None:
    """It makes an admin, and nobody becomes one by it."""
    add(node)
    secret = node.write(
        partial(accounts.make_setup_link, now=node.clock.now())
    )
    assert why(lambda: accept(node, secret, "ben")) == (409, "name_taken")
    assert accept(node, secret, "cleo").role == "admin"


def test_a_change_says_the_difference(node: Node) -> None:
    """Before and after, and who did it."""
    account, _ = add(node, teams=("shop",))
    new = change(node, account.id, role=Role.APPROVER, version=1)
    assert (new.role, new.teams, new.version) == ("approver", ("shop",), 2)
    body = log(node)[-1].body.replace(" ", "")
    assert '"before":{"name":"ben"' in body
    assert '"role":"viewer"' in body
    assert '"role":"approver"' in body
    assert log(node)[-1].summary == "account ben: role"


def test_nothing_to_change_is_nothing(node: Node) -> None:
    """The version stays, and the log does not grow."""
    account, _ = add(node)
    assert change(node, account.id, role=Role.VIEWER) == account
    assert len(log(node)) == 1


def test_another_was_first(node: Node) -> None:
    """Nobody changes what they have not seen."""
    account, _ = add(node)
    change(node, account.id, role=Role.RESPONDER)
    late = partial(change, node, account.id, role=Role.ADMIN, version=1)
    assert why(late) == (409, "too_late")
    assert why(partial(change, node, 99)) == (404, "not_found")


def test_who_is_shut_out_is_signed_out(node: Node) -> None:
    """And a link that waits for them holds no longer."""
    account, secret = add(node)
    sign_in(node, account)
    assert change(node, account.id, is_disabled=True).is_disabled
    assert sessions(node) == {}
    assert why(lambda: accept(node, secret)) == (403, "link_used")
    invite = partial(accounts.invite, number=account.id, by=by(node))
    assert why(lambda: node.write(invite)) == (409, "no_way_in")
    assert not change(node, account.id, is_disabled=False).is_disabled


@pytest.mark.parametrize(
    "wanted",
    [{"role": Role.APPROVER}, {"is_disabled": True}, {"teams": ("shop",)}],
)
def test_the_last_admin_stays(node: Node, wanted: dict[str, Any]) -> None:
    """One who was only invited is none yet."""
    ana = admin(node, "ana")
    add(node, "ben", role=Role.ADMIN)
    # Who sees some teams only may change nobody.
    _, secret = add(node, "cy", role=Role.ADMIN, teams=("shop",))
    accept(node, secret)
    assert count(node) == 1
    last = partial(change, node, ana.id, **wanted)
    assert why(last) == (409, "last_admin")
    admin(node, "cleo")
    assert count(node) == 2
    assert change(node, ana.id, **wanted).version == 3
    change(node, ana.id, teams=("shop",))


@pytest.mark.parametrize("issuer", ["", "https://other.example"])
def test_who_cannot_come_in_by_now_is_no_admin(
    node: Node, issuer: str
) -> None:
    """An account of a provider that the settings have no longer."""
    ana = admin(node, "ana")
    boss = Account(
        name="boss",
        role="admin",
        subject=f"{ISSUER} u-1",
        created_at=1,
        created_by="oidc",
    )
    node.write(lambda one: add_account(one, boss))
    assert (count(node), count(node, issuer)) == (2, 1)
    last = partial(change, node, ana.id, issuer, is_disabled=True)
    assert why(last) == (409, "last_admin")
    assert change(node, ana.id, is_disabled=True).is_disabled


def test_sessions_are_ended(node: Node) -> None:
    """All of one, and none of another."""
    ana, ben = admin(node, "ana"), admin(node, "ben")
    sign_in(node, ana)
    sign_in(node, ben)
    node.clock.advance(1)
    sign_in(node, ben)
    work = partial(accounts.sign_out, number=ben.id, by=by(node))
    assert node.write(work) == 2
    assert sessions(node) == {ana.id: 1}
    assert '"sessions_ended":2' in log(node)[-1].body.replace(" ", "")
    entries = len(log(node))
    assert node.write(work) == 0
    assert len(log(node)) == entries


def test_one_session_is_ended(node: Node) -> None:
    """And no other; nobody ends one of somebody else as their own."""
    ana, ben = admin(node, "ana"), admin(node, "ben")
    sign_in(node, ana)
    sign_in(node, ben)
    node.clock.advance(1)
    sign_in(node, ben)
    now = node.clock.now()
    _, older = node.reader.ask(
        partial(list_sessions, account_id=ben.id, now=now)
    )
    work = partial(accounts.sign_out, by=by(node), session=older.id)
    with pytest.raises(Refused, match="has no session"):
        node.write(partial(work, number=ana.id))
    assert sessions(node) == {ana.id: 1, ben.id: 2}
    assert node.write(partial(work, number=ben.id)) == 1
    assert sessions(node) == {ana.id: 1, ben.id: 1}
    with pytest.raises(Refused, match="has no session"):
        node.write(partial(work, number=ben.id))


def test_accounts_are_found(node: Node) -> None:
    """By name and by subject; an empty subject is nobody's."""
    account, _ = add(node)

    def link(connection: Connection) -> None:
        """Give ben an OIDC subject."""
        new = Account(id=account.id, name="ben", subject="https://idp#7")
        save_account(connection, new)

    node.write(link)
    ask = node.reader.ask
    found = ask(lambda one: find_by_subject(one, "https://idp#7"))
    assert found == ask(lambda one: find_by_name(one, "ben"))
    assert ask(lambda one: find_by_subject(one, "")) is None
    assert ask(lambda one: find_by_name(one, "cleo")) is None
    assert ask(has_people)


def test_who_has_no_name_is_told_by_the_way() -> None:
    """This machine, and the tokens of the settings."""
    local = Caller(name="", role=Role.ADMIN, way="local")
    assert By.of(local, 7) == By("person:local", 7)
    ana = Caller(name="ana", role=Role.ADMIN, way="session")
    assert By.of(ana, 7).actor == "person:ana"
