"""The order of columns on the hot path, taken from the tables."""

from typing import Any

import msgspec
from sqlalchemy import inspect

from app.models.alert import Alert
from app.models.delivery import Delivery, Filing, Receipt, to_columns
from app.models.tables import AlertRow, DeliveryRow

Row = tuple[Any, ...]

DELIVERY_COLUMNS = tuple(inspect(DeliveryRow).columns.keys())
ALERT_COLUMNS = tuple(inspect(AlertRow).columns.keys())

_encode = msgspec.json.Encoder().encode


def delivery_row(filing: Filing, receipt: Receipt) -> Row:
    """Return a delivery as values in the order of DELIVERY_COLUMNS."""
    delivery = filing.delivery
    flaw = filing.first_flaw
    return (
        receipt.delivery,
        filing.key,
        delivery.source,
        delivery.received_at,
        delivery.peer,
        _encode(to_columns(delivery.headers)).decode(),
        delivery.body,
        filing.outcome.value,
        flaw.reason if flaw else "",
        flaw.field if flaw else "",
        receipt.accepted,
        receipt.repeated,
        receipt.rejected,
        receipt.unparsed,
        filing.parsed.truncated,
        _encode(receipt.alerts).decode(),
        0,
        delivery.received_at,
    )


def alert_row(
    seen: tuple[int, int], identity: bytes, delivery: Delivery, alert: Alert
) -> Row:
    """Return an alert as values in the order of ALERT_COLUMNS.

    Args:
        seen: the ids of the alert and of its delivery.
        identity: the hash that it is found again by.
        delivery: who brought it.
        alert: what it says.
    """
    row_id, delivery_id = seen
    return (
        row_id,
        identity,
        alert.fingerprint,
        delivery.source,
        alert.occurrence or "",
        alert.status.value,
        delivery_id,
        delivery.received_at,
        alert.name,
        alert.severity.value,
        alert.summary,
        _encode(alert.labels).decode(),
        _encode(alert.annotations).decode(),
        alert.starts_at,
        alert.ends_at,
        alert.url,
        0,
        delivery.received_at,
    )
