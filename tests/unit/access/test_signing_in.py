"""A name and a password become a session, or nothing does."""

import asyncio
import secrets
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from app.access import accounts, passwords
from app.access.accounts import By, Change, Wish
from app.access.passwords import is_weak
from app.access.signing_in import Entered, Guest
from app.core.errors import Refused, TooOften
from app.models.account import Caller, Nature, Role
from app.store.accounts import find_by_name
from app.store.location import Location
from app.store.log import ENTRY
from app.store.sessions import list_sessions
from tests.unit.access.rooms import PASSWORD, Node, asked

T = TypeVar("T")
GUEST = Guest("192.0.2.7", "Browser\n1.0" + "x" * 300)
OTHER = "another sentence here"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with less: what it costs is shown elsewhere."""
    monkeypatch.setattr(passwords, "COST", 2**10)


@pytest.fixture
def node(location: Location) -> Iterator[Node]:
    """Return a node where ana, an admin, has a password."""
    made = Node(location)
    link = made.write(
        lambda one: accounts.make_setup_link(one, made.clock.now())
    )
    run(made.signing.set_up(link, "ana", PASSWORD, "setup"))
    yield made
    made.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Wait for what is done on the event loop."""
    return asyncio.run(work)


def sign_in(
    node: Node, name: str = "ana", password: str = PASSWORD
) -> Entered | str:
    """Sign in; return why not when that is refused."""
    try:
        return run(node.signing.sign_in(name, password, GUEST))
    except Refused as error:
        return error.reason


def who(node: Node, cookie: str) -> Caller | None:
    """Return who is signed in by a cookie, after a while."""
    node.clock.advance(2)
    return node.gate.again(asked("192.0.2.7", cookie=cookie))


def entries(node: Node, kind: str) -> list[Any]:
    """Return the lines of the log of one kind."""
    with node.reader.snapshot() as connection:
        query = ENTRY.select().where(ENTRY.c.kind == kind)
        return list(connection.execute(query))


@pytest.mark.parametrize("name", ["ana", " ANA "])
def test_the_right_password_opens_a_session(node: Node, name: str) -> None:
    """The cookie is who signed in; itself is nowhere in the store."""
    entered = sign_in(node, name)
    assert isinstance(entered, Entered)
    caller = who(node, entered.secret)
    assert caller is not None
    assert (caller.name, caller.role) == ("ana", Role.ADMIN)
    found = node.reader.ask(
        lambda one: list_sessions(one, 1, node.clock.now())
    )
    assert entered.secret not in str(found)
    assert found[0].agent.startswith("Browser 1.0")
    assert len(found[0].agent) == 200
    assert found[0].expires_at - found[0].created_at == 12 * 3_600_000_000


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ana", OTHER),
        ("ana", ""),
        ("ana", PASSWORD.upper()),
        ("eve", PASSWORD),
        ("", PASSWORD),
        ("x" * 200, "y" * 1_000),
        ("a\x00b", PASSWORD.encode().decode("latin-1")),
    ],
)
def test_what_is_wrong_is_told_the_same_way(
    node: Node, name: str, password: str
) -> None:
    """Nobody learns which names there are."""
    with pytest.raises(Refused) as caught:
        run(node.signing.sign_in(name, password, GUEST))
    assert caught.value.status == 401
    assert caught.value.reason == "wrong_password"
    assert str(caught.value) == "The name or the password is wrong."


def test_the_same_work_is_done_for_a_name_that_is_not_there(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash of the same parameters each, or the time would tell."""
    kept: list[str] = []
    real = passwords.matches

    def count(password: str, against: str) -> bool:
        """Hash, and note against what."""
        kept.append(against.rpartition("$")[0].rpartition("$")[0])
        return real(password, against)

    monkeypatch.setattr(passwords, "matches", count)
    node.signing._decoy = passwords.make_decoy()
    assert sign_in(node, "ana", OTHER) == "wrong_password"
    assert sign_in(node, "eve", OTHER) == "wrong_password"
    assert kept == ["scrypt$1024$8$1"] * 2


def test_who_is_shut_out_stays_out(node: Node) -> None:
    """With the right password, and the same answer."""
    by = By("person:ana", node.clock.now())
    account, link = node.write(
        lambda one: accounts.add(one, Wish(name="ben"), by)
    )
    run(node.signing.set_up(link, "", PASSWORD, ""))
    gone = Change(is_disabled=True)
    node.write(lambda one: accounts.change(one, account.id, gone, by, ""))
    assert sign_in(node, "ben") == "wrong_password"
    robot = Wish(name="robot", nature=Nature.SERVICE)
    node.write(lambda one: accounts.add(one, robot, by))
    assert sign_in(node, "robot", "") == "wrong_password"


def test_signing_out_ends_this_session_only(node: Node) -> None:
    """A second time is fine."""
    one, two = sign_in(node), sign_in(node)
    assert isinstance(one, Entered)
    assert isinstance(two, Entered)
    run(node.signing.sign_out(one.secret))
    run(node.signing.sign_out(one.secret))
    assert who(node, one.secret) is None
    assert who(node, two.secret) is not None


def test_a_new_password_ends_the_other_sessions(node: Node) -> None:
    """The old one holds no longer."""
    old = sign_in(node)
    assert isinstance(old, Entered)
    new = run(node.signing.change_password(1, PASSWORD, OTHER, GUEST))
    assert who(node, old.secret) is None
    assert who(node, new.secret) is not None
    assert sign_in(node) == "wrong_password"
    assert isinstance(sign_in(node, "ana", OTHER), Entered)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (OTHER, OTHER, "wrong_password"),
        (PASSWORD, "short", "weak_password"),
        (PASSWORD, "ana", "weak_password"),
    ],
)
def test_a_password_is_changed_by_who_knows_it(
    node: Node, old: str, new: str, reason: str
) -> None:
    """And to what will do."""
    with pytest.raises(Refused) as caught:
        run(node.signing.change_password(1, old, new, GUEST))
    assert caught.value.reason == reason
    assert isinstance(sign_in(node), Entered)


def test_a_link_is_not_used_up_by_a_weak_password(node: Node) -> None:
    """Nor by a wrong name."""
    by = By("person:ana", node.clock.now())
    _, link = node.write(lambda one: accounts.add(one, Wish(name="ben"), by))
    for name, password in (("", "short"), ("", "ben"), ("eve", PASSWORD)):
        with pytest.raises(Refused):
            run(node.signing.set_up(link, name, password, ""))
    entered = run(node.signing.set_up(link, "", PASSWORD, ""))
    assert entered.caller.name == "ben"
    with pytest.raises(Refused) as caught:
        run(node.signing.set_up(link, "", PASSWORD, ""))
    assert caught.value.reason == "link_used"


def test_the_parameters_are_raised_at_the_next_login(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the password stays the same."""
    monkeypatch.setattr(passwords, "COST", 2**11)
    ask = node.reader.ask
    before = ask(lambda one: find_by_name(one, "ana"))
    assert before is not None
    assert is_weak(before.secret)
    assert sign_in(node, "ana", OTHER) == "wrong_password"
    assert ask(lambda one: find_by_name(one, "ana")) == before
    assert isinstance(sign_in(node), Entered)
    after = ask(lambda one: find_by_name(one, "ana"))
    assert after is not None
    assert not is_weak(after.secret)
    assert isinstance(sign_in(node), Entered)


def test_whoever_guesses_waits_on_every_node(
    location: Location, node: Node
) -> None:
    """Also with the right password, and the log says so once."""
    other = Node(location, node.clock)
    for number in range(5):
        guess = secrets.token_hex(8)
        at = (node, other)[number % 2]
        assert sign_in(at, "ana", guess) == "wrong_password"
    with pytest.raises(TooOften) as caught:
        run(other.signing.sign_in("ana", PASSWORD, GUEST))
    assert caught.value.seconds == 1
    assert sign_in(node) == "too_often"
    found = entries(node, "account.throttled")
    assert len(found) == 1
    assert found[0].summary == "too many tries to sign in as ana"
    node.clock.advance(1)
    assert isinstance(sign_in(other), Entered)
    assert isinstance(sign_in(node), Entered)
    other.close()


def test_what_is_typed_as_a_name_is_not_logged(node: Node) -> None:
    """It may be a password."""
    for _ in range(5):
        assert sign_in(node, "my secret words", OTHER) == "wrong_password"
    assert sign_in(node, "my secret words", OTHER) == "too_often"
    (entry,) = entries(node, "account.throttled")
    assert "secret words" not in entry.summary + entry.body


def test_no_more_are_tried_at_once_than_are_allowed(node: Node) -> None:
    """Each try is counted before the password is looked at."""

    async def flood() -> list[Any]:
        """Guess twelve times at once."""
        tries = [
            node.signing.sign_in("ana", secrets.token_hex(8), GUEST)
            for _ in range(12)
        ]
        return await asyncio.gather(*tries, return_exceptions=True)

    reasons = [error.reason for error in run(flood())]
    assert reasons.count("wrong_password") == 5
    assert reasons.count("too_often") == 7


def test_the_token_of_a_link_is_not_in_the_log(node: Node) -> None:
    """Nor is any password, or what is kept of one."""
    with node.reader.snapshot() as connection:
        text = str(connection.execute(ENTRY.select()).all())
    assert "scrypt" not in text
    assert PASSWORD not in text
