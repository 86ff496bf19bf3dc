"""Decide what of a batch is new: pure, the same for both databases.

A batch is planned in two looks: first which deliveries are known, then
which alerts of the others are. What is left becomes rows.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from app.models.alert import Alert, Status
from app.models.delivery import Filing, Receipt
from app.store.columns import Row, alert_row, delivery_row

# fingerprint, source, occurrence, status
Identity = tuple[str, str, str, str]
# fingerprint, source
Thread = tuple[str, str]


class Latest(msgspec.Struct, frozen=True):
    """The newest stored alert of one fingerprint."""

    id: int
    status: str


class Known(msgspec.Struct):
    """What the database says about a batch.

    Attributes:
        deliveries: id by key.
        alerts: id by identity.
        latest: newest alert by fingerprint and source, for undated ones.
        next_delivery: the next free delivery id.
        next_alert: the next free alert id.
    """

    deliveries: dict[bytes, int]
    alerts: dict[Identity, int]
    latest: dict[Thread, Latest]
    next_delivery: int
    next_alert: int


class Plan(msgspec.Struct):
    """The rows to write for a batch, and the answers to give."""

    receipts: list[Receipt]
    delivery_rows: list[Row]
    alert_rows: list[Row]
    repeated_deliveries: list[tuple[int, int]]
    repeated_alerts: list[tuple[int, int]]


def identity(filing: Filing, alert: Alert) -> Identity:
    """Return what makes an alert the same message again."""
    source = filing.delivery.source
    occurrence = alert.occurrence or ""
    return (alert.fingerprint, source, occurrence, alert.status.value)


def fresh(
    filings: Iterable[Filing], known: dict[bytes, int]
) -> Iterator[Filing]:
    """Yield the deliveries whose alerts must be looked at."""
    for filing in filings:
        if filing.key not in known or not filing.is_dated:
            yield filing


def identities(filings: Iterable[Filing]) -> set[Identity]:
    """Return the identities to look up."""
    return {
        identity(filing, alert)
        for filing in filings
        for alert in filing.parsed.alerts
        if alert.occurrence is not None
    }


def threads(filings: Iterable[Filing]) -> set[Thread]:
    """Return the fingerprints whose newest alert must be looked up."""
    return {
        (alert.fingerprint, filing.delivery.source)
        for filing in filings
        for alert in filing.parsed.alerts
        if alert.occurrence is None
    }


def draw_plan(filings: Sequence[Filing], known: Known) -> Plan:
    """Return what to write; known is used up, it learns the batch's rows."""
    plan = Plan([], [], [], [], [])
    for filing in filings:
        delivery_id = known.deliveries.get(filing.key)
        if delivery_id is not None and filing.is_dated:
            plan.receipts.append(_repeat(plan, filing, delivery_id))
        else:
            plan.receipts.append(_file(plan, filing, known))
    return plan


def _repeat(plan: Plan, filing: Filing, delivery_id: int) -> Receipt:
    """Count a delivery that was accepted before; nothing is done again."""
    seen = (filing.delivery.received_at, delivery_id)
    plan.repeated_deliveries.append(seen)
    return Receipt(
        delivery=delivery_id,
        repeat=True,
        repeated=len(filing.parsed.alerts),
        rejected=len(filing.parsed.rejected),
        unparsed=len(filing.parsed.unparsed),
    )


def _file(plan: Plan, filing: Filing, known: Known) -> Receipt:
    """File a delivery with its new alerts, or count it if all are known."""
    key = filing.key
    earlier = known.deliveries.get(key)
    if earlier is not None:
        if all(_find(filing, a, known) for a in filing.parsed.alerts):
            return _repeat(plan, filing, earlier)
        # The same undated bytes for a new event: the key gets the moment.
        key += filing.delivery.received_at.to_bytes(8)
    delivery_id = known.next_delivery
    known.next_delivery += 1
    known.deliveries.setdefault(filing.key, delivery_id)
    receipt = file_alerts(plan, filing, known, delivery_id)
    counts = (receipt.accepted, receipt.repeated)
    plan.delivery_rows.append(delivery_row(delivery_id, key, filing, counts))
    return receipt


def _find(filing: Filing, alert: Alert, known: Known) -> int | None:
    """Return the id of an alert that says the same, or None."""
    if alert.occurrence is not None:
        return known.alerts.get(identity(filing, alert))
    latest = known.latest.get((alert.fingerprint, filing.delivery.source))
    if latest is not None and latest.status == alert.status.value:
        return latest.id
    return None


def file_alerts(
    plan: Plan, filing: Filing, known: Known, delivery_id: int
) -> Receipt:
    """Add the rows of a delivery's alerts; return what became of them."""
    ids = []
    accepted = 0
    for alert in filing.parsed.alerts:
        row_id = _find(filing, alert, known)
        if row_id is None:
            row_id = known.next_alert
            known.next_alert += 1
            accepted += 1
            row = alert_row(row_id, delivery_id, filing, alert)
            plan.alert_rows.append(row)
            _learn(filing, alert, known, row_id)
        else:
            seen = (filing.delivery.received_at, row_id)
            plan.repeated_alerts.append(seen)
        ids.append(row_id)
    return Receipt(
        delivery=delivery_id,
        accepted=accepted,
        repeated=len(ids) - accepted,
        rejected=len(filing.parsed.rejected),
        unparsed=len(filing.parsed.unparsed),
        alerts=tuple(ids),
    )


def _learn(filing: Filing, alert: Alert, known: Known, row_id: int) -> None:
    """Remember a planned alert, so that the batch does not plan it twice."""
    if alert.occurrence is not None:
        known.alerts[identity(filing, alert)] = row_id
    elif alert.status is not Status.UPDATED:
        thread = (alert.fingerprint, filing.delivery.source)
        known.latest[thread] = Latest(row_id, alert.status.value)
