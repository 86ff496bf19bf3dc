"""DER: of a certificate, when it runs out and whose it is; nothing else.

Nothing is trusted because of it. A package that reads all of a certificate
would take a fifth of the memory of the process that does the jobs.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

SEQUENCE, UTC_TIME, GENERAL_TIME, VERSION = 0x30, 0x17, 0x18, 0xA0
# The name of a holder: 2.5.4.3, the common name.
COMMON_NAME = b"\x06\x03\x55\x04\x03"
MOST_CHARS = 100


class Certificate(msgspec.Struct, frozen=True):
    """What is said of a certificate.

    Attributes:
        until: when it runs out.
        name: whose it is, or empty.
    """

    until: datetime
    name: str


def read_certificate(raw: bytes) -> Certificate:
    """Return what is said of a certificate, or raise ValueError."""
    inner = _first(_first(raw))
    parts = [part for part in _parts(inner) if part[0] != VERSION]
    if len(parts) < 5 or parts[3][0] != SEQUENCE:
        raise ValueError("that is no certificate")
    times = list(_parts(parts[3][1]))
    if len(times) != 2:
        raise ValueError("that is no certificate")
    return Certificate(_time(*times[1]), _name(parts[4][1]))


def _first(raw: bytes) -> bytes:
    """Return the content of the first part, or raise ValueError."""
    for _, content in _parts(raw):
        return content
    raise ValueError("it is cut")


def _parts(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the content of each part."""
    while raw:
        if len(raw) < 2:
            raise ValueError("it is cut")
        kind, count, at = raw[0], raw[1], 2
        if count >= 0x80:
            at += count & 0x7F
            count = int.from_bytes(raw[2:at], "big")
        if len(raw) < at + count:
            raise ValueError("it is cut")
        yield kind, raw[at : at + count]
        raw = raw[at + count :]


def _time(kind: int, raw: bytes) -> datetime:
    """Return a moment; two digits of a year are of 1950 to 2049."""
    text = raw.decode("ascii")
    if kind == UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif kind != GENERAL_TIME:
        raise ValueError("that is no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _name(raw: bytes) -> str:
    """Return the common name of a holder, or nothing."""
    _, found, rest = raw.partition(COMMON_NAME)
    if not found:
        return ""
    return _first(rest).decode(errors="replace")[:MOST_CHARS]
