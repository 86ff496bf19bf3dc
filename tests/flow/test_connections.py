"""Connections: what clients and proxies do to them, and bugs of ours."""

import asyncio
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import NoReturn, cast

import httpx
import pytest
from structlog.testing import capture_logs

from app.api.deadlines import Watch
from app.api.exchange import Exchange, Webhook
from app.core.settings import Limits
from app.ingest.intake import Entrance, Intake
from tests.fakes import FakeClock
from tests.flow.wire import (
    chunked,
    deliveries,
    dial,
    group,
    request,
    statuses,
    stored,
    talk,
)
from tests.service import Service

CLOSE = "connection: close"
PATH = "/webhooks/alertmanager"
HEALTH = b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n"
MEGABYTE = 1_048_576
OFFER = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c")


@pytest.mark.parametrize(
    "offer", [OFFER, ("Connection: UPGRADE", "UpGrAdE:x")]
)
@pytest.mark.parametrize("make", [request, chunked])
@pytest.mark.parametrize("size", [1, 7, 50, 100_000])
def test_an_offer_to_upgrade_does_not_lose_the_body(
    shared: Service,
    offer: tuple[str, ...],
    make: Callable[..., bytes],
    size: int,
) -> None:
    """However it is split, and whatever follows it."""
    text = "upgrade: h2c\r\n\r\nUpgrade: h2c"
    name = f"{make.__name__}{size}{offer[1]}"
    bodies = [group(f"{name}{number}", text=text) for number in range(3)]
    whole = (
        make(PATH, bodies[0], *offer)
        + make(PATH, bodies[1], *offer)
        + request(PATH, bodies[2], CLOSE)
    )
    parts = [whole[n : n + size] for n in range(0, len(whole), size)]
    answer = talk(shared, *parts)
    assert statuses(answer) == [b"202"] * 3
    assert answer.count(b'"accepted":1') == 3
    assert [stored(shared, n) for n in deliveries(answer)] == bodies


def test_a_tunnel_is_refused(shared: Service) -> None:
    """CONNECT is no request of ours; nothing after it is read."""
    tunnel = b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n"
    answer = talk(shared, tunnel + request(PATH, group("t")))
    assert statuses(answer) == [b"400"]


@pytest.mark.parametrize(
    "last",
    [
        request(PATH, group("g"), "content-encoding: gzip"),
        b"GET /webhooks/alertmanager HTTP/1.1\r\nhost: a\r\n\r\n",
    ],
)
def test_nothing_is_done_after_the_last_answer(
    shared: Service, last: bytes
) -> None:
    """Nobody would hear of it, and each answer would be a crash in the log."""
    before = shared.log.read_text().count("Traceback")
    after = request(PATH, group("never done")) + HEALTH
    assert len(statuses(talk(shared, last + after))) == 1
    # What was begun before it has come to its end.
    assert statuses(talk(shared, request(PATH, group("done"), CLOSE)))
    url = f"{shared.url}/api/v1/alerts"
    found = httpx.get(url, params={"fingerprint": "never done"}).json()
    assert found["items"] == []
    assert shared.log.read_text().count("Traceback") == before


@pytest.mark.parametrize(
    "path",
    [
        "http://host/webhooks/alertmanager?a=b",
        "/webhooks/alertm%61nager",
        "/webhooks/alertmanager/",
        "/webhooks/alertmanager/?a=b",
    ],
)
def test_other_spellings_of_a_path_are_found(
    shared: Service, path: str
) -> None:
    """A proxy may have written it."""
    answer = talk(shared, request(path, group("spelt"), CLOSE))
    assert statuses(answer) == [b"202"]


def test_a_head_has_its_limits(shared: Service) -> None:
    """431 for 64 KiB or 100 headers, in the address too; less is fine."""
    many = [f"x-{n}: y" for n in range(101)]
    long = "z" * 65_536
    for whole in (
        request(PATH, group("a"), *many),
        request(PATH, group("a"), f"x: {long}"),
        request(f"{PATH}?{long}", group("a")),
    ):
        answer = talk(shared, whole)
        assert statuses(answer) == [b"431"]
        assert b"application/problem+json" in answer
        assert b'"field":"headers"' in answer
    fine = request(PATH, group("a"), *many[:90], f"x: {long[:60_000]}", CLOSE)
    assert statuses(talk(shared, fine)) == [b"202"]


def test_large_packets_are_no_large_heads(shared: Service) -> None:
    """Many requests in one go are within the limits."""
    row = request(PATH, group("row", text="x" * 3_000)) * 60
    answer = talk(shared, row + request(PATH, group("row"), CLOSE))
    assert statuses(answer) == [b"202"] * 61


def test_nobody_is_told_to_send_what_is_refused(shared: Service) -> None:
    """A body that is too large is refused before the 100."""
    head = f"POST {PATH} HTTP/1.1\r\nexpect: 100-continue\r\n"
    answer = talk(shared, f"{head}content-length: 20001\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 413")
    assert statuses(answer) == [b"413"]


@pytest.mark.parametrize("make", [request, chunked])
@pytest.mark.parametrize("path", ["/api/v1/session", "/api/v1/policy/dry-run"])
def test_no_call_of_the_api_fills_the_memory(
    shared: Service, make: Callable[..., bytes], path: str
) -> None:
    """Strangers may begin one: it is refused as soon as it is too long."""
    kind = "content-type: application/json"
    large = b'"' + b"x" * (2 * MEGABYTE) + b'"'
    # The rest never comes: what is refused is what has come.
    answer = talk(shared, make(path, large, kind)[: MEGABYTE + 300])
    assert statuses(answer) == [b"413"]
    assert b'"reason":"body_too_large"' in answer
    fine = make(path, large[: MEGABYTE // 2] + b'"', kind, CLOSE)
    assert statuses(talk(shared, fine)) in ([b"422"], [b"403"])


def test_what_comes_after_a_body_is_no_header(shared: Service) -> None:
    """A proxy writes its own headers before it, and lets this pass."""
    host = f"host: 127.0.0.1:{shared.port}"
    kind = "content-type: application/json"
    head = ("POST /api/v1/policy/dry-run HTTP/1.1", host, kind, CLOSE)
    lines = "\r\n".join((*head, "transfer-encoding: chunked", "", ""))
    body = b"2\r\n{}\r\n0\r\n"
    proxied = b"x-forwarded-for: 192.0.2.7\r\n"
    plain = talk(shared, lines.encode() + body + b"\r\n")
    assert statuses(plain) == [b"200"]
    after = talk(shared, lines.encode() + body + proxied + b"\r\n")
    assert statuses(after) == [b"200"]
    before = lines.encode().replace(b"host:", proxied + b"host:")
    assert statuses(talk(shared, before + body + b"\r\n")) == [b"401"]


def test_a_delivery_that_waits_gets_its_100_and_its_body_read(
    shared: Service,
) -> None:
    """The body of a second request may come after the first answer."""
    second = request(PATH, group("two"), CLOSE, "expect: 100-continue")
    head, body = second[: -len(group("two"))], group("two")
    with dial(shared) as line:
        line.sendall(request(PATH, group("one")) + head)
        answer = b""
        while b"100 Continue" not in answer:
            chunk = line.recv(65_536)
            assert chunk, answer
            answer += chunk
        line.sendall(body)
        while chunk := line.recv(65_536):
            answer += chunk
    assert statuses(answer) == [b"202", b"100", b"202"]


def test_a_refused_head_request_has_no_body(shared: Service) -> None:
    """What follows the head would be taken for the next answer."""
    answer = talk(shared, f"HEAD {PATH} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 405")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("count", [1, 3])
def test_who_has_said_all_is_still_answered(
    shared: Service, count: int
) -> None:
    """A client may close its half at once; ours closes after the answer."""
    disk = sqlite3.connect(shared.database, isolation_level=None)
    with closing(disk), dial(shared) as line:
        disk.execute("BEGIN IMMEDIATE")
        line.sendall(request(PATH, group("half")) * count)
        line.shutdown(socket.SHUT_WR)
        line.settimeout(0.5)
        with pytest.raises(TimeoutError):  # not closed, while the disk waits
            line.recv(1)
        disk.execute("ROLLBACK")
        line.settimeout(10)
        answer = b""
        while chunk := line.recv(65_536):
            answer += chunk
    assert statuses(answer) == [b"202"] * count


def test_a_trailer_is_no_header(shared: Service) -> None:
    """A secret after the body opens nothing."""
    body = group("trailer")
    path = "/webhooks/locked"
    secret = b"authorization: Bearer new-token\r\n\r\n"
    whole = chunked(path, body, CLOSE)[:-2] + secret
    assert statuses(talk(shared, whole)) == [b"401"]


class Broken(Intake):
    """An intake with a bug."""

    def __init__(self) -> None:
        pass

    def accept(self, *_: object) -> NoReturn:
        """Crash."""
        raise KeyError("a bug")


class Heard:
    """A line that keeps what is written on it."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []

    def send_answer(self, answer: bytes, *, is_last: bool) -> None:
        """Keep an answer and whether it is the last."""
        self.answers.append(answer if not is_last else answer + b"(end)")


def test_a_bug_is_answered_and_logged() -> None:
    """503, so that the sender comes again; the log names the bug."""
    entrance = cast("Entrance", type("Named", (), {"name": "lab"}))
    webhook = Webhook(entrance, Broken(), FakeClock(), Limits(), 202)
    line = Heard()
    exchange = Exchange(webhook, line, "peer", keep_alive=True)
    exchange.start()
    exchange.open(b"POST", [])
    with capture_logs() as said:
        exchange.finish()
    assert [answer[:12] for answer in line.answers] == [b"HTTP/1.1 503"]
    assert b'"reason":"bug"' in line.answers[0]
    assert [line["event"] for line in said] == ["delivery.crashed"]


class Crashing:
    """A connection with a bug."""

    def cut_off_if_late(self, now: float, limits: Limits) -> None:
        """Crash."""
        raise KeyError(now, limits)


def test_one_bug_does_not_end_the_watch() -> None:
    """The next look is planned before this one."""

    async def look() -> bool:
        """Look once, and tell whether another look is planned."""
        loop = asyncio.get_running_loop()
        watch = Watch(Limits())
        watch.add(Crashing(), "peer", loop)
        if watch._timer is not None:
            watch._timer.cancel()
        with pytest.raises(KeyError):
            watch._sweep(loop)
        return watch._timer is not None

    assert asyncio.run(look())
