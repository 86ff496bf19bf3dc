"""What a host serves, looked at by Ansible itself: real servers of it."""

import random
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from socket import create_server, socket

import psycopg
import pytest

from app.models.evidence import read_stands_out
from app.models.job import JobState
from tests.postgres import Postgres
from tests.unit.act.backends.making import on_a_loop, order
from tests.unit.act.backends.stands import need_ansible, private_data
from tests.unit.act.backends.test_ansible import (
    HOME,
    PLAYBOOK,
    ansible,
    played,
)
from tests.unit.act.local.test_probes_certificates import in_days, make

# The usual ports of some servers that the look knows, one of which is free.
KNOWN = {5432: "PostgreSQL", 6432: "PgBouncer", 26257: "CockroachDB"}
TLS_PORT, SILENT_PORT = 8443, 8883
CALLERS = 3
HINTS = {"service": "shop@1"}
ENGINES = (Path("/run/docker.sock"), Path("/run/podman/podman.sock"))


def bind(port: int) -> socket:
    """Listen at an address of this machine that nobody else has chosen."""
    parts = ".".join(str(random.randint(1, 250)) for _ in range(3))
    return create_server((f"127.{parts}", port))


def usual_port() -> int:
    """Return the usual port of a database that is free on this machine."""
    for port in KNOWN:
        with suppress(OSError), create_server(("127.0.0.1", port)):
            return port
    pytest.skip("all usual ports of databases are taken here")


@contextmanager
def shop(folder: Path, days: float) -> Iterator[tuple[str, int]]:
    """Run a server that speaks TLS to everybody; where it listens."""
    pem, key = make(in_days(days), "shop.example")
    file = folder / "both.pem"
    file.write_bytes(pem + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    over = threading.Event()
    with bind(TLS_PORT) as server:
        server.settimeout(0.1)

        def speak() -> None:
            """Shake hands with one after the other."""
            while not over.is_set():
                with suppress(OSError):
                    plain, _ = server.accept()
                    plain.settimeout(5)
                    with plain:
                        context.wrap_socket(plain, server_side=True).close()

        thread = threading.Thread(target=speak)
        thread.start()
        try:
            yield server.getsockname()
        finally:
            over.set()
            thread.join()


@contextmanager
def database() -> Iterator[int]:
    """Run a PostgreSQL that some are connected to; its port."""
    server = Postgres()
    server.port = usual_port()
    with server, ExitStack() as stack:
        url = server.make_database("shop")
        for _ in range(CALLERS):
            stack.enter_context(closing(psycopg.connect(url)))
        yield server.port


@on_a_loop
async def test_what_a_host_serves(tmp_path: Path) -> None:
    """Its certificate, its database, its listeners, its containers."""
    need_ansible()
    private = private_data(tmp_path)
    for file in (HOME / "host/look.py", HOME / "host/ansible" / PLAYBOOK):
        shutil.copy(file, private / "project")
    job = {
        "playbook": PLAYBOOK,
        "extravars": {"topic": "topic", "about_service": "service"},
        "shows": "stdout",
    }
    backend = ansible(tmp_path, private, jobs={"diagnostics": job})
    told = {"host": "web-01", "topic": "general"}
    with shop(tmp_path, 2.5) as well, bind(SILENT_PORT) as mute:
        silent = mute.getsockname()
        with database() as port:
            end, output = await played(
                backend, order("diagnostics", arguments=told, hints=HINTS)
            )
    assert end.state is JobState.SUCCEEDED, output
    # What the alert is about goes along as one word.
    assert "\n## service shop@1\n" in output
    assert (
        f"certificate tls {spell(well)} (shop.example) runs out in 2.5 days"
        in read_stands_out(output)
    ), output
    found = dict(part.split("\n", 1) for part in output.split("\n## ")[1:])
    assert f"tls {spell(silent)}: not readable: " in found["certificates"]
    for place in (well, silent, ("127.0.0.1", port)):
        assert f"{spell(place)}: connected in " in found["listeners"]
    name = f"{KNOWN[port]} (port {port}): "
    assert f"{name}{CALLERS} ESTABLISHED, 1 LISTEN" in found["connections"]
    if not any(one.is_socket() for one in ENGINES):
        told_of = found["containers"].strip()
        assert told_of == "not readable: no container engine here"


def spell(place: tuple[str, int]) -> str:
    """Return where somebody listens as the look says it."""
    return f"{place[0]} port {place[1]}"
