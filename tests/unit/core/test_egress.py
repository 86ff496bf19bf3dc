"""Egress: what may be called, what is never called, and what is known."""

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from app.core.egress import (
    Bounds,
    Call,
    Egress,
    Network,
    Resolve,
    Said,
    Trip,
    is_public,
    resolve,
    trust,
    unwrap,
)
from app.core.errors import NotSent, OutgoingFailed
from tests.certificates import certify
from tests.programs import free_port

LISTED = "127.0.0.2"
INSIDE = "127.0.0.1"


class Door(BaseHTTPRequestHandler):
    """Answers with the host that it was asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        """Answer, and remember it."""
        self.asked.append(self.headers["host"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers["host"].encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class House:
    """Two servers on one port: one that is listed, one that is inside."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: dict[str, list[str]] = {LISTED: [], INSIDE: []}
        self.servers = []
        for address, asked in self.asked.items():
            door = type("One", (Door,), {"asked": asked})
            server = ThreadingHTTPServer((address, self.port), door)
            thread = threading.Thread(
                target=server.serve_forever, args=(0.01,)
            )
            thread.start()
            self.servers.append((server, thread))

    def close(self) -> None:
        """Leave nothing listening."""
        for server, thread in self.servers:
            server.shutdown()
            server.server_close()
            thread.join()


@pytest.fixture
def house() -> Iterator[House]:
    """Return a house with two servers."""
    found = House()
    yield found
    found.close()


class Book:
    """Knows names as a test says, and what it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def look_up(self, host: str, port: int) -> Sequence[str]:
        """Return the next answer; the last one stays."""
        del port
        self.asked.append(host)
        return (
            self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        )


def net(text: str) -> Network:
    """Return a network."""
    return ipaddress.ip_network(text)


def send(
    url: str,
    look_up: Resolve = resolve,
    *allow: str,
    seconds: float = 5.0,
    context: ssl.SSLContext | None = None,
) -> Said:
    """Return what is answered to a GET."""
    bounds = Bounds(seconds, 10_000, tuple(net(text) for text in allow))
    egress = Egress(bounds, context, look_up)
    return asyncio.run(egress.send(Call("GET", url)))


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%lo",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_is_not_public(text: str) -> None:
    """No machine of the public internet hides behind these."""
    assert not is_public(unwrap(ipaddress.ip_address(text)))


@pytest.mark.parametrize(
    "text",
    ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"],
)
def test_what_is_public(text: str) -> None:
    """These may be called unlisted."""
    assert is_public(unwrap(ipaddress.ip_address(text)))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
    ],
)
def test_no_spelling_leads_inside(house: House, host: str) -> None:
    """However this machine is spelled, it is seen before it is called."""
    with pytest.raises(NotSent) as refusal:
        send(f"http://{host}:{house.port}/")
    assert not refusal.value.may_retry
    assert house.asked == {LISTED: [], INSIDE: []}


def test_a_listed_address_is_called_by_its_name(house: House) -> None:
    """The name is looked up once, and is what the server is asked for."""
    book = Book([LISTED])
    said = send(f"http://jobs.example:{house.port}/", book.look_up, LISTED)
    assert (said.status, said.body) == (
        200,
        f"jobs.example:{house.port}".encode(),
    )
    assert book.asked == ["jobs.example"]


def test_a_name_that_changes_leads_nowhere_else(house: House) -> None:
    """First a right address, then one inside: only the first is called."""
    book = Book([LISTED], [INSIDE])
    url = f"http://rebind.example:{house.port}/"
    assert send(url, book.look_up, LISTED).status == 200
    with pytest.raises(NotSent) as refusal:
        send(url, book.look_up, LISTED)
    assert not refusal.value.may_retry
    assert len(house.asked[LISTED]) == 1
    assert house.asked[INSIDE] == []


def test_of_many_addresses_only_right_ones_are_called(house: House) -> None:
    """One inside is left out; one where nobody listens is passed over."""
    book = Book([INSIDE, "127.0.0.3", LISTED])
    url = f"http://many.example:{house.port}/"
    assert send(url, book.look_up, LISTED, "127.0.0.3").status == 200
    assert house.asked[INSIDE] == []


def test_what_was_sent_is_not_sent_to_the_next_address(house: House) -> None:
    """The first one has heard it and is silent: nobody else hears it."""
    book = Book(["127.0.0.3", LISTED])

    async def ask() -> None:
        """Call a name with two addresses, of which the first hangs up."""

        async def hang_up(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            """Read, and go away."""
            await reader.read(10)
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.3", house.port)
        egress = Egress(
            Bounds(5, 1_000, (net("127.0.0.0/8"),)), None, book.look_up
        )
        url = f"http://two.example:{house.port}/"
        async with server:
            with pytest.raises(OutgoingFailed) as failure:
                await egress.send(Call("GET", url))
        assert not isinstance(failure.value, NotSent)

    asyncio.run(ask())
    assert house.asked == {LISTED: [], INSIDE: []}


def test_another_end_is_left_before_anything_is_sent() -> None:
    """Whoever else has answered learns nothing."""

    class Stream:
        """A connection to another address than was called."""

        was_closed = False

        def get_extra_info(self, name: str) -> object:
            """Return where it leads."""
            assert name == "server_addr"
            return ("10.0.0.1", 80)

        async def aclose(self) -> None:
            """Close it."""
            self.was_closed = True

    trip, stream = Trip(), Stream()
    trip.address = ipaddress.ip_address(LISTED)
    told = {"return_value": stream}
    with pytest.raises(httpx.ConnectError):
        asyncio.run(trip.trace("connection.connect_tcp.complete", told))
    assert stream.was_closed
    assert isinstance(trip.failure("x"), NotSent)


def test_a_name_that_nobody_knows() -> None:
    """Nothing was sent, and it may be known the next time."""

    async def look_up(host: str, port: int) -> Sequence[str]:
        """Know nothing."""
        raise OSError(host, port)

    with pytest.raises(NotSent) as refusal:
        send("http://nobody.example/", look_up)
    assert refusal.value.may_retry


def test_a_slow_name_costs_no_more_than_the_call() -> None:
    """The time of the whole is the time of its parts together."""

    async def look_up(host: str, port: int) -> Sequence[str]:
        """Think for ever."""
        await asyncio.Event().wait()
        return [host, str(port)]

    with pytest.raises(NotSent, match=r"0\.05 s"):
        send("http://slow.example/", look_up, seconds=0.05)


def test_a_silent_server_may_have_heard() -> None:
    """Once it was sent, no time-out says that it did not arrive."""

    async def ask() -> None:
        """Call a server that never answers."""
        done = asyncio.Event()

        async def be_silent(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            """Read, and say nothing."""
            await reader.read(10)
            await done.wait()
            writer.close()

        server = await asyncio.start_server(be_silent, INSIDE, 0)
        port = server.sockets[0].getsockname()[1]
        egress = Egress(Bounds(0.2, 1_000, (net("127.0.0.0/8"),)))
        try:
            with pytest.raises(OutgoingFailed) as failure:
                await egress.send(Call("GET", f"http://{INSIDE}:{port}/"))
            assert not isinstance(failure.value, NotSent)
        finally:
            done.set()
            server.close()
            await server.wait_closed()

    asyncio.run(ask())


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[int, Path, list[str]]]:
    """Return a TLS server of jobs.example: its port, certificate, guests."""
    file = certify(tmp_path, "jobs.example")
    asked: list[str] = []
    door = type("One", (Door,), {"asked": asked})
    server = ThreadingHTTPServer((INSIDE, 0), door)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port, file, asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_tls_proves_the_name_and_not_the_address(
    secure: tuple[int, Path, list[str]],
) -> None:
    """The address is called, and the certificate must be of the name."""
    port, file, asked = secure
    book, context = Book([INSIDE]), trust(str(file))
    url = f"https://jobs.example:{port}/"
    said = send(url, book.look_up, INSIDE, context=context)
    assert said.status == 200
    with pytest.raises(NotSent, match="certificate"):
        send(
            f"https://evil.example:{port}/",
            book.look_up,
            INSIDE,
            context=context,
        )
    with pytest.raises(NotSent, match="certificate"):
        send(url, book.look_up, INSIDE)
    assert len(asked) == 1
