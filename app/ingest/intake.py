"""Step 1: a delivery in, a receipt out, and on disk in between.

The order matters: who is it, how large is it, what does it say, what may it
say; then the commit; then the answer.
"""

import asyncio
import hashlib
import traceback
from collections.abc import Callable
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
from app.ingest.cutting import NOTE, cut_alerts
from app.ingest.hiding import hide_alerts
from app.ingest.limits import check_alerts, check_depth
from app.models.delivery import (
    Delivery,
    Filing,
    Flaw,
    Parsed,
    Receipt,
    Unparsed,
)
from app.models.example import Example
from app.models.intray import Intray
from app.ports import Authenticator, SignedSource, Source

# What a column of the database holds.
MOST_TRUNCATED = 2**31 - 1
# What the headers of a CloudEvent begin with that is no body alone.
EVENT = b"ce-"
log = get_log("ingest")
Answer = Callable[[Receipt | Refused], None]

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
        challenge: what a 401 says of how to prove who sends; clients that
            wait for it show no password to any other scheme.
    """

    name: str
    kind: str
    source: Source
    authenticator: Authenticator
    allowance: Allowance
    is_strict: bool
    counters: SourceCounters
    challenge: str = 'Bearer realm="smokejumper"'

    @property
    def paths(self) -> tuple[str, ...]:
        """Return where the source is answered."""
        return (f"/webhooks/{self.name}", *self.source.paths)

    @property
    def example(self) -> Example:
        """Return a payload for the docs."""
        return self.source.example


class Intake:
    """Accepts deliveries; answers only when they are durable."""

    def __init__(self, intray: Intray, limits: Limits) -> None:
        """Take the way to the disk and what one delivery may hold."""
        self._intray = intray
        self._limits = limits
        # The event loop holds tasks weakly; these must not vanish.
        self._tasks: set[asyncio.Task[None]] = set()

    def accept(
        self, entrance: Entrance, delivery: Delivery, answer: Answer
    ) -> None:
        """Take a delivery; answer with a receipt when it is on disk.

        Raises:
            Refused: it is not accepted; nothing of it was stored, and
                nobody is answered later.
        """
        try:
            entrance.authenticator.check(delivery)
            if isinstance(entrance.authenticator, Own):
                self._accept_later(entrance, delivery, answer)
            else:
                self._file(entrance, delivery, answer)
        except Refused as refusal:
            entrance.counters.refused(refusal.reason)
            raise

    def take(
        self, entrance: Entrance, delivery: Delivery, answer: Answer
    ) -> None:
        """Take a delivery that we fetched; nobody has to prove anything.

        Raises:
            Refused: as by accept.
        """
        try:
            self._file(entrance, delivery, answer)
        except Refused as refusal:
            entrance.counters.refused(refusal.reason)
            raise

    def _file(
        self, entrance: Entrance, delivery: Delivery, answer: Answer
    ) -> Parsed:
        """Read a delivery and hand it to the disk; return what it says."""
        parsed = read(entrance, delivery, self._limits)
        filing = Filing(delivery, key_of(delivery), parsed)

        def done(result: Receipt | StorageFailed) -> None:
            """Count what the disk said, and pass it on."""
            answer(_settle(entrance, filing, result))

        self._intray.submit(filing, done)
        return parsed

    def _accept_later(
        self, entrance: Entrance, delivery: Delivery, answer: Answer
    ) -> None:
        """Take a delivery whose own signature needs a look outside."""
        work = self._accept_signed(entrance, delivery, answer)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept_signed(
        self, entrance: Entrance, delivery: Delivery, answer: Answer
    ) -> None:
        """Check the source's own signature, file, and confirm if asked."""
        source = cast(SignedSource, entrance.source)
        loop = asyncio.get_running_loop()
        on_disk: asyncio.Future[Receipt | Refused] = loop.create_future()
        try:
            await source.authenticate(delivery)
            parsed = self._file(entrance, delivery, on_disk.set_result)
            result = await on_disk
            if parsed.confirm and isinstance(result, Receipt):
                await source.confirm(parsed.confirm)
        except Refused as refusal:
            entrance.counters.refused(refusal.reason)
            answer(refusal)
        except OutgoingFailed:
            # It is on disk, but the sender must come again to be confirmed.
            detail = "The confirmation could not be sent."
            answer(TooBusy("not_confirmed", detail))
        except Exception:
            log.exception("delivery.crashed", source=entrance.name)
            answer(TooBusy("bug", "It is in the log."))
        else:
            answer(result)


def _settle(
    entrance: Entrance, filing: Filing, result: Receipt | StorageFailed
) -> Receipt | Refused:
    """Count what the disk said of a delivery; return the answer."""
    if isinstance(result, StorageFailed):
        entrance.counters.refused("storage")
        return TooBusy("storage", "The database did not take it.")
    parsed = filing.parsed
    entrance.counters.took(result, parsed.truncated)
    if result.unparsed and not result.repeat:
        _report_unparsed(entrance, parsed, result)
    if parsed.truncated and not result.repeat:
        log.warning(
            "delivery.truncated",
            source=entrance.name,
            delivery=result.delivery,
            missing=parsed.truncated,
            remedy="raise max_alerts at the sender",
        )
    if not result.repeat:
        _report_cut(entrance, parsed, result)
    return result


def read(entrance: Entrance, delivery: Delivery, limits: Limits) -> Parsed:
    """Return what a source says and may say.

    Raises:
        Refused: it is over a limit, not allowed, or a strict source's
            payload is not understood.
    """
    check_depth(delivery.body, limits)
    if limits.alerts != delivery.most_alerts:
        delivery = msgspec.structs.replace(delivery, most_alerts=limits.alerts)
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
    check_alerts(parsed, len(delivery.body), limits)
    parsed = entrance.allowance.keep(parsed)
    if not 0 <= parsed.truncated <= MOST_TRUNCATED:
        truncated = min(max(parsed.truncated, 0), MOST_TRUNCATED)
        parsed = msgspec.structs.replace(parsed, truncated=truncated)
    # However it is escaped, and in JSON inside of JSON, a NUL is written
    # with four zeros; or it hides in base64.
    if b"0000" in delivery.body or b"base64" in delivery.body:
        cleaned = tuple(clean_alert(alert) for alert in parsed.alerts)
        parsed = msgspec.structs.replace(parsed, alerts=cleaned)
    alerts = cut_alerts(hide_alerts(parsed.alerts), len(delivery.body), limits)
    if alerts is not parsed.alerts:
        parsed = msgspec.structs.replace(parsed, alerts=alerts)
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
    """Return the hash that makes the same delivery recognisable.

    A CloudEvent may say in its headers all that tells it from another one.
    """
    source = delivery.source.encode()
    key = hashlib.sha256(source + b"\0" + delivery.body).digest()
    said = [pair for pair in delivery.headers if pair[0].startswith(EVENT)]
    if not said:
        return key
    parts = (len(part).to_bytes(4) + part for pair in said for part in pair)
    return hashlib.sha256(key + b"".join(parts)).digest()


def _report_cut(entrance: Entrance, parsed: Parsed, receipt: Receipt) -> None:
    """Log that alerts are kept in short."""
    count = sum(NOTE in alert.annotations for alert in parsed.alerts)
    if count:
        log.warning(
            "delivery.cut",
            source=entrance.name,
            delivery=receipt.delivery,
            alerts=count,
            remedy="send less text, or raise server.limits in the settings",
        )


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
