"""What answers as supervisor and is none, or is one in trouble."""

import xmlrpc.client
from pathlib import Path
from typing import Any

import pytest

from app.core.errand import Errand
from app.core.errors import NotAccepted, OutgoingFailed
from app.core.supervisor import TAIL_BYTES, Supervisor
from app.core.warden import Standing, State
from tests.unit.core.nearby_server import saying, silence, speaking

SHOP = {"name": "shop", "group": "shop", "statename": "RUNNING", "pid": 7,
        "start": 100, "now": 160, "description": "pid 7"}  # fmt: skip
# What a document declares of itself could be used ever so often in it.
DECLARED = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>\n<methodResponse>'


def written(value: Any) -> bytes:
    """Return an answer as supervisord writes it."""
    return xmlrpc.client.dumps((value,), methodresponse=True).encode()


def look(
    folder: Path, body: bytes, status: str = "200 OK", name: str = "shop"
) -> Standing | None:
    """Return what is made of an answer."""
    file = folder / "s.sock"
    file.unlink(missing_ok=True)
    with speaking(file, saying(body, status)) as heard:
        found = Supervisor(f"unix://{file}").look(name, 20)
    (request,) = heard
    assert request.startswith(b"POST /RPC2 HTTP/1.1\r\n")
    assert b"supervisor.getAllProcessInfo" in request
    return found


@pytest.mark.parametrize(
    ("more", "state", "says"),
    [
        ({}, State.ACTIVE, "shop is RUNNING: pid 7"),
        ({"statename": "STARTING"}, State.STARTING, "shop is STARTING"),
        ({"statename": "BACKOFF", "spawnerr": "Exited too quickly"},
         State.STARTING, "shop is BACKOFF: Exited too quickly"),
        ({"statename": "STOPPING"}, State.STARTING, "shop is STOPPING"),
        ({"statename": "STOPPED"}, State.INACTIVE, "shop is STOPPED"),
        ({"statename": "FATAL"}, State.FAILED, "shop is FATAL"),
        ({"statename": "EXITED", "exitstatus": 1}, State.FAILED,
         "shop is EXITED"),
        ({"statename": "EXITED"}, State.INACTIVE, "shop is EXITED"),
        ({"statename": "UNKNOWN"}, State.UNKNOWN, "shop is UNKNOWN"),
        ({"statename": "SOMETHING"}, State.UNKNOWN, "shop is SOMETHING"),
    ],
)  # fmt: skip
def test_a_state_of_supervisor_means(
    tmp_path: Path, more: dict[str, Any], state: State, says: str
) -> None:
    """Running is active; what it is at is neither good nor given up."""
    found = look(tmp_path, written([{**SHOP, **more}]))
    assert found is not None
    assert found.state is state
    assert found.says.startswith(says)
    assert found.run == "7@100"
    assert found.seconds == 60


def test_a_program_that_it_does_not_keep_is_another_s(tmp_path: Path) -> None:
    """Somebody else is asked then."""
    assert look(tmp_path, written([SHOP]), name="front") is None
    assert look(tmp_path, written([])) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web", "web"),
        ("web:api", "web:api"),
        ("api", "web:api"),
        ("jobs", "jobs:one"),
        ("one", "jobs:one"),
    ],
)
def test_a_name_is_taken_as_a_whole_first(
    tmp_path: Path, name: str, expected: str
) -> None:
    """Then as a program's, then as a group's of one."""
    pairs = [("web", "web"), ("web", "api"), ("jobs", "one")]
    some = [{**SHOP, "group": group, "name": one} for group, one in pairs]
    found = look(tmp_path, written(some), name=name)
    assert found is not None
    assert found.name == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>It works!</html>",
        b"<methodResponse>",
        b"<methodResponse><params></params></methodResponse>",
        written([{**SHOP, "description": "AA"}])
        .replace(b"<methodResponse>", DECLARED)
        .replace(b"AA", b"&a;&a;"),
        b"\xff\xfe\x00",
        written("well"),
        written([{"name": "shop"}]),
        written([{**SHOP, "pid": "seven"}]),
        written([SHOP]).replace(b"<int>7<", b"<int>seven<"),
        written([SHOP]).replace(b"<int>7</int>", b"<base64>?</base64>"),
        written([SHOP])
        .replace(b"<int>", b"<what>")
        .replace(b"</int>", b"</what>"),
        b"<a>" * 50_000,
    ],
)
def test_what_is_no_supervisor_is_a_failure(
    tmp_path: Path, body: bytes
) -> None:
    """Nothing is made of it, and nothing grows."""
    with pytest.raises(OutgoingFailed, match="what answers is no supervisor"):
        look(tmp_path, body)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("401 Unauthorized", "wants another name and password"),
        ("404 Not Found", "supervisor: status 404"),
        ("302 Found", "supervisor: status 302"),
    ],
)
def test_another_status_is_a_failure(
    tmp_path: Path, status: str, why: str
) -> None:
    """It says which."""
    with pytest.raises(OutgoingFailed, match=why):
        look(tmp_path, written([SHOP]), status)


def test_a_fault_is_told_on_one_line(tmp_path: Path) -> None:
    """As it says it."""
    fault = xmlrpc.client.dumps(xmlrpc.client.Fault(6, "SHUTDOWN\n_STATE"))
    with pytest.raises(OutgoingFailed, match="says SHUTDOWN _STATE"):
        look(tmp_path, fault.encode())


def test_control_signs_of_a_log_are_no_obstacle(tmp_path: Path) -> None:
    """They stand in what should be XML, as supervisord writes them."""
    file = tmp_path / "s.sock"
    standing = Standing(name="shop", warden="supervisor",
                        state=State.ACTIVE, says="")  # fmt: skip
    with speaking(file, saying(written("a\x1b[31m\x00b\n\nc\x07"))):
        found = Supervisor(f"unix://{file}").tail(standing, 2, 20)
    assert found == ("stderr: a[31mb", "stderr: c")


def test_a_log_begins_with_a_whole_line(tmp_path: Path) -> None:
    """Only its end is read: that may begin within a secret."""
    lines = "\n".join(f"line {n:02} {'x' * 1_000}" for n in range(30))
    torn = f"et-of-ours\n{lines}".rjust(TAIL_BYTES, "x")
    standing = Standing(name="shop", warden="supervisor",
                        state=State.ACTIVE, says="")  # fmt: skip
    for text, first in ((torn, "line"), ("short", "short")):
        file = tmp_path / f"{first}.sock"
        with speaking(file, saying(written(text))):
            found = Supervisor(f"unix://{file}").tail(standing, 200, 20)
        assert found[0].startswith(f"stderr: {first}")
        assert "of-ours" not in " ".join(found)


def test_one_that_hangs_did_nothing(tmp_path: Path) -> None:
    """It was only asked by then."""
    standing = Standing(name="shop", warden="supervisor",
                        state=State.ACTIVE, says="")  # fmt: skip
    file = tmp_path / "s.sock"
    with speaking(file, silence) as heard:
        supervisor = Supervisor(f"unix://{file}")
        with pytest.raises(OutgoingFailed, match=r"not answer in 0\.3 s"):
            supervisor.look("shop", 0.3)
        assert len(heard) == 1
    with pytest.raises(NotAccepted, match="does not answer"):
        supervisor.restart(standing, Errand())
