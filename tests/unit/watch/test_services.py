"""Whether services are well: pages, ports, and those who keep them."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from app.core.errors import OutgoingFailed
from app.core.host import Declared, HostSettings
from app.core.machine import look
from app.core.warden import Standing, State
from app.watch import services as module
from app.watch.services import Health, Services
from app.watch.settings import ServiceCheck
from tests.programs import free_port

UP = Standing(
    name="shop", warden="supervisor", state=State.ACTIVE, says="RUNNING"
)


def ask(
    checks: dict[str, ServiceCheck],
    answer: Callable[[httpx.Request], httpx.Response] | None = None,
    host: HostSettings | None = None,
) -> dict[str, Health]:
    """Return how services are of which something is known."""

    async def go() -> dict[str, Health]:
        """Ask once."""
        way = httpx.MockTransport(answer) if answer else None
        async with httpx.AsyncClient(transport=way) as client:
            services = Services(checks, host or HostSettings(), client)
            found = await services.look(1.0)
            return {name: one for name, one in found.items() if one}

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("status", "is_up"), [(200, True), (302, True), (404, False), (500, False)]
)
def test_a_page_says_how_it_is(status: int, *, is_up: bool) -> None:
    """By its status."""
    check = ServiceCheck(url="http://127.0.0.1:1/health")
    found = ask({"shop": check}, lambda _: httpx.Response(status))
    assert found["shop"].is_up is is_up
    assert str(status) in found["shop"].says


def test_a_page_that_fails_is_down() -> None:
    """Nobody answers there."""

    def refuse(_request: httpx.Request) -> httpx.Response:
        """Refuse."""
        raise httpx.ConnectError("no")

    found = ask({"shop": ServiceCheck(url="http://127.0.0.1:1/")}, refuse)
    assert not found["shop"].is_up
    assert "ConnectError" in found["shop"].says


def test_a_port_says_how_it_is() -> None:
    """Somebody takes a connection, or nobody does."""

    async def go() -> tuple[Health, Health]:
        """Ask a port with somebody behind it, then without."""
        server = await asyncio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]
        checks = {"cache": ServiceCheck(port=port)}
        async with httpx.AsyncClient() as client:
            services = Services(checks, HostSettings(), client)
            up = (await services.look(1.0))["cache"]
            server.close()
            await server.wait_closed()
            down = (await services.look(2.0))["cache"]
            assert up
            assert down
            return up, down

    up, down = asyncio.run(go())
    assert up.is_up
    assert not down.is_up


def test_a_daemon_with_a_command_of_its_own_is_asked(tmp_path: Path) -> None:
    """Those of host.services are watched without being named again."""
    flag = tmp_path / "up"
    command = ("/bin/sh", "-c", f"test -e {flag}")
    declared = Declared(status=command, restart=command)
    host = HostSettings(services={"shop": declared})
    assert not ask({}, host=host)["shop"].is_up
    flag.touch()
    assert ask({}, host=host)["shop"].is_up


def test_who_hangs_keeps_nobody_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of those nothing is known; pages, ports and the rest are told."""
    monkeypatch.setattr(module, "look", partial(look, seconds=1.0))
    hung = Declared(status=("/bin/sleep", "6"), restart=("/bin/true",))
    down = Declared(status=("/bin/false",), restart=("/bin/true",))
    host = HostSettings(services={"one": hung, "two": hung, "zoo": down})
    checks = {"shop": ServiceCheck(port=free_port())}

    async def go() -> list[dict[str, Health | None]]:
        """Ask as often as would take all places, were they shared."""
        async with httpx.AsyncClient() as client:
            services = Services(checks, host, client)
            return [await services.look(float(n)) for n in range(3)]

    for found in asyncio.run(go()):
        assert found["one"] is None
        assert found["two"] is None
        assert {n: one.is_up for n, one in found.items() if one} == {
            "shop": False,
            "zoo": False,
        }


def test_of_whom_nobody_knows_nothing_is_said() -> None:
    """No page, no port, and nobody who keeps it: that is not down."""
    port = free_port()
    host = HostSettings(supervisor=f"http://127.0.0.1:{port}/RPC2")
    assert ask({"sj-no-such-service": ServiceCheck()}, host=host) == {}


class Keeper:
    """Stands in for those who keep daemons; says what it is told."""

    def __init__(self) -> None:
        self.standings: list[Standing] = []

    def survey(self) -> tuple[Standing, ...]:
        """Return how all are."""
        if not self.standings:
            raise OutgoingFailed("away")
        return tuple(self.standings)


def looks(*rounds: list[Standing]) -> list[dict[str, Any]]:
    """Return what is said of supervisor's programs, ten seconds apart."""

    async def go() -> list[dict[str, Any]]:
        """Ask as often."""
        async with httpx.AsyncClient() as client:
            host = HostSettings(supervisor="http://127.0.0.1:1/RPC2")
            services, keeper = Services({}, host, client), Keeper()
            services._daemons = keeper  # type: ignore[assignment]
            found = []
            for number, standings in enumerate(rounds):
                keeper.standings = standings
                found.append(await services.look(10.0 * number))
            return found

    return asyncio.run(go())


def test_what_was_up_is_missed() -> None:
    """A program that nobody named: stopped for good, or just now."""
    stopped = msgspec.structs.replace(UP, state=State.INACTIVE)
    failed = msgspec.structs.replace(UP, state=State.FAILED)
    assert looks([stopped])[0] == {}
    assert not looks([failed])[0]["shop"].is_up
    up, down = looks([UP], [stopped])
    assert up["shop"].is_up
    assert not down["shop"].is_up


def test_one_that_begins_again_and_again_is_down() -> None:
    """It runs whenever somebody looks, and is not well."""
    runs = [[msgspec.structs.replace(UP, run=str(n))] for n in range(5)]
    found = [one["shop"] for one in looks(*runs)]
    assert [one.is_up for one in found] == [True, True, True, False, False]
    assert "began anew" in found[-1].says


def test_a_keeper_that_is_away_says_nothing() -> None:
    """Its programs are not down for that, and none is well, or gone."""
    assert looks([UP], [])[1] == {"shop": None}
    failed = msgspec.structs.replace(UP, state=State.FAILED)
    down, nobody = looks([failed], [])
    assert not down["shop"].is_up
    assert nobody == {"shop": None}


def test_a_named_service_of_which_nobody_knows_stays_as_it_is() -> None:
    """It is listed as not known: what was told of it is not over."""
    port = free_port()
    host = HostSettings(supervisor=f"http://127.0.0.1:{port}/RPC2")

    async def go() -> dict[str, Health | None]:
        """Ask once."""
        async with httpx.AsyncClient() as client:
            checks = {"sj-no-such-service": ServiceCheck()}
            return await Services(checks, host, client).look(1.0)

    assert asyncio.run(go()) == {"sj-no-such-service": None}
