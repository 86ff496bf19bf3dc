"""The delivery: one request of a source, and what became of it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from app.models.alert import Alert

Headers = Sequence[tuple[bytes, bytes]]
MOST_ALERTS = 500
# What a replay may need of a request; nothing else is stored, least of all
# the secret.
KEPT = (b"content-type", b"user-agent")
KEPT_PREFIXES = (b"ce-", b"x-amz-sns-")


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a source, byte for byte.

    Attributes:
        source: the name of the configured source.
        body: the raw body.
        received_at: when it came, by our clock.
        headers: names in lower case, as they came.
        peer: the address it came from.
        most_alerts: how many alerts it may hold; counted before they are
            read, since reading a million empty ones would take seconds.
    """

    source: str
    body: bytes
    received_at: int
    headers: Headers = ()
    peer: str = ""
    most_alerts: int = MOST_ALERTS

    def header(self, name: bytes) -> bytes | None:
        """Return the first header of a name, or None."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


class Flaw(msgspec.Struct, frozen=True):
    """Why a part of a delivery was not taken as an alert.

    Attributes:
        reason: a short machine word for metrics and the log.
        field: where in the payload, such as ``$.alerts[2].startsAt``.
        detail: what is wrong, in a sentence without the payload's text.
    """

    reason: str
    field: str
    detail: str


class Unparsed(Exception):
    """The parser does not understand a payload, and says where."""

    def __init__(self, flaw: Flaw) -> None:
        """Take the reason and the place."""
        self.flaw = flaw
        super().__init__(f"{flaw.field}: {flaw.detail}")


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """What a source read out of a delivery.

    Attributes:
        alerts: what was understood.
        unparsed: what was not; the delivery is kept for a replay.
        rejected: what the source may not say.
        truncated: how many alerts the sender left out.
        note: what it was when it was no alert, such as "test message".
        confirm: an address that the sender wants called back.
    """

    alerts: tuple[Alert, ...] = ()
    unparsed: tuple[Flaw, ...] = ()
    rejected: tuple[Flaw, ...] = ()
    truncated: int = 0
    note: str = ""
    confirm: str = ""


class Outcome(StrEnum):
    """What became of a delivery."""

    PARSED = "parsed"
    UNPARSED = "unparsed"  # in quarantine, wholly or in part


class Filing(msgspec.Struct, frozen=True):
    """A delivery with what was read out of it, ready for the inbox.

    Attributes:
        delivery: the request.
        key: the hash of source and body; the same key is the same delivery.
        parsed: the alerts and flaws.
    """

    delivery: Delivery
    key: bytes
    parsed: Parsed

    @property
    def outcome(self) -> Outcome:
        """Tell whether anything of it waits for a replay."""
        return Outcome.UNPARSED if self.parsed.unparsed else Outcome.PARSED

    @property
    def first_flaw(self) -> Flaw | None:
        """Return the flaw that is shown in lists, or None."""
        flaws = self.parsed.unparsed or self.parsed.rejected
        return flaws[0] if flaws else None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a delivery that is on disk.

    Attributes:
        delivery: its id.
        repeat: whether these very bytes had been accepted before.
        accepted: how many new alerts it brought.
        repeated: how many it brought that were known.
        rejected: how many its source may not say.
        unparsed: how many parts were not understood and are kept.
        alerts: the ids of its alerts, in order.
    """

    delivery: int
    repeat: bool = False
    accepted: int = 0
    repeated: int = 0
    rejected: int = 0
    unparsed: int = 0
    alerts: tuple[int, ...] = ()


class StoredDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it lies in the inbox, for a replay."""

    id: int
    delivery: Delivery


def to_columns(headers: Headers) -> list[tuple[str, str]]:
    """Return the headers that are kept, as text pairs."""
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if name in KEPT or name.startswith(KEPT_PREFIXES)
    ]


def to_headers(columns: Any) -> Headers:
    """Return headers out of their text pairs."""
    return [(n.encode("latin-1"), v.encode("latin-1")) for n, v in columns]
