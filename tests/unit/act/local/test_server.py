"""The executor's process: who may ask it, what, and what harms it not."""

import contextlib
import grp
import os
import resource
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from app.act.local.client import Client
from app.act.local.server import MOST_LEAVING, MOST_LINES, listening
from app.act.local.wire import MOST_ASKED
from app.core.errors import NotAccepted
from app.models.job import JobState
from tests.unit.act.backends.making import order
from tests.unit.act.local.stands import (
    HandsProcess,
    run_as,
    running,
    wait_for,
)
from tests.unit.act.local.trick import count_starts

NOBODY = 65_534
KEY = "sj-1-abc"
as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root may take on other users"
)


@pytest.fixture(scope="module")
def hands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandsProcess]:
    """Return one executor's process for all that it must survive."""
    folder = tmp_path_factory.mktemp("hands")
    with running(folder, concurrency=64) as process:
        yield process
        assert process.runs()


def say(file: Path, data: bytes, *, is_all: bool = True) -> bytes:
    """Return what is answered to some bytes."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(str(file))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            line.sendall(data)
            if is_all:
                line.shutdown(socket.SHUT_WR)
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := line.recv(65_536):
                said += chunk
        return said


def call(what: object = "start", **more: Any) -> dict[str, Any]:
    """Return a call as the client writes it."""
    written = msgspec.to_builtins(order("later", more.pop("key", KEY)))
    by = more.pop("by", time.monotonic() + 30)
    return {"call": what, "order": {**written, **more}, "by": by}


def line(value: object) -> bytes:
    """Return a value as one line."""
    return msgspec.json.encode(value) + b"\n"


def works(hands: HandsProcess, key: str) -> None:
    """Prove that it still does what is right."""
    client = Client(hands.socket)
    client.start(order("later", key))
    wait_for(lambda: client.watch(order("later", key)).has_ended)
    said = client.watch(order("later", key))
    assert said.state is JobState.SUCCEEDED
    assert said.output == "line 1\nline 2\n"


@pytest.mark.parametrize(
    "asked",
    [
        b"\n",
        b"{}\n",
        b"null\n",
        b"\xff\xfe\x00\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"[" * 50_000 + b"\n",
        b"[" * 20_000 + b"]" * 20_000 + b"\n",
        line(call("shell")),
        line(call(None)),
        line({**call(), "and": "more"}),
        line(call(command="rm -rf /")),
        line(call(seconds=0)),
        line(call(seconds=10**9)),
        line(call(seconds="5")),
        line(call(key=["a"])),
        line(call(arguments={"host": ["a"]})),
        line(call(name="x" * 3_000)),
        line({"call": "start", "order": {}}),
        line(call(by="soon")),
        b"x" * (MOST_ASKED + 1) + b"\n",
        b"x" * 5_000_000,
        line(call(target="y" * MOST_ASKED)),
    ],
)
def test_what_is_no_typed_order_is_refused(
    hands: HandsProcess, asked: bytes
) -> None:
    """It is told why, nothing is started, and others are served."""
    said = msgspec.json.decode(say(hands.socket, asked))
    assert set(said) == {"refused"}
    assert said["refused"].startswith("that is")
    assert count_starts(hands.folder, KEY) == 0


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (call(name="format-disk"), "not allowed"),
        (call(key="../../x"), "the key is none"),
        (call(arguments={"host": "a"}), "the arguments are wrong"),
        (call(by=0.0), "too late"),
    ],
)
def test_an_order_that_may_not_be_is_refused(
    hands: HandsProcess, asked: Any, says: str
) -> None:
    """The executor has its own list, whatever the other end thinks."""
    # It was written when the tests were collected: a while ago.
    by = asked["by"] and time.monotonic() + 30
    said = msgspec.json.decode(say(hands.socket, line({**asked, "by": by})))
    assert says in said["refused"]
    assert count_starts(hands.folder, KEY) == 0


def test_half_a_line_is_no_order(hands: HandsProcess) -> None:
    """Who hangs up in the middle has asked for nothing."""
    whole = line(call(key="sj-half"))
    for end in (1, len(whole) // 2, len(whole) - 1):
        assert say(hands.socket, whole[:end]) == b""
    assert Client(hands.socket).find(order("later", "sj-half")) is None
    works(hands, "sj-after-halves")


def test_only_one_line_is_read(hands: HandsProcess) -> None:
    """A second call in the same breath is not carried out."""
    two = line(call("find", key="sj-none")) + line(call(key="sj-second"))
    said = say(hands.socket, two)
    assert msgspec.json.decode(said) == {"missing": True}
    assert Client(hands.socket).find(order("later", "sj-second")) is None


def test_silence_is_not_listened_to_for_ever(hands: HandsProcess) -> None:
    """Who says nothing, or too slowly, is hung up on."""
    silent = partial(say, hands.socket, is_all=False)
    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(silent, [b"", b'{"call"'])) == {b""}


def test_a_thousand_connections_do_no_harm(hands: HandsProcess) -> None:
    """Too many are turned away at once; soon others are served again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))
    before = psutil.Process(hands.pid).num_threads()
    try:
        with contextlib.ExitStack() as stack:
            for _ in range(1_000):
                one = stack.enter_context(socket.socket(socket.AF_UNIX))
                wait_for(partial(_connects, one, hands.socket))
            # All thousand are still there at this end.
            most = MOST_LINES + MOST_LEAVING + 50
            wait_for(lambda: psutil.Process(hands.pid).num_fds() < most)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    works(hands, "sj-after-thousand")
    assert psutil.Process(hands.pid).num_threads() < before + MOST_LINES


def _connects(one: socket.socket, file: Path) -> bool:
    """Connect; tell whether there was room in the queue."""
    with contextlib.suppress(BlockingIOError):
        one.settimeout(30)
        one.connect(str(file))
        return True
    return False


def test_one_too_many_is_told_so(tmp_path: Path) -> None:
    """It was certainly not started, and may come again."""
    with running(tmp_path) as hands, contextlib.ExitStack() as stack:
        for _ in range(MOST_LINES):
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            wait_for(partial(_connects, one, hands.socket))
        with pytest.raises(NotAccepted, match="too many ask") as refusal:
            Client(hands.socket).start(order("later"))
        assert refusal.value.may_retry
        stack.close()
        works(hands, KEY)


def test_who_does_not_read_keeps_nobody(hands: HandsProcess) -> None:
    """Those who ask and do not listen block nobody."""
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            one.settimeout(30)
            one.connect(str(hands.socket))
            one.sendall(line(call("find", key="sj-none")))
        works(hands, "sj-after-deaf")


def test_the_socket_is_for_few(hands: HandsProcess) -> None:
    """Neither can strangers connect, nor read what is kept."""
    # What is kept is there from the first order on.
    works(hands, "sj-few")
    assert stat.S_IMODE(hands.socket.stat().st_mode) == 0o660
    assert stat.S_IMODE(hands.journal.stat().st_mode) == 0o700


def ask_as(user: int, file: Path) -> str:
    """Return what another user is answered."""
    script = (
        "s = socket.socket(socket.AF_UNIX);"
        "s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode());"
        "print(s.makefile().readline())"
    )
    asked = line(call("find", key="sj-none")).decode()
    done = run_as(user, "import socket, sys", script, str(file), asked)
    return done.stdout.strip()


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that other users can go into."""
    folder = Path("/tmp") / f"hands-{os.getpid()}-{tmp_path.name[-20:]}"
    folder.mkdir()
    folder.chmod(0o777)
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


@as_root
def test_only_listed_users_are_heard(open_folder: Path) -> None:
    """The kernel says who asks; a socket open to all changes nothing."""
    hands = HandsProcess(open_folder)
    try:
        hands.start("--for", "nobody")
        hands.socket.chmod(0o666)
        assert ask_as(NOBODY, hands.socket) == '{"missing":true}'
        assert "may not ask here" in ask_as(NOBODY - 1, hands.socket)
        assert Client(hands.socket).find(order("later")) is None
    finally:
        hands.kill()


@as_root
def test_without_a_name_only_its_own_user_is_heard(open_folder: Path) -> None:
    """Nobody is let in by chance, not even one who can connect."""
    hands = HandsProcess(open_folder)
    try:
        hands.start()
        hands.socket.chmod(0o666)
        assert "may not ask here" in ask_as(NOBODY, hands.socket)
    finally:
        hands.kill()


def test_a_group_that_is_right_needs_no_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket has it already: then nothing is asked of the system."""

    def refuse(*_: object) -> None:
        """Do as a system that forbids it."""
        raise PermissionError

    own = grp.getgrgid(os.getegid()).gr_name
    monkeypatch.setattr(os, "chown", refuse)
    with listening(tmp_path / "a.sock", own):
        assert (tmp_path / "a.sock").stat().st_gid == os.getegid()
    other = next(one for one in grp.getgrall() if one.gr_gid != os.getegid())
    with (
        pytest.raises(PermissionError),
        listening(tmp_path / "b.sock", other.gr_name),
    ):
        pass
