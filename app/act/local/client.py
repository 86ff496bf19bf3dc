"""The client: asks a process of this machine that does the jobs."""

import socket
import time
from pathlib import Path

import msgspec

from app.act.local.wire import MOST_SAID, Asked, Call, Name, Said
from app.core.errors import NotAccepted, NotHere, NotSent, OutgoingFailed
from app.models.job import Order, Progress

SECONDS = 8.0
PAUSE_SECONDS = 0.05
CHUNK_BYTES = 65_536


class Client:
    """Speaks with the executor's process over a unix socket."""

    def __init__(self, file: Path, seconds: float = SECONDS) -> None:
        """Take where it listens, and how long one call may take."""
        self._file = str(file)
        self._seconds = seconds

    def start(self, order: Order) -> Progress:
        """Start a job, or raise NotAccepted or OutgoingFailed."""
        try:
            said = self._ask("start", order)
        except NotSent as error:
            raise NotAccepted(str(error), may_retry=error.may_retry) from error
        if said.refused:
            raise NotAccepted(said.refused, may_retry=said.may_retry)
        return _progress(said)

    def watch(self, order: Order) -> Progress:
        """Return how a job goes on, or raise OutgoingFailed."""
        return _progress(self._ask("watch", order))

    def abort(self, order: Order) -> Progress:
        """Tell a job to end, or raise OutgoingFailed."""
        return _progress(self._ask("abort", order))

    def find(self, order: Order) -> Progress | None:
        """Return a job by its key, or None when it was never started.

        Raises:
            OutgoingFailed: nobody can say it now.
        """
        said = self._ask("find", order)
        return None if said.missing else _progress(said)

    def _ask(self, name: Name, order: Order) -> Said:
        """Return the answer to one call.

        Raises:
            NotSent: nothing of it was sent.
            OutgoingFailed: nobody knows what became of it.
        """
        until = time.monotonic() + self._seconds
        # One that is older than we are knows of no hints: none, none is said.
        said = {**msgspec.structs.asdict(order), "hints": order.known_hints}
        call = Call(name, Asked(**said), until)
        with self._connect(until) as line:
            try:
                line.settimeout(_left(until))
                line.sendall(msgspec.json.encode(call) + b"\n")
                answer = _read(line, until)
            except OSError as error:
                why = f"the executor did not answer: {_why(error)}"
                raise OutgoingFailed(why) from error
        try:
            return msgspec.json.decode(answer, type=Said)
        except msgspec.MsgspecError as error:
            raise OutgoingFailed("the executor makes no sense") from error

    def _connect(self, until: float) -> socket.socket:
        """Return a connection, or raise NotSent."""
        line: socket.socket | None = None
        try:
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._reach(line, until)
        except OSError as error:
            if line is not None:
                line.close()
            why = f"nobody answers at {self._file}: {_why(error)}"
            may_retry = not isinstance(error, PermissionError)
            raise NotSent(why, may_retry=may_retry) from error
        return line

    def _reach(self, line: socket.socket, until: float) -> None:
        """Connect, or raise OSError; one with a full queue is waited for."""
        while True:
            line.settimeout(_left(until))
            try:
                line.connect(self._file)
            except BlockingIOError:
                time.sleep(PAUSE_SECONDS)
            else:
                return


def _progress(said: Said) -> Progress:
    """Return how far a job is, or raise OutgoingFailed."""
    if said.missing:
        raise NotHere("it was never started here")
    if said.progress is None:
        why = said.failed or said.refused or "the executor says nothing"
        raise OutgoingFailed(why)
    return said.progress


def _read(line: socket.socket, until: float) -> bytes:
    """Return one line, or raise OSError."""
    answer = bytearray()
    while not answer.endswith(b"\n"):
        line.settimeout(_left(until))
        chunk = line.recv(CHUNK_BYTES)
        if not chunk:
            raise ConnectionResetError("it hung up")
        answer += chunk
        if len(answer) > MOST_SAID:
            raise OSError("it says too much")
    return bytes(answer)


def _left(until: float) -> float:
    """Return the seconds that are left, or raise TimeoutError."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left


def _why(error: OSError) -> str:
    """Return why a call failed, in words."""
    return error.strerror or str(error) or type(error).__name__
