"""The link by which the first admin comes in."""

import asyncio
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.access import accounts, setup
from app.access.setup import Place, Setup, put, remove, to_link
from app.core.errors import Refused, StorageFailed
from app.core.site import site_of
from app.models.account import Account, Role
from app.store.accounts import add_account
from app.store.location import Location
from tests.unit.access.rooms import PASSWORD, Node

SITE = "http://127.0.0.1:8080"
DEADLINE = 10.0


@pytest.fixture
def node(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Node]:
    """Return a node that nobody can sign in to, and that looks often."""
    monkeypatch.setattr(setup, "LOOK_SECONDS", 0.01)
    made = Node(location)
    yield made
    made.close()


def chore(node: Node, file: Path | None) -> Setup:
    """Return what looks after the link."""
    place = Place(file, SITE)
    return Setup(place, node.gate, node.scribe, node.reader, node.clock)


async def until(condition: Callable[[], bool]) -> None:
    """Return when something holds."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 (a file tells nobody)
            await asyncio.sleep(0.005)


def secret_of(file: Path) -> str:
    """Return what a link in a file holds."""
    return file.read_text().strip().rpartition("=")[2]


def test_the_link_is_written_and_goes_when_it_is_used(
    node: Node, tmp_path: Path
) -> None:
    """Only we may read it; used on another node, it goes here."""
    file = tmp_path / "var" / "setup.link"

    async def live() -> None:
        """Run until the link was used."""
        running = asyncio.create_task(chore(node, file).run())
        await until(file.exists)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text().startswith(f"{SITE}/console/setup?token=")
        entered = await node.signing.set_up(
            secret_of(file), "ana", PASSWORD, ""
        )
        assert entered.caller.name == "ana"
        async with asyncio.timeout(DEADLINE):
            await running
        assert not file.exists()

    asyncio.run(live())


def test_a_restart_makes_a_new_one(node: Node, tmp_path: Path) -> None:
    """The one before is void."""
    file = tmp_path / "setup.link"

    async def start() -> str:
        """Start, and end once there is a link."""
        remove(file)
        running = asyncio.create_task(chore(node, file).run())
        await until(file.exists)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return secret_of(file)

    first, second = asyncio.run(start()), asyncio.run(start())
    assert first != second
    with pytest.raises(Refused) as caught:
        asyncio.run(node.signing.set_up(first, "ana", PASSWORD, ""))
    assert caught.value.reason == "link_used"
    asyncio.run(node.signing.set_up(second, "ana", PASSWORD, ""))


def test_there_is_none_once_somebody_can_sign_in(
    node: Node, tmp_path: Path
) -> None:
    """And what a run before left behind goes."""
    link = node.write(
        lambda one: accounts.make_setup_link(one, node.clock.now())
    )
    asyncio.run(node.signing.set_up(link, "ana", PASSWORD, ""))
    file = tmp_path / "setup.link"
    put(file, "http://old")
    asyncio.run(chore(node, file).run())
    assert not file.exists()


def test_there_is_one_when_the_provider_of_all_is_gone(
    node: Node, tmp_path: Path
) -> None:
    """Who came in through it only is no admin who could let others in."""
    boss = Account(
        name="boss",
        role="admin",
        subject="https://id.example u-1",
        created_at=1,
        created_by="oidc",
    )
    node.write(lambda one: add_account(one, boss))
    file = tmp_path / "setup.link"

    async def live() -> str:
        """Run until the link was used; return who came in."""
        running = asyncio.create_task(chore(node, file).run())
        await until(file.exists)
        link = secret_of(file)
        entered = await node.signing.set_up(link, "ana", PASSWORD, "")
        async with asyncio.timeout(DEADLINE):
            await running
        return entered.caller.name

    # This machine does not stand open again for that.
    assert not node.gate.is_open()
    assert asyncio.run(live()) == "ana"
    assert not file.exists()


def test_there_is_none_while_a_provider_lets_people_in(
    location: Location, tmp_path: Path
) -> None:
    """An account without a password is enough then."""
    oidc = {
        "issuer": "https://id.example",
        "client_id": "us",
        "client_secret": "s",
    }
    node = Node(location, public_url="https://us.example", oidc=oidc)
    ana = Account(name="ana", subject="https://id.example u-1", created_at=1)
    node.write(lambda one: add_account(one, ana))
    file = tmp_path / "setup.link"
    asyncio.run(chore(node, file).run())
    assert not file.exists()
    node.close()


def test_a_demo_has_none(location: Location, tmp_path: Path) -> None:
    """What stands open needs nobody to be let in."""
    node = Node(location, open="always")
    file = tmp_path / "setup.link"
    asyncio.run(chore(node, file).run())
    asyncio.run(chore(node, None).run())
    assert not file.exists()
    node.close()


def test_it_waits_for_the_database(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that cannot be read now is asked again."""
    file = tmp_path / "setup.link"
    real, failures = node.reader.ask, [StorageFailed("gone")] * 2

    def ask(question: Callable[..., object]) -> object:
        """Fail two times."""
        if failures:
            raise failures.pop()
        return real(question)

    monkeypatch.setattr(node.reader, "ask", ask)

    async def live() -> None:
        """Run until there is a link."""
        running = asyncio.create_task(chore(node, file).run())
        await until(file.exists)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(live())
    assert failures == []


def test_a_folder_that_cannot_be_written_stops_nobody(
    node: Node, tmp_path: Path
) -> None:
    """The command line makes a link as well."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    asyncio.run(chore(node, blocked / "setup.link").run())
    assert blocked.read_text() == "no folder"


def test_a_link_that_was_planted_is_not_followed(tmp_path: Path) -> None:
    """What lies there is replaced, not written through."""
    target = tmp_path / "target"
    target.write_text("mine")
    file = tmp_path / "setup.link"
    file.symlink_to(target)
    (tmp_path / "setup.link.new").symlink_to(target)
    put(file, "http://link")
    assert target.read_text() == "mine"
    assert file.read_text() == "http://link\n"
    assert not file.is_symlink()


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("jump.example", "http://jump.example:80"),
    ],
)
def test_where_the_service_is(host: str, site: str) -> None:
    """As this machine can reach it."""
    assert site_of(host, 80) == site
    assert to_link(site, "x") == f"{site}/console/setup?token=x"
    assert to_link(site, "") == ""


def test_it_is_void_once_an_admin_came_in_by_another_way(
    node: Node, tmp_path: Path
) -> None:
    """Else whoever finds it in a log years later becomes an admin.

    What the command line makes for who is locked out holds nevertheless.
    """
    file = tmp_path / "setup.link"
    now = node.clock.now()
    by = accounts.By("person:local", now)

    def come_in(name: str, role: Role) -> None:
        """Let somebody set a password by a link of their own."""
        wish = accounts.Wish(name=name, role=role)
        _, link = node.write(lambda one: accounts.add(one, wish, by))
        asyncio.run(node.signing.set_up(link, name, PASSWORD, ""))

    async def live() -> str:
        """Run until the file is gone; return what it held."""
        running = asyncio.create_task(chore(node, file).run())
        await until(file.exists)
        secret = secret_of(file)
        await asyncio.to_thread(come_in, "ben", Role.VIEWER)
        assert file.exists(), "a viewer can make no admin"
        await asyncio.to_thread(come_in, "ana", Role.ADMIN)
        async with asyncio.timeout(DEADLINE):
            await running
        assert not file.exists()
        return secret

    secret = asyncio.run(live())
    with pytest.raises(Refused) as caught:
        asyncio.run(node.signing.set_up(secret, "eve", PASSWORD, ""))
    assert caught.value.reason == "link_used"
    back = node.write(
        lambda one: accounts.make_setup_link(one, now, now + 1_000_000)
    )
    entered = asyncio.run(node.signing.set_up(back, "cleo", PASSWORD, ""))
    assert entered.caller.role is Role.ADMIN
