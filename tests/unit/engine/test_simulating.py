"""Calls to the simulator: what it refuses, and what is no answer."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from app.core.errors import Refused
from app.engine.simulating import (
    KIND,
    MOST_BYTES,
    Change,
    Simulator,
    SimulatorSettings,
)
from app.store.ledger import Ledger
from app.store.listings import LOG
from app.store.location import Location
from app.store.reading import Reader, Wish
from tests.fakes import FakeClock
from tests.programs import free_port


class Stranger(BaseHTTPRequestHandler):
    """Answers every call with what it was set to."""

    answer: tuple[int, bytes] = (200, b"{}")
    asked: ClassVar[list[tuple[str, str, str, bytes]]] = []

    def _take(self) -> None:
        """Note the call and answer it."""
        length = int(self.headers.get("content-length", 0))
        key = self.headers.get("authorization", "")
        body = self.rfile.read(length)
        self.asked.append((self.command, self.path, key, body))
        status, said = self.answer
        self.send_response(status)
        if status == 302:
            self.send_header("location", "http://127.0.0.1:9/elsewhere")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_DELETE = _take  # noqa: N815 # as the library names them

    def log_message(self, *_: object) -> None:
        """Say nothing."""


Says = Callable[[int, bytes], None]


@pytest.fixture
def says() -> Iterator[tuple[str, Says]]:
    """Return where a server is, and what sets its answers."""
    Stranger.asked.clear()
    Stranger.answer = (200, b"{}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()

    def set_answer(status: int, body: bytes) -> None:
        """Set what it answers from now on."""
        Stranger.answer = (status, body)

    yield f"http://127.0.0.1:{server.server_port}", set_answer
    server.shutdown()
    thread.join()
    server.server_close()


def line(url: str, token: str = "") -> Simulator:
    """Return who calls an address."""
    return Simulator(SimulatorSettings(url=url), token, FakeClock())


def refusal(simulator: Simulator) -> Refused:
    """Return how a change is refused."""
    with pytest.raises(Refused) as caught:
        asyncio.run(simulator.ask("POST", "/api/faults/cpu", {"level": 1}))
    return caught.value


def test_without_an_address_there_is_none() -> None:
    """It says which setting it wants, and what runs is nothing."""
    simulator = line("")
    assert not simulator.is_there
    asyncio.run(simulator.run())
    assert not simulator.running
    told = refusal(simulator)
    assert (told.status, told.reason) == (404, "no_simulator")
    assert "simulator.url" in told.remedy


@pytest.mark.parametrize(
    "url", ["simulator:8099", "ftp://a", "http://a:b@c", "http://a?x=1"]
)
def test_a_wrong_address_is_told(url: str) -> None:
    """When the service starts, and not when somebody needs it."""
    with pytest.raises(ValidationError):
        SimulatorSettings(url=url)


def test_an_order_goes_with_the_token(says: tuple[str, Says]) -> None:
    """To the address of the settings, as JSON."""
    url, _ = says
    simulator = line(f"{url}/", "a-token-of-16-chars")
    asyncio.run(simulator.ask("POST", "/api/faults/cpu", {"level": 90}))
    asyncio.run(simulator.ask("DELETE", "/api/faults"))
    key = "Bearer a-token-of-16-chars"
    assert Stranger.asked == [
        ("POST", "/api/faults/cpu", key, b'{"level":90}'),
        ("DELETE", "/api/faults", key, b""),
    ]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422, 503])
def test_a_refusal_is_told_in_its_words(
    says: tuple[str, Says], status: int
) -> None:
    """With the field and the remedy, whatever else it says."""
    url, set_answer = says
    set_answer(
        status,
        b'{"detail":"cpu runs already","field":"kind","remedy":"Wait",'
        b'"status":7,"extra":[1]}',
    )
    told = refusal(line(url))
    assert told.status == status
    assert told.detail == "cpu runs already"
    assert (told.field, told.remedy) == ("kind", "Wait")


@pytest.mark.parametrize("status", [401, 500, 302, 204])
def test_other_answers_are_no_answers(
    says: tuple[str, Says], status: int
) -> None:
    """Nobody here is signed out by its 401, and no redirect is followed."""
    url, set_answer = says
    set_answer(status, b"" if status == 204 else b'{"detail":"no"}')
    told = refusal(line(url))
    assert (told.status, told.reason) == (503, "simulator_lost")
    assert len(Stranger.asked) == 1


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[1]", b"\xff", b"[" * 5_000, b"x" * (MOST_BYTES + 1)],
)
def test_what_is_not_its_json_is_refused(
    says: tuple[str, Says], body: bytes
) -> None:
    """Another program at that address is told as such."""
    url, set_answer = says
    set_answer(200, body)
    assert refusal(line(url)).reason == "simulator_lost"


def test_nobody_there_is_told() -> None:
    """With the address that was tried in the words."""
    told = refusal(line(f"http://127.0.0.1:{free_port()}"))
    assert told.status == 503
    assert "does not answer" in told.detail


def test_a_network_that_is_not_listed_is_not_called() -> None:
    """Whoever takes this machine off the list means it."""
    far = SimulatorSettings(url="http://127.0.0.1:1", allow=())
    assert "allow" in refusal(Simulator(far, "", FakeClock())).detail


def look(simulator: Simulator) -> tuple[tuple[str, ...], int | None]:
    """Have it look; return what is known, and since when no more is."""
    asyncio.run(simulator.look())
    return simulator.running, simulator.lost_at


def test_what_ran_is_known_until_it_can_be_asked_again(
    says: tuple[str, Says],
) -> None:
    """Who is not there has not said that nothing runs."""
    url, set_answer = says
    clock = FakeClock()
    simulator = Simulator(SimulatorSettings(url=url), "", clock)
    set_answer(200, b'{"running":[{"fault":"cpu"},{"fault":"disk"},7]}')
    assert look(simulator) == (("cpu", "disk"), None)
    set_answer(500, b"")
    since = clock.now()
    for _ in range(2):
        assert look(simulator) == (("cpu", "disk"), since)
        clock.advance(4)
    set_answer(200, b'{"running":[]}')
    assert look(simulator) == ((), None)


def test_a_simulator_that_cannot_be_asked_is_logged_once(
    says: tuple[str, Says],
) -> None:
    """From the first look on, with what to do; and that it is back."""
    url, set_answer = says
    simulator = line(url)
    set_answer(401, b'{"detail":"a token is needed"}')
    with capture_logs() as lines:
        asyncio.run(simulator.look())
        asyncio.run(simulator.look())
        set_answer(200, b'{"running":[]}')
        asyncio.run(simulator.look())
        asyncio.run(simulator.look())
    assert [one["event"] for one in lines] == [
        "simulator.lost",
        "simulator.found",
    ]
    assert lines[0]["log_level"] == "warning"
    assert lines[0]["url"] == url
    assert "a token is needed" in lines[0]["error"]
    assert "simulator.url" in lines[0]["remedy"]


def test_a_change_is_a_line_of_the_log(
    location: Location, reader: Reader
) -> None:
    """Who, what, and how much of it."""
    ledger = Ledger(location, 5.0)
    order: dict[str, Any] = {"level": 90, "options": {}}
    change = Change("POST", "/api/faults/cpu", "begun", "ana", order)
    with ledger.turn() as connection:
        line("").note(connection, change)
    ledger.close()
    (entry,) = reader.page(LOG, Wish()).rows
    assert (entry.kind, entry.actor) == (KIND, "person:ana")
    assert entry.summary == "begun"
    assert "POST /api/faults/cpu" in entry.body
    assert '"level":90' in entry.body
