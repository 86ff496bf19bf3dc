"""Step 1: a delivery in, a receipt out, and on disk in between.

The order matters: who is it, how large is it, what does it say, what may it
say; then the commit; then the answer.
"""

import hashlib
import traceback
from pathlib import Path
from typing import cast

import msgspec

from app.core.errors import OutgoingFailed, Refused, StorageFailed, TooBusy
from app.core.log import get_log
from app.core.settings import Limits
from app.ingest.allowance import Allowance
from app.ingest.auth import Own
from app.ingest.clean import clean_alert
from app.ingest.counters import SourceCounters
from app.ingest.limits import check_alerts, check_depth
from app.models.delivery import (
    Delivery,
    Filing,
    Flaw,
    Parsed,
    Receipt,
    Unparsed,
)
from app.ports import Authenticator, Example, Intray, SignedSource, Source

log = get_log("ingest")

# What a parser raises when a payload surprises it: a bug of the parser, but
# the alert is kept for a replay, not refused.
SURPRISES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
)


class Entrance(msgspec.Struct, frozen=True):
    """One configured source with all that rules on its deliveries.

    Attributes:
        name: the name in the settings, and in /webhooks/NAME.
        kind: the name of its plug-in.
        source: the plug-in.
        authenticator: checks who sends.
        allowance: what it may speak for.
        is_strict: answer 422 to what is not understood, keep nothing.
        counters: its metrics.
    """

    name: str
    kind: str
    source: Source
    authenticator: Authenticator
    allowance: Allowance
    is_strict: bool
    counters: SourceCounters

    @property
    def paths(self) -> tuple[str, ...]:
        """Return where the source is answered."""
        return (f"/webhooks/{self.name}", *self.source.paths)

    @property
    def example(self) -> Example:
        """Return a payload for the docs."""
        return self.source.example


class Intake:
    """Accepts deliveries; returns only when they are durable."""

    def __init__(self, intray: Intray, limits: Limits) -> None:
        self._intray = intray
        self._limits = limits

    async def accept(self, entrance: Entrance, delivery: Delivery) -> Receipt:
        """Return the receipt of a delivery that is on disk.

        Raises:
            Refused: it is not accepted; nothing of it was stored.
        """
        try:
            await self._authenticate(entrance, delivery)
            parsed = read(entrance, delivery, self._limits)
            receipt = await self._file(delivery, parsed)
            await self._confirm(entrance, delivery, parsed)
        except Refused as refusal:
            entrance.counters.refused(refusal.reason)
            raise
        entrance.counters.took(receipt)
        if parsed.unparsed and not receipt.repeat:
            _report_unparsed(entrance, parsed, receipt)
        return receipt

    async def _authenticate(
        self, entrance: Entrance, delivery: Delivery
    ) -> None:
        """Raise Refused unless the delivery is from its source."""
        entrance.authenticator.check(delivery)
        if isinstance(entrance.authenticator, Own):
            source = cast(SignedSource, entrance.source)
            await source.authenticate(delivery)

    async def _file(self, delivery: Delivery, parsed: Parsed) -> Receipt:
        """Return the receipt once the disk has it."""
        filing = Filing(delivery, key_of(delivery), parsed)
        try:
            return await self._intray.submit(filing)
        except StorageFailed as error:
            raise TooBusy("storage", f"It is not on disk: {error}.") from error

    async def _confirm(
        self, entrance: Entrance, delivery: Delivery, parsed: Parsed
    ) -> None:
        """Call back where a signed sender wants that; it may come again."""
        if not parsed.confirm:
            return
        if not isinstance(entrance.authenticator, Own):
            log.warning("confirmation.ignored", source=delivery.source)
            return
        source = cast(SignedSource, entrance.source)
        try:
            await source.confirm(parsed.confirm)
        except OutgoingFailed as error:
            detail = "The confirmation could not be sent."
            raise TooBusy("not_confirmed", detail) from error


def read(entrance: Entrance, delivery: Delivery, limits: Limits) -> Parsed:
    """Return what a source says and may say.

    Raises:
        Refused: it is over a limit, not allowed, or a strict source's
            payload is not understood.
    """
    check_depth(delivery.body, limits)
    parsed = _parse(entrance, delivery)
    if parsed.unparsed and entrance.is_strict:
        flaw = parsed.unparsed[0]
        raise Refused(
            422,
            flaw.reason,
            flaw.detail,
            field=flaw.field,
            remedy="Send what the source's settings describe, or set "
            "strict: false to keep it for a replay.",
        )
    check_alerts(parsed, limits)
    parsed = entrance.allowance.keep(parsed)
    if b"\\u0000" in delivery.body:
        cleaned = tuple(clean_alert(alert) for alert in parsed.alerts)
        parsed = msgspec.structs.replace(parsed, alerts=cleaned)
    return parsed


def _parse(entrance: Entrance, delivery: Delivery) -> Parsed:
    """Return what the plug-in reads; what it cannot read is a flaw."""
    try:
        return entrance.source.parse(delivery)
    except Unparsed as error:
        return Parsed(unparsed=(error.flaw,))
    except SURPRISES as error:
        # The error's own text may quote the payload: only its place is told.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "parser.surprised",
            source=entrance.name,
            error=type(error).__name__,
            at=f"{Path(place.filename).name}:{place.lineno}",
        )
        flaw = Flaw("parser_surprised", "$", type(error).__name__)
        return Parsed(unparsed=(flaw,))


def key_of(delivery: Delivery) -> bytes:
    """Return the hash that makes the same delivery recognisable."""
    source = delivery.source.encode()
    return hashlib.sha256(source + b"\0" + delivery.body).digest()


def _report_unparsed(
    entrance: Entrance, parsed: Parsed, receipt: Receipt
) -> None:
    """Log and count what went into quarantine, without its text."""
    for flaw in parsed.unparsed:
        entrance.counters.did_not_parse(flaw.reason, flaw.field)
    flaw = parsed.unparsed[0]
    log.warning(
        "delivery.not_parsed",
        source=entrance.name,
        delivery=receipt.delivery,
        parts=len(parsed.unparsed),
        reason=flaw.reason,
        field=flaw.field,
        detail=flaw.detail,
    )
