"""The executor as a real process, and what loses an answer of it."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, Self

from tests.unit.act.local.trick import settings_of

HOME = Path(__file__).parents[4]
START_SECONDS = 60.0
USER = "HANDS_TEST_USER"
TRICKS = ("later", "lose", "endless", "busy")


def wait_for(is_so: Callable[[], object], seconds: float = 20.0) -> None:
    """Return as soon as something is so; fail when it never is."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("it never came to be so")
        time.sleep(0.01)


def is_told(pipe: Path, text: bytes = b"") -> bool:
    """Write to who waits at a named pipe; False while nobody does."""
    try:
        file = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return False
    os.write(file, text)
    os.close(file)
    return True


def become(user: int) -> None:
    """Be an ordinary user from now on; there is no way back."""
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def run_as(
    user: int, imports: str, script: str, *words: str
) -> "subprocess.CompletedProcess[str]":
    """Return what a script says that runs as a user.

    It imports while it is root: another user may not read the code.
    """
    first = "from tests.unit.act.local.stands import become"
    whole = f"{imports}\n{first}\nbecome({user})\n{script}"
    return subprocess.run(
        [sys.executable, "-c", whole, *words],
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class HandsProcess:
    """A ``python -m app.act.local`` with a folder of its own."""

    def __init__(self, folder: Path, **local: Any) -> None:
        self.folder = folder
        self.socket = folder / "hands.sock"
        self.journal = folder / "hands"
        self.log = folder / "hands.log"
        self.settings = folder / "hands.json"
        tree = {
            "socket": str(self.socket),
            "allow": TRICKS,
            "folder": str(self.journal),
            "deeds": settings_of(folder, TRICKS),
            **local,
        }
        whole = {"backends": {"local": tree}, "host": {"names": ["web-01"]}}
        self.settings.write_text(json.dumps(whole))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return its process id."""
        assert self._process is not None
        return self._process.pid

    def start(self, *words: str, user: int | None = None) -> Self:
        """Start it, and return when it listens."""
        self.launch(*words, user=user)
        wait_for(lambda: self.listens() or not self.runs(), START_SECONDS)
        if not self.listens():
            raise RuntimeError(self.log.read_text()[-3000:])
        return self

    def launch(self, *words: str, user: int | None = None) -> None:
        """Start it without waiting for anything."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.unit.act.local.hands_main",
                    "--settings",
                    str(self.settings),
                    *words,
                ],
                cwd=HOME,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | ({} if user is None else {USER: str(user)}),
            )

    def runs(self) -> bool:
        """Tell whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def listens(self) -> bool:
        """Tell whether somebody takes calls."""
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(1.0)
            try:
                caller.connect(str(self.socket))
            except OSError:
                return False
        return True

    def wait(self) -> int:
        """Return its exit status once it has ended."""
        assert self._process is not None
        return self._process.wait(timeout=30)

    def stop(self) -> int:
        """End it politely."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it as a crash would."""
        return self._end(signal.SIGKILL)

    def _end(self, sign: signal.Signals) -> int:
        """Send a signal, and wait for the end."""
        if self._process is None:
            return 0
        if self.runs():
            os.kill(self.pid, sign)
        return self.wait()


class Relay:
    """A socket between both: it loses the answers to some orders."""

    def __init__(self, folder: Path, to: Path, lost: bytes) -> None:
        self.socket = folder / "relay.sock"
        self._to = str(to)
        self._lost = lost
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.socket))
        self._listener.listen(16)
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let nothing through any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _run(self) -> None:
        """Pass on one call after another."""
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with caller, socket.socket(socket.AF_UNIX) as other:
                self._pass_on(caller, other)

    def _pass_on(self, caller: socket.socket, other: socket.socket) -> None:
        """Pass on a call, and the answer unless it gets lost."""
        other.connect(self._to)
        asked = _line(caller)
        other.sendall(asked)
        said = _line(other)
        if not (self._lost in asked and b'"call":"start"' in asked):
            caller.sendall(said)


def _line(end: socket.socket) -> bytes:
    """Return one line."""
    said = b""
    while not said.endswith(b"\n"):
        chunk = end.recv(65_536)
        if not chunk:
            break
        said += chunk
    return said


@contextmanager
def running(folder: Path, **local: Any) -> Iterator[HandsProcess]:
    """Lend an executor's process, and end it."""
    hands = HandsProcess(folder, **local)
    try:
        yield hands.start()
    finally:
        hands.kill()


def settle(journal: Path) -> None:
    """Return as soon as each job has said all, but for the endless ones."""

    def is_settled() -> bool:
        """Tell whether nothing is awaited any more."""
        return all(map(_is_settled, journal.glob("*.order")))

    wait_for(is_settled)


def _is_settled(order: Path) -> bool:
    """Tell whether a job has ended, or has said what it has to say."""
    out = order.with_suffix(".out")
    if order.with_suffix(".end").exists():
        return True
    written: Mapping[str, Any] = json.loads(order.read_bytes())
    is_stopped = order.with_suffix(".stop").exists()
    has_begun = out.exists() and out.stat().st_size > 0
    return written["name"] == "endless" and has_begun and not is_stopped
