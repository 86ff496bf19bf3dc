"""Clients that misbehave, on bare sockets."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.load import PATH

HEAD = f"POST {PATH} HTTP/1.1\r\nhost: smokejumper\r\n"
GET = "GET /health HTTP/1.1\r\nhost: smokejumper\r\n"
ESTABLISHED = "01"
PAUSE_SECONDS = 0.05


def request(body: bytes, *headers: str) -> bytes:
    """Return a whole request as bytes."""
    lines = [*headers, f"content-length: {len(body)}"]
    head = HEAD + "".join(f"{line}\r\n" for line in lines) + "\r\n"
    return head.encode() + body


def connect(port: int) -> socket.socket:
    """Return an open connection whose reads never wait."""
    line = socket.create_connection(("127.0.0.1", port), timeout=10)
    line.setblocking(False)
    return line


@contextmanager
def connected(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Open so many connections; close them at the end."""
    lines = [connect(port) for _ in range(count)]
    try:
        yield lines
    finally:
        for line in lines:
            line.close()


def is_closed(line: socket.socket) -> bool:
    """Tell whether the other side has ended a connection."""
    try:
        while line.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def count_open(lines: list[socket.socket], drip: bytes, seconds: float) -> int:
    """Drip bytes until all are closed or time is up; return the open ones."""
    deadline = time.monotonic() + seconds
    still = list(lines)
    while still and time.monotonic() < deadline:
        for line in still:
            _send_some(line, drip)
        still = [line for line in still if not is_closed(line)]
        time.sleep(PAUSE_SECONDS)
    return len(still)


def _send_some(line: socket.socket, content: bytes) -> int:
    """Send what can be sent at once; return how much it was."""
    try:
        return line.send(content)
    except OSError:
        return 0


def ask(port: int, content: bytes, answers: int = 1) -> bytes:
    """Send bytes, also against resistance; return the heads of answers."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        try:
            line.sendall(content)
            while found.count(b"HTTP/1.1 ") < answers:
                part = line.recv(65_536)
                if not part:
                    break
                found += part
        except ConnectionError:
            found += _rest(line)
    return found


def receive(port: int, content: bytes) -> bytes:
    """Send a request that ends the connection; return all that comes."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(content)
        while part := line.recv(65_536):
            found += part
    return found


def _rest(line: socket.socket) -> bytes:
    """Return what had arrived before the connection broke."""
    try:
        return line.recv(65_536)
    except OSError:
        return b""


def talk(port: int, parts: Iterator[bytes]) -> bytes:
    """Send parts until an answer comes; return its beginning."""
    with connected(port, 1) as (line,):
        for part in parts:
            line.settimeout(10)
            try:
                line.sendall(part)
            except ConnectionError:
                return _rest(line)
            line.setblocking(False)
            found = _peek(line)
            if found is not None:
                return found
        line.settimeout(10)
        return line.recv(65_536)


def _peek(line: socket.socket) -> bytes | None:
    """Return what has come, None when nothing has."""
    try:
        return line.recv(65_536)
    except BlockingIOError:
        return None


def push(line: socket.socket, content: bytes, most: int) -> int:
    """Send again and again without reading; stop when nobody takes it."""
    sent = 0
    idle_since = time.monotonic()
    while sent < most and time.monotonic() - idle_since < 2.0:
        taken = _send_some(line, content[sent % len(content) :])
        sent += taken
        if taken:
            idle_since = time.monotonic()
        else:
            time.sleep(PAUSE_SECONDS)
    return sent


def most_memory(pid: int) -> int:
    """Return the most memory that a process ever had, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("VmHWM is not in /proc")


def is_held(line: socket.socket) -> bool:
    """Tell whether the other side, on this machine, still has its end."""
    own, other = line.getsockname()[1], line.getpeername()[1]
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, state, *_ = row.split()
        ends = (
            int(here.partition(":")[2], 16),
            int(there.partition(":")[2], 16),
        )
        if ends == (other, own):
            return state == ESTABLISHED
    return False


def growth(pid: int, act: Callable[[], None]) -> int:
    """Return by how much the most memory rises while something is done."""
    before = most_memory(pid)
    act()
    return most_memory(pid) - before
