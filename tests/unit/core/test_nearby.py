"""Calls to servers that are near: each has an end and a cap."""

import socket
from pathlib import Path
from threading import Event

import pytest

from app.core.errors import NotSent, OutgoingFailed
from app.core.nearby import Address, Answer, Call, call_near
from tests.programs import free_port
from tests.unit.core.nearby_server import (
    Speak,
    saying,
    silence,
    speaking,
    trickling,
)

HEAD = b"HTTP/1.1 200 OK\r\n"


def ask(folder: Path, seconds: float = 20.0, most: int = 1_000) -> Answer:
    """Return what the server of a folder answers."""
    address = Address(file=str(folder / "s.sock"))
    return call_near(address, Call(path="/x?y=1"), seconds, most)


def test_an_answer_comes_back_whatever_its_status(tmp_path: Path) -> None:
    """One request on one connection."""
    with speaking(tmp_path / "s.sock", saying(b"no", "404 Gone")) as heard:
        assert ask(tmp_path) == Answer(404, b"no")
    (request,) = heard
    assert request.startswith(b"GET /x?y=1 HTTP/1.1\r\nHost: localhost\r\n")


def test_a_body_and_headers_are_sent(tmp_path: Path) -> None:
    """As they are."""
    call = Call(method="POST", path="/", body=b"hi", headers={"a": "b"})
    address = Address(file=str(tmp_path / "s.sock"))
    with speaking(tmp_path / "s.sock", saying(b"")) as heard:
        assert call_near(address, call, 20) == Answer(200, b"")
    (request,) = heard
    assert b"\r\na: b\r\n" in request
    assert request.startswith(b"POST / HTTP/1.1\r\n")


def test_no_redirect_is_followed(tmp_path: Path) -> None:
    """The answer is that there is one."""
    body = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n"

    def speak(caller: socket.socket, is_over: Event) -> None:
        """Lead elsewhere."""
        del is_over
        caller.sendall(body)

    with speaking(tmp_path / "s.sock", speak) as heard:
        assert ask(tmp_path).status == 302
    assert len(heard) == 1


def test_proxies_of_the_environment_are_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody listens there; the refusal comes from the address itself."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    port = free_port()
    address = Address(host="127.0.0.1", port=port)
    with pytest.raises(NotSent, match=rf"127\.0\.0\.1:{port} does not"):
        call_near(address, Call(path="/"), 5)


@pytest.mark.parametrize(
    "speak",
    [
        silence,
        trickling(b"H"),
        trickling(b"x-a: b", HEAD),
        trickling(b" "),
    ],
    ids=["silence", "status", "headers", "blanks"],
)
def test_what_takes_too_long_is_cut(tmp_path: Path, speak: Speak) -> None:
    """However little comes, and however often."""
    with (
        speaking(tmp_path / "s.sock", speak),
        pytest.raises(OutgoingFailed, match=r"did not answer in 0\.4 s"),
    ):
        ask(tmp_path, 0.4)


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"content-length: 900\r\n\r\n",
        HEAD + b"connection: close\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n",
    ],
    ids=["length", "close", "chunked"],
)
def test_a_body_that_takes_too_long_is_cut(
    tmp_path: Path, head: bytes
) -> None:
    """What came until then is no answer."""
    with (
        speaking(tmp_path / "s.sock", trickling(b"x", head)),
        pytest.raises(OutgoingFailed, match=r"did not answer in 0\.4 s"),
    ):
        ask(tmp_path, 0.4)


def test_an_answer_that_is_too_long_is_none(tmp_path: Path) -> None:
    """It is not read to its end."""
    with (
        speaking(tmp_path / "s.sock", saying(b"x" * 1_001)),
        pytest.raises(OutgoingFailed, match="says too much"),
    ):
        ask(tmp_path)
    (tmp_path / "s.sock").unlink()
    with speaking(tmp_path / "s.sock", saying(b"x" * 1_000)):
        assert len(ask(tmp_path).body) == 1_000


@pytest.mark.parametrize(
    "said",
    [b"", b"\xff\xfe\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n",
     HEAD + b"a" * 70_000, HEAD + b"a: b\r\n" * 200,
     HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n"],
)  # fmt: skip
def test_what_is_no_http_is_a_failure(tmp_path: Path, said: bytes) -> None:
    """Whoever listens there."""

    def speak(caller: socket.socket, is_over: Event) -> None:
        """Say it, and hang up."""
        del is_over
        caller.sendall(said)

    with (
        speaking(tmp_path / "s.sock", speak),
        pytest.raises(OutgoingFailed, match="does not answer") as told,
    ):
        ask(tmp_path)
    assert not isinstance(told.value, NotSent)


def test_where_nobody_listens_nothing_was_sent(tmp_path: Path) -> None:
    """It says where it asked."""
    with pytest.raises(NotSent, match=r"s\.sock does not answer: No such"):
        ask(tmp_path)
    with pytest.raises(NotSent, match="does not answer"):
        call_near(Address(file="x" * 500), Call(path="/"), 5)
