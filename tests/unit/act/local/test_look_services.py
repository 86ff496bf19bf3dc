"""host/look.py at what a host serves: certificates, containers, listeners."""

import runpy
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import AF_UNIX, create_server, socket
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from app.act.local.look.der import read_certificate
from tests.unit.act.local.rounds import write
from tests.unit.act.local.test_probes_certificates import in_days, make
from tests.unit.act.local.test_probes_engines import Answers, engine
from tests.unit.act.local.test_probes_machines import HEAD, NOBODY, row

LOOK = Path(__file__).parents[4] / "host" / "look.py"


class Part:
    """One part of the look, alone and in this process.

    Attributes:
        known: what the file is made of, as its functions see it.
        lines: what it said.
        odd: what stands out, the worst first.
    """

    def __init__(
        self, name: str, service: str = "", **instead: object
    ) -> None:
        """Look, with other bounds and places than the usual ones."""
        found = runpy.run_path(str(LOOK))
        attempt: Callable[..., None] = found["attempt"]
        self.known: dict[str, Any] = attempt.__globals__
        self.known |= instead
        notes = found["Notes"]()
        attempt(name, notes, service)
        self.lines: list[str] = notes.lines
        odd = sorted(notes.odd, key=lambda one: -one[0])
        self.odd: list[str] = [text for _, text in odd]


def test_certificates_of_files_that_run_out_stand_out(tmp_path: Path) -> None:
    """The first one first; keys and bundles are left alone."""
    for name, days in (("old", -3), ("soon", 2.5), ("good", 300.5)):
        (tmp_path / f"{name}.pem").write_bytes(make(in_days(days), name)[0])
    pem, key = make(in_days(1), "never read")
    (tmp_path / "server-key.pem").write_bytes(key + pem)
    (tmp_path / "bundle.crt").write_bytes(pem * 10)
    (tmp_path / "torn.crt").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n")
    said = Part("certificates", FOLDERS=(str(tmp_path),), TLS_PORTS=())
    places = [one.replace(str(tmp_path), "") for one in said.odd]
    assert places == [
        "certificate /old.pem (old) ran out 3.0 days ago",
        "certificate /soon.pem (soon) runs out in 2.5 days",
    ]
    assert any("(good) runs out in 300.5 days" in one for one in said.lines)
    assert any("torn.crt: not readable: " in one for one in said.lines)
    assert not any("never read" in one for one in said.lines)


@pytest.mark.parametrize(
    ("days", "name"), [(90, "web1.example"), (20_000, "müller"), (9, "")]
)
def test_a_certificate_is_read_as_here(days: int, name: str) -> None:
    """The two readers agree, and one that is cut is no certificate."""
    raw = ssl.PEM_cert_to_DER_cert(make(in_days(days), name)[0].decode())
    read = runpy.run_path(str(LOOK))["certificate"]
    known = read_certificate(raw)
    left, what = read(raw, "x")
    assert time.time() + left == pytest.approx(known.until.timestamp(), abs=5)
    assert what == f"x ({known.name or 'without a name'})"
    for count in range(len(raw)):
        with pytest.raises(ValueError, match="no certificate"):
            read(raw[:count], "x")
    for at in range(len(raw)):
        with suppress(ValueError):
            read(raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :], "x")


def test_without_ssl_it_says_so() -> None:
    """A small Python may have none."""
    assert Part("certificates", ssl=None).lines == [
        "not readable: this Python has no ssl"
    ]


def test_containers_that_are_not_well_come_with_reasons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the probe of this machine says it, with the end of the log."""
    with engine(Answers) as root:
        place = f"unix://{root}/run/docker.sock"
        monkeypatch.setenv("DOCKER_HOST", place)
        said = Part("containers")
    assert said.lines == [
        "mailer (mailer:4): Restarting (137) 3 seconds ago",
        "job (job:1): Exited (0) 2 days ago",
        "web (web:7): Up 3 hours (healthy)",
        *said.odd,
        "  cannot connecttoken",
    ]
    assert said.odd == [
        (
            "container mailer is Restarting (137) 3 seconds ago: exit code"
            " 137, ended for want of memory, restarted 41 times"
        )
    ]


def test_no_engine_is_no_list_of_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can be asked, nothing is said about containers."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    said = Part("containers", ENGINES=())
    assert said.lines == ["not readable: no container engine here"]


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (403, b"", "the container engine answers 403"),
        (200, b"{}", "it says what is not known here"),
        (200, b"[1]", "it says what is not known here"),
    ],
)
def test_an_engine_that_answers_otherwise_is_told(
    monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, what: str
) -> None:
    """It refuses, or speaks of something else: no list is made up."""

    class Other(Answers, BaseHTTPRequestHandler):
        """Answers the same to everything."""

        def do_GET(self) -> None:
            """Answer."""
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

    with engine(Other) as root:
        place = f"unix://{root}/run/docker.sock"
        monkeypatch.setenv("DOCKER_HOST", place)
        said = Part("containers")
    assert said.lines == [f"not readable: {what}"]


def test_an_engine_that_hangs_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes the call and never answers."""
    with TemporaryDirectory() as folder, socket(AF_UNIX) as server:
        server.bind(f"{folder}/e.sock")
        server.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/e.sock")
        said = Part("containers", ENGINE_SECONDS=0.2)
    assert said.lines == [
        "not readable: the container engine did not answer in time"
    ]


def test_listeners_are_called() -> None:
    """One that answers, one whose queue is full, one behind a wall."""
    with create_server(("127.0.0.1", 0)) as well, full() as hung:
        with create_server(("127.0.0.1", 0)) as gone:
            closed = gone.getsockname()[1]
        places = [("127.0.0.1", p) for p in (port_of(well), hung, closed)]
        places.append(("10.0.0.10", 3306))
        said = Part("listeners", listeners=lambda: places, CALL_SECONDS=0.3)
    first, *rest = said.lines
    assert first.startswith(f"{spelt(places[0])}: connected in ")
    assert rest == [
        f"{spelt(places[1])}: not connected in 0 s",
        f"{spelt(places[2])}: refused: it listens all the same",
    ]
    assert said.odd == [
        f"{spelt(places[1])} does not accept connections",
        f"{spelt(places[2])} listens and refuses connections",
    ]


def port_of(server: socket) -> int:
    """Return where somebody listens."""
    port: int = server.getsockname()[1]
    return port


def spelt(place: tuple[str, int]) -> str:
    """Return where somebody listens as it is said."""
    return f"{place[0]} port {place[1]}"


@contextmanager
def full() -> Iterator[int]:
    """Lend the port of one that takes nobody: its queue is full."""
    with ExitStack() as stack:
        server = stack.enter_context(create_server(("127.0.0.1", 0)))
        server.listen(0)
        for _ in range(3):
            caller = stack.enter_context(socket())
            caller.settimeout(0)
            caller.connect_ex(server.getsockname())
        yield port_of(server)


def test_connections_of_servers_are_counted_by_state(tmp_path: Path) -> None:
    """By port and side; what is not closed, or not answered, stands out."""
    here, there = "0100007F:1538", "0A00000A:18EB"
    rows = [row(here, "0B00000A:C350", "01")] * 90
    rows += [row(here, NOBODY, "0A"), row("0100007F:C351", NOBODY, "0A")]
    rows += [row("0B00000A:C352", there, "02")] * 3
    rows += [row("0B00000A:C353", there, "08")] * 50
    write(tmp_path, "tcp", HEAD + "".join(rows))
    real: Callable[..., str] = runpy.run_path(str(LOOK))["read"]

    def read(path: str, *most: int) -> str:
        """Return another table of connections."""
        instead = {"/proc/net/tcp": tmp_path / "tcp"}
        return real(str(instead.get(path, "/dev/null")), *most)

    said = Part("connections", read=read)
    assert said.lines == [
        "PostgreSQL (port 5432): 90 ESTABLISHED, 1 LISTEN",
        "Redis (10.0.0.10 6379): 50 CLOSE_WAIT, 3 SYN_SENT",
    ]
    assert said.odd == [
        "Redis (10.0.0.10 6379) does not answer 3 callers of this machine",
        "Redis (10.0.0.10 6379): 50 connections are not closed",
        "PostgreSQL (port 5432) has 90 connections",
    ]
