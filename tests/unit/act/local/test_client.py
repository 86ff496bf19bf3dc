"""The client: what certainly was not started, and what nobody knows."""

import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from app.act.local.client import Client
from app.core.errors import NotAccepted, OutgoingFailed
from tests.unit.act.backends.making import order
from tests.unit.act.local.stands import (
    Relay,
    running,
)
from tests.unit.act.local.test_server import say


def test_who_is_not_there_has_started_nothing(tmp_path: Path) -> None:
    """No socket, and a socket that nobody listens on."""
    for file in (tmp_path / "none", tmp_path / "dead"):
        if file.name == "dead":
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(file))
        with pytest.raises(NotAccepted) as refusal:
            Client(file).start(order("later"))
        assert refusal.value.may_retry
        for ask in (Client(file).watch, Client(file).find):
            with pytest.raises(OutgoingFailed) as failure:
                ask(order("later"))
            assert not isinstance(failure.value, NotAccepted)


def _answer(data: bytes) -> Callable[[socket.socket], None]:
    """Return what answers a caller with some bytes."""

    def answer(caller: socket.socket) -> None:
        """Hear it, and answer."""
        caller.recv(65_536)
        caller.sendall(data)

    return answer


class Liar(Relay):
    """A process that answers whatever it likes."""

    def __init__(
        self, folder: Path, answer: Callable[[socket.socket], None]
    ) -> None:
        self._say = answer
        super().__init__(folder, folder / "none", b"")

    def _pass_on(self, caller: socket.socket, other: socket.socket) -> None:
        """Answer by itself."""
        del other
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._say(caller)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\n",
        b"{}\n",
        b"[1]\n",
        b'{"progress":{"state":"perhaps"}}\n',
        b"x" * 5_000_000,
    ],
)
def test_an_answer_without_sense_says_nothing(
    tmp_path: Path, data: bytes
) -> None:
    """Nobody knows whether it was started: that is no refusal."""
    liar = Liar(tmp_path, _answer(data))
    for ask in (Client(liar.socket).start, Client(liar.socket).find):
        with pytest.raises(OutgoingFailed) as failure:
            ask(order("later"))
        assert not isinstance(failure.value, NotAccepted)
    liar.close()


def test_a_refusal_to_look_is_not_missing(tmp_path: Path) -> None:
    """Only who says that a job is missing says so."""
    liar = Liar(tmp_path, _answer(b'{"refused":"you may not"}\n'))
    with pytest.raises(OutgoingFailed, match="you may not"):
        Client(liar.socket).find(order("later"))
    liar.close()


def test_who_does_not_answer_is_given_up(tmp_path: Path) -> None:
    """Nobody knows what became of it; what comes late is not started."""
    late: list[bytes] = []

    def keep(caller: socket.socket) -> None:
        """Hear it, and say nothing until the caller has gone."""
        late.append(caller.recv(65_536))
        caller.recv(1)

    liar = Liar(tmp_path, keep)
    with pytest.raises(OutgoingFailed) as failure:
        Client(liar.socket, seconds=0.3).start(order("later"))
    assert not isinstance(failure.value, NotAccepted)
    liar.close()
    with running(tmp_path) as hands:
        said = msgspec.json.decode(say(hands.socket, late[0]))
        assert "too late" in said["refused"]
        assert Client(hands.socket).find(order("later")) is None
