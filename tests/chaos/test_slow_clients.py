"""F20: clients that drip, idle, crowd in or never read."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.chaos.load import Load, wait_until
from tests.chaos.sockets import (
    GET,
    HEAD,
    ask,
    connected,
    count_open,
    growth,
    is_held,
    push,
    receive,
    request,
)
from tests.chaos.tally import settle
from tests.service import Service

pytestmark = pytest.mark.chaos
MANY = 200
CLOSED_SECONDS = 10.0
LIMITS = {
    "header_seconds": 1,
    "body_seconds": 1,
    "idle_seconds": 1,
    "connections": 3 * MANY,
    "connections_per_peer": 3 * MANY,
}
MEGABYTE = 1_048_576
GROWTH = 20 * MEGABYTE
PAGES, MOST_KEPT = 300, 40 * MEGABYTE
BODY_OF_NOTHING = b'{"version": "4", "alerts": []}'


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return one running service that waits a second for a request."""
    folder = tmp_path_factory.mktemp("strict")
    with Service(folder, {"server": {"limits": LIMITS}}) as service:
        yield service


@pytest.mark.parametrize(
    ("opening", "drip"),
    [
        (b"", b""),
        (b"", b"\r\n"),
        (HEAD.encode() + b"x: ", b"y"),
        (HEAD.encode() + b"content-length: 9999\r\n\r\n", b"z"),
        (
            HEAD.encode() + b"transfer-encoding: chunked\r\n\r\n",
            b"1\r\nz\r\n",
        ),
        (b"POST /nowhere HTTP/1.1\r\ncontent-length: 9999\r\n\r\n", b"z"),
        (GET.encode() + b"\r\n", b"GET /health HTTP"),
        (GET.encode() + b"\r\n", b"\r\n"),
    ],
    ids=[
        *("idle", "lines", "head", "body", "chunks", "unread"),
        *("second", "lines_after_a_request"),
    ],
)
def test_who_drips_is_cut_off(
    strict: Service, opening: bytes, drip: bytes
) -> None:
    """All slow connections are closed; the others are served all along."""
    load = Load(strict.port, clients=2)
    with load.running() as ledger, connected(strict.port, MANY) as lines:
        for line in lines:
            line.send(opening)
        load.wait_for(20)
        assert count_open(lines, drip, CLOSED_SECONDS) == 0
        load.wait_for(20)
    refused = [f"refused: {one}" for one in ledger.refusals]
    settle("slow connections", MANY, [*ledger.faults, *refused])


@pytest.mark.parametrize(
    "opening",
    [
        HEAD.encode() + b"x: ",
        HEAD.encode() + b"content-length: 9999\r\n\r\n{",
    ],
    ids=["head", "body"],
)
def test_who_was_too_slow_is_asked_to_come_again(
    strict: Service, opening: bytes
) -> None:
    """503 with a time: on a 408 Alertmanager would give up."""
    answer = receive(strict.port, opening)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nretry-after: 5\r\n" in answer
    assert b"application/problem+json" in answer
    assert b'"reason":"too_slow"' in answer
    assert b'"field":"request"' in answer


def test_one_more_than_the_most_is_told_so(tmp_path: Path) -> None:
    """Over the cap: 503; when there is room again, 202."""
    limits = {"connections": 20, "connections_per_peer": 20}
    with Service(tmp_path, {"server": {"limits": limits}}) as service:
        with connected(service.port, 20):
            answer = ask(service.port, b"")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"application/problem+json" in answer
        assert b'"field":"connection"' in answer
        load = Load(service.port, clients=1)
        with load.running() as ledger:
            load.wait_for(10)
        assert ledger.faults == []


def test_one_address_does_not_take_all_there_is(tmp_path: Path) -> None:
    """Over its own cap it is told so; others come in, and it does again."""
    limits = {"connections": 20, "connections_per_peer": 5}
    with Service(tmp_path, {"server": {"limits": limits}}) as service:
        other = httpx.HTTPTransport(local_address="127.0.0.2")
        with connected(service.port, 5):
            answer = ask(service.port, b"")
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b'"field":"connection"' in answer
            with httpx.Client(transport=other) as client:
                found = client.get(f"{service.url}/health", timeout=30)
            assert found.status_code == 200
        wait_until(service.is_ready, "room for the first address", 30)


def test_answers_that_nobody_reads_do_not_pile_up(strict: Service) -> None:
    """Who sends and never reads is not listened to any more."""
    again = request(BODY_OF_NOTHING) * 100

    def send_only() -> None:
        """Send without reading until the service has had enough."""
        with connected(strict.port, 1) as (line,):
            push(line, again, 30 * MEGABYTE)

    assert growth(strict.pid, send_only) < GROWTH
    assert strict.is_ready()


def test_requests_in_one_go_are_answered_in_order(strict: Service) -> None:
    """Refusals do not overtake the receipt of the first request."""
    first = request(BODY_OF_NOTHING)
    deep = request(b"[" * 40) * 300
    last = b"GET " + first.partition(b" ")[2]
    answers = ask(strict.port, first + deep + last, answers=302)
    statuses = [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"202", *[b"422"] * 300, b"405"]


def test_an_unread_page_does_not_hold_a_connection(strict: Service) -> None:
    """Who asks for pages and reads none is cut off, too."""
    load = Load(strict.port, clients=2)
    with load.running():
        load.wait_for(300)
    page = b"GET /api/v1/alerts?limit=500 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    # More of them than the system keeps for who does not read.
    answer = receive(strict.port, page[:-2] + b"connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert PAGES * len(answer) > MOST_KEPT
    with connected(strict.port, 1) as (line,):
        push(line, page * PAGES, PAGES * len(page))
        wait_until(
            lambda: not is_held(line),
            "the connection to be cut off",
            CLOSED_SECONDS,
        )
    assert "connection.not_read" in strict.log.read_text()
    assert strict.is_ready()
