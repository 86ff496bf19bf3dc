"""F19: bodies that are too large, too deep or not what they say."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.chaos.load import PATH, Load
from tests.chaos.sockets import HEAD, ask, growth, receive, request, talk
from tests.service import OPEN, Service

pytestmark = pytest.mark.chaos
MEGABYTE = 1_048_576
GROWTH = 20 * MEGABYTE
NAMED = {"name": "name"}
FINE = (b"HTTP/1.1 2", b"HTTP/1.1 4", b"HTTP/1.1 100 Continue")
ALERT = {
    "status": "firing",
    "labels": {"alertname": "Odd"},
    "startsAt": "2026-11-21T02:14:02Z",
    "fingerprint": "0dd",
}


def group(**changes: object) -> bytes:
    """Return a delivery of one alert with some fields changed."""
    alert = {**ALERT, **changes}
    return json.dumps({"version": "4", "alerts": [alert]}).encode()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return one running service for all that is sent here."""
    sources = {"alertmanager": OPEN, "generic": {**OPEN, "options": NAMED}}
    folder = tmp_path_factory.mktemp("hostile")
    with Service(folder, {"sources": sources}) as running:
        yield running


BODIES = {
    "nothing": b"",
    "deep": b"[" * 100_000,
    "deep_and_closed": b"[" * 100_000 + b"]" * 100_000,
    "deep_in_an_alert": group(labels="@").replace(
        b'"@"', b'{"a":' * 500 + b"1" + b"}" * 500
    ),
    "nan": group(startsAt="@").replace(b'"@"', b"NaN"),
    "infinite": group(startsAt="@").replace(b'"@"', b"1e999999"),
    "long_number": group(startsAt="@").replace(b'"@"', b"9" * 100_000),
    "bad_utf8": group(status="\u00fc").replace(b"\\u00fc", b"\xff\xfe"),
    "half_a_character": group(fingerprint="\ud800"),
    "nul": group(fingerprint="a\0b", labels={"alertname": "\0"}),
    "raw_nul": group().replace(b"0dd", b"0\0d"),
    "many_labels": group(labels={f"l{i}": "v" for i in range(50_000)}),
    "long_label": group(labels={"alertname": "v" * 900_000}),
    "long_name": group(labels={"n" * 900_000: "v"}),
    "long_fingerprint": group(fingerprint="f" * 900_000),
    "year_0": group(startsAt="0000-00-00T00:00:00Z"),
    "year_1": group(startsAt="0001-01-01T00:00:00+14:00"),
    "year_9999": group(startsAt="9999-12-31T23:59:59-14:00"),
    "wrong_types": group(labels=[1], annotations=7, endsAt={}),
    "many_alerts": b'{"alerts":[' + b"{}," * 200_000 + b"{}]}",
    "bom": b"\xef\xbb\xbf" + group(),
    "utf16": group().decode().encode("utf-16"),
    "not_json": b"\x1f\x8b" + bytes(range(256)) * 100,
    "negative_truncated": b'{"alerts":[],"truncatedAlerts":-5}',
    "huge_truncated": b'{"alerts":[],"truncatedAlerts":' + b"9" * 40 + b"}",
}


def post(service: Service, path: str, body: bytes) -> httpx.Response:
    """Send a body and wait long for the answer."""
    return httpx.post(service.url + path, content=body, timeout=20)


@pytest.mark.parametrize("name", BODIES)
def test_no_body_is_our_fault(service: Service, name: str) -> None:
    """Whatever comes: an answer below 500, and the next one is served."""
    for path in (PATH, "/webhooks/generic"):
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(post, service, path, BODIES[name])
            health = httpx.get(f"{service.url}/health", timeout=5)
        assert health.status_code == 200
        assert coming.result().status_code < 500, coming.result().text
    good = httpx.post(service.url + PATH, content=group())
    assert good.status_code == 202


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        HEAD.encode() + b"content-length: -1\r\n\r\n",
        HEAD.encode() + b"content-length: 99999999999999999999\r\n\r\n",
        HEAD.encode() + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab",
        HEAD.encode() + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /webhooks/\xff\xfe HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST /webhooks/%00 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /api/v1/alerts?name=%00 HTTP/1.1\r\nhost: a\r\n\r\n",
        request(group(), "connection: upgrade", "upgrade: websocket"),
        request(group(), "expect: 100-continue"),
    ],
)
def test_no_request_is_our_fault(service: Service, content: bytes) -> None:
    """Broken HTTP gets an answer, and never a 5xx."""
    assert ask(service.port, content).startswith(FINE)
    good = httpx.post(service.url + PATH, content=group())
    assert good.status_code == 202


def test_a_sender_that_offers_http_2_is_served(service: Service) -> None:
    """Java's client asks for h2c with its first request; we pass it over."""
    offer = (
        *("connection: Upgrade, HTTP2-Settings", "upgrade: h2c"),
        "http2-settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA",
    )
    body = group(fingerprint="h2c")
    answer = receive(service.port, request(body, *offer, "connection: close"))
    assert answer.startswith(b"HTTP/1.1 202 ")
    assert b'"accepted":1' in answer
    found = re.search(rb'"delivery":(\d+)', answer)
    assert found
    url = f"{service.url}/api/v1/deliveries/{int(found[1])}/body"
    assert httpx.get(url).content == body


def one_header() -> Iterator[bytes]:
    """Yield a header that never ends."""
    yield HEAD.encode() + b"x: "
    yield from [b"y" * 65_536] * 1_500


def many_headers() -> Iterator[bytes]:
    """Yield headers without end."""
    yield HEAD.encode()
    yield from [b"x: y\r\n" * 10_000] * 1_500


def long_address() -> Iterator[bytes]:
    """Yield an address that never ends."""
    yield b"POST /"
    yield from [b"a" * 65_536] * 1_500


def trailers() -> Iterator[bytes]:
    """Yield headers without end after the body."""
    yield HEAD.encode() + b"transfer-encoding: chunked\r\n\r\n"
    yield b"2\r\n{}\r\n0\r\n"
    yield from [b"x: y\r\n" * 10_000] * 1_500


@pytest.mark.parametrize(
    "parts", [one_header, many_headers, long_address, trailers]
)
def test_a_flood_of_headers_is_refused_while_it_comes(
    service: Service, parts: Callable[[], Iterator[bytes]]
) -> None:
    """431, and the memory does not follow the sender's wishes."""
    answers: list[bytes] = []

    def send() -> None:
        """Send far more than is allowed."""
        answers.append(talk(service.port, parts()))

    assert growth(service.pid, send) < GROWTH
    assert answers[0].startswith(b"HTTP/1.1 431 ")
    assert b"application/problem+json" in answers[0]


def announced() -> Iterator[bytes]:
    """Yield a request that says how much too long it is, then its body."""
    yield HEAD.encode() + b"content-length: 99999999\r\n\r\n"
    yield from [bytes(65_536)] * 1_500


def streamed() -> Iterator[bytes]:
    """Yield a request that does not say how long it is."""
    yield HEAD.encode() + b"transfer-encoding: chunked\r\n\r\n"
    yield from [b"10000\r\n" + bytes(65_536) + b"\r\n"] * 1_500


def crumbled() -> Iterator[bytes]:
    """Yield the same in chunks of one byte each."""
    yield HEAD.encode() + b"transfer-encoding: chunked\r\n\r\n"
    yield from [b"1\r\nz\r\n" * 10_000] * 200


@pytest.mark.parametrize("parts", [announced, streamed, crumbled])
def test_a_body_over_the_limit_is_refused_while_it_comes(
    service: Service, parts: Callable[[], Iterator[bytes]]
) -> None:
    """413, and the memory does not follow the sender's wishes."""
    answers: list[bytes] = []
    httpx.post(service.url + PATH, content=bytes(MEGABYTE), timeout=20)

    def send() -> None:
        """Send far more than is allowed."""
        answers.append(talk(service.port, parts()))

    assert growth(service.pid, send) < GROWTH
    assert answers[0].startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answers[0]


def test_a_compressed_body_is_refused_not_unpacked(service: Service) -> None:
    """415, however small it looks; the service goes on."""
    packed = request(bytes(1_000), "content-encoding: gzip")
    assert ask(service.port, packed).startswith(b"HTTP/1.1 415 ")
    load = Load(service.port, clients=1)
    with load.running() as ledger:
        load.wait_for(5)
    assert ledger.faults == []
