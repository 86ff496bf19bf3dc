"""The locksmith: what one node does with tokens holds on all of them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from threading import Event, Thread
from typing import Any, cast

import msgspec
import pytest

from app.access.keyring import MOST_SECONDS, Keyring
from app.access.tokens import Made, Order, Tokens
from app.core.errors import StorageFailed, TooBusy
from app.engine.keeper import Keeper
from app.engine.locksmith import Locksmith
from app.models.account import Account, Caller, Role
from app.store.accounts import add_account, find_account, save_account
from app.store.ledger import Ledger
from app.store.location import Location
from app.store.reading import Reader, open_engine
from app.store.tokens import find_token
from tests.fakes import FakeClock

CLOCK = FakeClock()
BOSS = Caller(name="ana", role=Role.ADMIN, way="session")
TOKENS = Tokens(CLOCK, ["zabbix"])


class Scribe:
    """Runs work in a turn at once, or fails as the keeper may."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.failure: Exception | None = None
        self.turns = 0

    def ask(self, work: Callable[[Any], Any]) -> Future[Any]:
        """Run some work."""
        if isinstance(self.failure, TooBusy):
            raise self.failure
        future: Future[Any] = Future()
        if self.failure is not None:
            future.set_exception(self.failure)
            return future
        with self.ledger.turn() as connection:
            future.set_result(work(connection))
        self.turns += 1
        return future


class Node:
    """One node on a database that others use as well."""

    def __init__(self, location: Location) -> None:
        self.ledger = Ledger(location, 5.0)
        self.reader = Reader(open_engine(location, 2.0))
        self.scribe = Scribe(self.ledger)
        self.keyring = Keyring(CLOCK)
        keeper = cast(Keeper, self.scribe)
        self.locksmith = Locksmith(self.keyring, keeper, self.reader, CLOCK)

    def make(self) -> Made:
        """Make a token for the first account."""
        order = Order(account=1, label="tests")
        with self.ledger.turn() as connection:
            return TOKENS.make(connection, order, BOSS)

    def knows(self, secret: str) -> bool:
        """Tell whether a token opens this node."""
        return self.keyring.find(f"Bearer {secret}") is not None

    def close(self) -> None:
        """Give everything back."""
        self.reader.close()
        self.ledger.close()


@pytest.fixture
def nodes(location: Location) -> Iterator[tuple[Node, Node]]:
    """Return two nodes, with one account between them."""
    pair = Node(location), Node(location)
    with pair[0].ledger.turn() as connection:
        add_account(connection, Account(name="robot", nature="service"))
    yield pair
    for node in pair:
        node.close()


def look(*nodes: Node) -> None:
    """Let nodes read the tokens once."""
    for node in nodes:
        asyncio.run(node.locksmith.look())


def test_what_one_node_makes_or_revokes_holds_on_the_other(
    nodes: tuple[Node, Node],
) -> None:
    """After its next look, which is a second away."""
    one, two = nodes
    look(one, two)
    made = one.make()
    assert not two.knows(made.secret)
    look(two)
    assert two.knows(made.secret)
    with one.ledger.turn() as connection:
        TOKENS.revoke(connection, made.token.id, BOSS)
    look(two)
    assert not two.knows(made.secret)


def test_an_older_reading_puts_nothing_back(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is revoked while a thread reads stays so when that one is slow."""
    node, _ = nodes
    made = node.make()
    has_read, may_go_on = Event(), Event()
    glance = node.reader.glance

    def slowly(*asked: Any) -> Any:
        """Read, and take a while the first time."""
        seen = glance(*asked)
        if not has_read.is_set():
            has_read.set()
            may_go_on.wait(30)
        return seen

    monkeypatch.setattr(node.reader, "glance", slowly)
    slow = Thread(target=node.locksmith.read, daemon=True)
    slow.start()
    assert has_read.wait(30)
    with node.ledger.turn() as connection:
        TOKENS.revoke(connection, made.token.id, BOSS)
    later = Thread(target=node.locksmith.read, daemon=True)
    later.start()
    # Were it not kept waiting it would be done by then.
    later.join(0.3)
    may_go_on.set()
    for thread in (slow, later):
        thread.join(30)
        assert not thread.is_alive()
    assert not node.knows(made.secret)


def test_what_has_not_changed_is_not_read_again(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A use changes nothing; an account that changes does."""
    one, two = nodes
    made = one.make()
    held: list[int] = []
    hold = one.keyring.hold

    def count(owned: list[Any]) -> None:
        """Count the tokens that are read."""
        held.append(len(owned))
        hold(owned)

    monkeypatch.setattr(one.keyring, "hold", count)
    look(one, one)
    assert one.knows(made.secret)
    asyncio.run(one.locksmith.write_uses())
    look(one)
    assert held == [1]
    with two.ledger.turn() as connection:
        account = find_account(connection, 1)
        assert account is not None
        gone = msgspec.structs.replace(account, version=2, is_disabled=True)
        save_account(connection, gone)
    look(one)
    assert held == [1, 0]
    assert not one.knows(made.secret)


def test_what_has_not_changed_is_as_good_as_read(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the database can be asked, tokens stay good."""
    one, _ = nodes
    clock = FakeClock(CLOCK.now())
    monkeypatch.setattr(one.keyring, "_clock", clock)
    made = one.make()
    look(one)
    for _ in range(3):
        clock.advance(MOST_SECONDS)
        look(one)
        assert one.knows(made.secret)


def test_what_cannot_be_read_is_kept_for_a_while(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that is away for a moment shuts nobody out."""
    one, _ = nodes
    made = one.make()
    look(one)

    def fail(_question: object) -> None:
        """Be a database that is away."""
        raise StorageFailed("away")

    monkeypatch.setattr(one.reader, "ask", fail)
    look(one, one)
    assert one.knows(made.secret)


def test_the_database_is_never_asked_on_the_event_loop(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every reading is on another thread."""
    one, _ = nodes
    seen: list[int] = []
    ask = one.reader.ask

    def note(question: Callable[[Any], Any]) -> Any:
        """Remember the thread that asks."""
        seen.append(threading.get_ident())
        return ask(question)

    monkeypatch.setattr(one.reader, "ask", note)
    look(one)
    assert len(seen) == 1
    assert threading.get_ident() not in seen


def used_at(node: Node, number: int) -> int | None:
    """Return when a token was used last, as the store says."""
    with node.ledger.turn() as connection:
        token = find_token(connection, number)
    assert token is not None
    return token.used_at


def test_uses_are_written_in_one_turn(nodes: tuple[Node, Node]) -> None:
    """However many tokens were used, and none when none was."""
    one, _ = nodes
    first, second = one.make(), one.make()
    look(one)
    for made in (first, second, first):
        assert one.knows(made.secret)
    for _ in range(2):
        asyncio.run(one.locksmith.write_uses())
    minute = CLOCK.now() // 60_000_000 * 60_000_000
    assert one.scribe.turns == 1
    assert used_at(one, first.token.id) == minute
    assert used_at(one, second.token.id) == minute


@pytest.mark.parametrize(
    "failure", [TooBusy("keeper_busy", "full"), StorageFailed("away")]
)
def test_a_use_that_cannot_be_written_is_not_missed(
    nodes: tuple[Node, Node], failure: Exception
) -> None:
    """The next minute's use is written as well."""
    one, _ = nodes
    made = one.make()
    look(one)
    assert one.knows(made.secret)
    one.scribe.failure = failure
    asyncio.run(one.locksmith.write_uses())
    assert used_at(one, made.token.id) is None
    assert one.knows(made.secret)


def test_tokens_are_fresh_however_long_a_turn_takes(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was used is waited for a while, and no longer."""
    one, _ = nodes
    made = one.make()
    look(one)
    assert one.knows(made.secret)
    never: Future[Any] = Future()
    monkeypatch.setattr(one.scribe, "ask", lambda _: never)
    asyncio.run(one.locksmith.write_uses())
    assert never.cancelled()


def test_it_goes_on_until_it_is_cancelled(nodes: tuple[Node, Node]) -> None:
    """It reads at once, and writes what was used."""
    one, _ = nodes
    made = one.make()

    async def work() -> None:
        """Run it until it has written a use."""
        task = asyncio.create_task(one.locksmith.run())
        async with asyncio.timeout(30):
            while not one.scribe.turns:
                await asyncio.sleep(0.01)
                one.keyring._noted.clear()
                if one.keyring._read_at is not None:
                    one.knows(made.secret)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(work())
    assert used_at(one, made.token.id) is not None
