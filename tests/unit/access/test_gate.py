"""Who asks, and until when they are in, on both databases."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.access.gate import COOKIE, SAFE_COOKIE, Unknown
from app.access.secrets import digest_of
from app.core.errors import Refused, TooBusy
from app.models.account import Account, Caller, Role, Session
from app.store.accounts import add_account, save_account
from app.store.ledger import Connection
from app.store.location import Location
from app.store.sessions import (
    MOST_OF_ONE,
    add_session,
    end_sessions,
    find_session,
    list_sessions,
)
from tests.fakes import FakeClock
from tests.unit.access.rooms import Node, asked

MINUTE = 60
HOUR = 3_600
ANA = Account(id=1, name="ana", role="approver", teams=("shop",), secret="x")


@pytest.fixture
def node(location: Location) -> Iterator[Node]:
    """Return a node with one account, ana, who can sign in."""
    made = Node(location)
    made.write(lambda one: add_account(one, ANA))
    yield made
    made.close()


def sign_in(node: Node, cookie: str, hours: float = 12) -> None:
    """Open a session of ana."""
    now = node.clock.now()
    session = Session(
        digest=digest_of(cookie),
        account_id=1,
        way="password",
        created_at=now,
        seen_at=now,
        expires_at=now + int(hours * HOUR * 1e6),
    )
    node.write(lambda one: add_session(one, session))


def who(node: Node, cookie: str = "", **more: str) -> Caller | str:
    """Return who asks, or why nobody does."""
    try:
        return node.gate.find(asked(cookie=cookie, **more))
    except Refused as error:
        return error.reason


def test_a_session_is_its_account(node: Node) -> None:
    """With the role and the teams of now."""
    sign_in(node, "secret")
    assert who(node, "secret") == Caller(
        name="ana",
        role=Role.APPROVER,
        teams=("shop",),
        way="session",
        account_id=1,
        session_id=1,
    )
    assert who(node, "another") == "not_signed_in"
    assert who(node, digest_of("secret")) == "not_signed_in"
    assert who(node) == "not_signed_in"


def test_the_cookie_of_https_comes_first(node: Node) -> None:
    """Nobody on another host or without https can set that one."""
    sign_in(node, "right")
    request = asked()
    request.cookies[SAFE_COOKIE] = "right"  # type: ignore[index]
    request.cookies[COOKIE] = "planted"  # type: ignore[index]
    assert node.gate.find(request).name == "ana"


def test_a_wrong_token_is_not_mended_by_a_cookie(node: Node) -> None:
    """Whoever shows one means it."""
    sign_in(node, "secret")
    answer = who(node, "secret", authorization="Bearer sj_wrong")
    assert answer == "wrong_token"
    basic = who(node, "secret", authorization="Basic cHJveHk6eA==")
    assert isinstance(basic, Caller)


def test_a_session_ends_whatever_happens(node: Node) -> None:
    """After its hours, also of somebody who is busy."""
    sign_in(node, "secret", hours=1)
    for _ in range(59):
        node.clock.advance(MINUTE)
        assert isinstance(who(node, "secret"), Caller)
    node.clock.advance(MINUTE)
    assert who(node, "secret") == "not_signed_in"


def test_a_session_that_nobody_uses_ends(node: Node) -> None:
    """After the idle time, counted from the last use."""
    sign_in(node, "secret")
    node.clock.advance(100 * MINUTE)
    assert isinstance(who(node, "secret"), Caller)
    node.clock.advance(119 * MINUTE)
    assert isinstance(who(node, "secret"), Caller)
    node.clock.advance(120 * MINUTE)
    assert who(node, "secret") == "not_signed_in"


def test_waiting_is_no_use(node: Node) -> None:
    """A page that listens keeps nobody signed in."""
    sign_in(node, "secret")
    node.clock.advance(119 * MINUTE)
    assert node.gate.again(asked(cookie="secret")) is not None
    node.clock.advance(MINUTE)
    assert node.gate.again(asked(cookie="secret")) is None


def test_a_page_that_nobody_touches_is_no_use(node: Node) -> None:
    """It says so of what it fetches by itself; nothing else does."""
    sign_in(node, "secret")
    node.clock.advance(119 * MINUTE)
    for _ in range(2):
        found = who(node, "secret", x_smokejumper_unattended="1")
        assert isinstance(found, Caller)
    node.clock.advance(MINUTE)
    assert who(node, "secret") == "not_signed_in"


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_who_says_anything_else_uses_it(node: Node, value: str) -> None:
    """Only what was meant shortens a session."""
    sign_in(node, "secret")
    node.clock.advance(119 * MINUTE)
    who(node, "secret", x_smokejumper_unattended=value)
    node.clock.advance(MINUTE)
    assert isinstance(who(node, "secret"), Caller)


def test_use_is_written_down_once_a_minute(node: Node) -> None:
    """And not with each request."""
    sign_in(node, "secret")
    began = node.clock.now()
    seen = []
    for _ in range(4):
        node.clock.advance(30)
        who(node, "secret")
        found = node.reader.ask(lambda one: find_session(one, 1))
        assert found is not None
        seen.append((found.seen_at - began) // 1_000_000)
    assert seen == [0, 60, 60, 120]


def test_a_keeper_that_is_busy_keeps_nobody_out(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That somebody was here is written down another time."""
    sign_in(node, "secret")
    node.clock.advance(2 * MINUTE)

    def busy(_work: object) -> None:
        """Have no room."""
        raise TooBusy("keeper_busy", "Too much waits.")

    monkeypatch.setattr(node.scribe, "ask", busy)
    assert isinstance(who(node, "secret"), Caller)


def test_what_is_known_is_answered_at_once(node: Node) -> None:
    """Without the store, for two seconds."""
    sign_in(node, "secret")
    with pytest.raises(Unknown):
        node.gate.find(asked(cookie="secret"), at_once=True)
    assert isinstance(who(node, "secret"), Caller)
    node.clock.advance(1.9)
    known = node.gate.find(asked(cookie="secret"), at_once=True)
    assert known.name == "ana"
    node.clock.advance(0.2)
    with pytest.raises(Unknown):
        node.gate.find(asked(cookie="secret"), at_once=True)


def end(connection: Connection) -> None:
    """Revoke all sessions of ana."""
    end_sessions(connection, 1)


def disable(connection: Connection) -> None:
    """Shut ana out."""
    gone = Account(id=1, name="ana", secret="x", is_disabled=True)
    save_account(connection, gone)


def demote(connection: Connection) -> None:
    """Make ana a viewer."""
    save_account(connection, Account(id=1, name="ana", secret="x"))


@pytest.mark.parametrize(
    ("change", "after"),
    [(end, "not_signed_in"), (disable, "not_signed_in"), (demote, "viewer")],
)
def test_what_another_node_changes_holds_here(
    location: Location, node: Node, change: object, after: str
) -> None:
    """Within two seconds, also while a session is used all the time."""
    other = Node(location, node.clock)
    sign_in(node, "secret")
    node.clock.advance(MINUTE)
    assert isinstance(who(node, "secret"), Caller)
    other.write(change)  # type: ignore[arg-type]
    node.clock.advance(2.0)
    now = who(node, "secret")
    assert (now.role.value if isinstance(now, Caller) else now) == after
    other.close()


def test_this_machine_is_enough_until_somebody_can_sign_in(
    location: Location,
) -> None:
    """An account without a password changes nothing yet."""
    node = Node(location)
    assert isinstance(who(node), Caller)
    invited = Account(id=1, name="ana")
    node.write(lambda one: add_account(one, invited))
    node.clock.advance(2)
    assert node.gate.is_open()
    node.write(lambda one: save_account(one, ANA))
    node.clock.advance(2)
    assert who(node) == "not_signed_in"
    node.write(disable)
    node.clock.advance(2)
    assert who(node) == "not_signed_in"
    node.close()


@pytest.mark.parametrize(
    ("open_when", "tokens", "is_open"),
    [
        ("auto", (), True),
        ("auto", ("t",), False),
        ("never", (), False),
        ("always", ("t",), True),
    ],
)
def test_the_settings_say_when_it_is_open(
    location: Location, open_when: str, tokens: tuple[str, ...], is_open: bool
) -> None:
    """A token of the settings closes it, as it always has."""
    node = Node(location, tokens=tokens, open=open_when)
    assert isinstance(who(node), Caller) is is_open
    assert who(node, host="evil.example") in ("strange_page", "not_signed_in")
    node.close()


@pytest.mark.parametrize(
    ("settings", "is_open"),
    [
        ({"public_url": "https://jump.example"}, False),
        ({"public_url": "http://127.0.0.1:8080"}, True),
        ({"public_url": "http://localhost:8080"}, True),
        ({"trust_proxy": True}, False),
        ({"trust_proxy": True, "open": "always"}, True),
    ],
)
def test_behind_a_proxy_nobody_is_this_machine(
    location: Location, settings: dict[str, Any], is_open: bool
) -> None:
    """It may say nothing of whom it asks for: who would all be admins."""
    node = Node(location, **settings)
    assert isinstance(who(node), Caller) is is_open
    assert node.gate.is_open() is is_open
    node.close()


def test_the_oldest_session_goes_when_there_are_too_many(
    node: Node,
) -> None:
    """A script that signs in for ever fills no table."""
    for number in range(MOST_OF_ONE + 2):
        sign_in(node, f"secret {number}")
    now = node.clock.now()
    found = node.reader.ask(lambda one: list_sessions(one, 1, now))
    assert len(found) == MOST_OF_ONE
    assert who(node, "secret 1") == "not_signed_in"
    assert isinstance(who(node, "secret 2"), Caller)


def test_sessions_that_are_over_are_forgotten(node: Node) -> None:
    """With the next one that is opened."""
    sign_in(node, "old", hours=1)
    node.clock.advance(2 * HOUR)
    sign_in(node, "new")
    found = node.reader.ask(lambda one: list_sessions(one, 1, 0))
    assert [one.digest for one in found] == [digest_of("new")]


def test_the_memory_is_bounded(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many come, and what is not there is not kept."""
    monkeypatch.setattr("app.access.gate.MOST_CACHED", 3)
    for number in range(10):
        sign_in(node, f"secret {number}")
        assert isinstance(who(node, f"secret {number}"), Caller)
        who(node, f"wrong {number}")
        assert len(node.gate._kept) <= 3


def test_a_clock_of_its_own(location: Location) -> None:
    """Two nodes need not agree to the second."""
    node = Node(location)
    node.write(lambda one: add_account(one, ANA))
    sign_in(node, "secret")
    late = Node(location, FakeClock(node.clock.now() + 1_000_000))
    assert isinstance(who(late, "secret"), Caller)
    node.close()
    late.close()


@pytest.mark.parametrize(
    ("host", "is_in"),
    [("x.example", False), ("127.0.0.1:8080", True)],
)
def test_a_cookie_that_anybody_can_plant_is_none_over_https(
    location: Location, host: str, is_in: bool
) -> None:
    """A sister site can plant the plain one, and people would work for it."""
    node = Node(location, public_url="https://x.example")
    try:
        node.write(lambda one: add_account(one, ANA))
        sign_in(node, "planted")
        found = who(node, "planted", host=host)
        assert isinstance(found, Caller) is is_in
    finally:
        node.close()
