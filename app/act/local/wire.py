"""The wire: what the web process and the executor's process say.

One connection carries one call: one line of JSON there, one line back.
"""

import socket
import struct
from typing import Literal

import msgspec

from app.models.job import Order, Progress

Name = Literal["start", "watch", "abort", "find"]
MOST_ASKED = 65_536
MOST_SAID = 4_194_304
MOST_SECONDS = 86_400
MOST_CHARS = 2_000
PEER = struct.Struct("3i")


class Asked(Order, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order, and nothing but an order."""


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked.

    Attributes:
        call: what to do about a job.
        order: which job.
        by: on the clock of this machine that never jumps: from then on
            nobody waits for an answer, and nothing is started any more.
    """

    call: Name
    order: Asked
    by: float


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is answered: one of these.

    Attributes:
        progress: how far the job is.
        refused: why it was certainly not started.
        may_retry: whether the same may be asked once more.
        failed: why nobody can say.
        missing: whether a job was never started.
    """

    progress: Progress | None = None
    refused: str = ""
    may_retry: bool = False
    failed: str = ""
    missing: bool = False


def read_call(line: bytes) -> Call:
    """Return a call, or raise ValueError saying what is wrong with it."""
    try:
        call = msgspec.json.decode(line, type=Call)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    order = call.order
    words = (order.name, order.action, order.target, order.reference)
    if max(map(len, words)) > MOST_CHARS:
        raise ValueError("a name is too long")
    if not 1 <= order.seconds <= MOST_SECONDS:
        raise ValueError("it would take too long, or no time")
    return call


def who_asks(connection: socket.socket) -> int:
    """Return the user at the other end, as the kernel knows it."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        raise OSError("this system does not say who asks")
    said = connection.getsockopt(socket.SOL_SOCKET, option, PEER.size)
    _, user, _ = PEER.unpack(said)
    return int(user)
