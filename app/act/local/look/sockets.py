"""Sockets: the TCP connections of this machine, as /proc/net says them."""

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from app.act.local.look.lens import Lens

MOST_BYTES = 16_000_000
STATES = {
    "01": "ESTABLISHED",
    "02": "SYN_SENT",
    "03": "SYN_RECV",
    "04": "FIN_WAIT1",
    "05": "FIN_WAIT2",
    "06": "TIME_WAIT",
    "07": "CLOSE",
    "08": "CLOSE_WAIT",
    "09": "LAST_ACK",
    "0A": "LISTEN",
    "0B": "CLOSING",
}


class Socket(msgspec.Struct, frozen=True, gc=False):
    """One end of a connection, or one that waits for some.

    Attributes:
        address: its own address.
        port: its own port.
        peer: the other address.
        peer_port: the other port.
        state: what TCP calls it.
        waiting: bytes that nobody has read; of a listener: connections
            that nobody has accepted.
    """

    address: str
    port: int
    peer: str
    peer_port: int
    state: str
    waiting: int


def read_sockets(lens: Lens) -> Iterator[Socket]:
    """Yield them, or raise OSError when they cannot be read."""
    yield from _read(lens.text("proc/net/tcp", MOST_BYTES))
    # A machine may have no IPv6.
    with suppress(FileNotFoundError):
        yield from _read(lens.text("proc/net/tcp6", MOST_BYTES))


def _read(text: str) -> Iterator[Socket]:
    """Yield the sockets of one table; a line that is cut is left out."""
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 10:
            continue
        address, port = _end(words[1])
        peer, peer_port = _end(words[2])
        waiting = int(words[4].partition(":")[2], 16)
        state = STATES.get(words[3], words[3])
        yield Socket(address, port, peer, peer_port, state, waiting)


def _end(text: str) -> tuple[str, int]:
    """Return an address and a port as people write them."""
    address, _, port = text.partition(":")
    raw = bytes.fromhex(address)
    count = len(raw) // 4
    # The kernel writes each word of four bytes in the machine's own order.
    packed = struct.pack(f">{count}I", *struct.unpack(f"={count}I", raw))
    family = socket.AF_INET if count == 1 else socket.AF_INET6
    return socket.inet_ntop(family, packed), int(port, 16)


def reachable(one: Socket) -> str:
    """Return the address at which a listener is reached from here."""
    if one.address == "0.0.0.0":  # noqa: S104 it is read, not bound
        return "127.0.0.1"
    return "::1" if one.address == "::" else one.address
