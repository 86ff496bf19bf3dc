"""Decide what of a batch is new: pure, the same for both databases.

An alert is new when its identity is not known. A delivery that brings no
new alert and whose very bytes are known is a repeat: it is counted. A
delivery that brought a new alert is found again through that alert, so
only those that brought none need an index on their hash; a random index
would cost more than all the rest of the commit (docs/performance.md).
"""

from collections import deque
from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from app.models.alert import Alert, Status
from app.models.delivery import Delivery, Filing, Receipt
from app.store.columns import Row, alert_row, delivery_row

# Eight bytes of the fingerprint's hash, and eight of the hash of source,
# occurrence and status. Short, since an index of random texts is what a
# commit costs most; in two halves, so that a fingerprint is a range of it.
Identity = bytes
HALF = 8
END = b"\xff" * HALF  # of the identities that begin alike
UNDATED = "#{}"  # the occurrence of an alert that has none: its own id
# fingerprint, source
Thread = tuple[str, str]


class Seen(msgspec.Struct, frozen=True, gc=False):
    """An alert that is stored: its id, its status, and who brought it."""

    id: int
    delivery_id: int
    status: str


class Known(msgspec.Struct):
    """What the database says about a batch.

    Attributes:
        alerts: stored alerts by identity.
        latest: the newest alert by fingerprint and source, for undated ones.
        keys: the hash of deliveries by id.
        silent: the id of deliveries that brought nothing new, by hash.
        next_delivery: the next free delivery id.
        next_alert: the next free alert id.
        told: the ids that a delivery that is filed anew spoke of before.
        undated: those of them that are undated, by thread and status.
    """

    alerts: dict[Identity, Seen]
    latest: dict[Thread, Seen]
    keys: dict[int, bytes]
    silent: dict[bytes, int]
    next_delivery: int
    next_alert: int
    told: frozenset[int] = frozenset()
    undated: dict[tuple[Thread, str], deque[Seen]] = {}


class Plan(msgspec.Struct):
    """The rows to write for a batch, and the answers to give."""

    receipts: list[Receipt] = []
    delivery_rows: list[Row] = []
    alert_rows: list[Row] = []
    repeated_deliveries: list[tuple[int, int]] = []
    repeated_alerts: list[tuple[int, int]] = []


class Wanted(msgspec.Struct, gc=False):
    """An alert of a batch, with the name it is looked up by.

    Attributes:
        alert: the alert.
        status: its status as plain text.
        identity: what makes it the same message again; None when undated.
        thread: whose newest alert is compared with an undated one.
    """

    alert: Alert
    status: str
    identity: Identity | None
    thread: Thread


class Item(msgspec.Struct):
    """A delivery of a batch with its alerts, ready to be looked up."""

    filing: Filing
    alerts: list[Wanted]


def itemise(filings: Iterable[Filing]) -> list[Item]:
    """Return a batch as what has to be looked up."""
    return [
        Item(
            filing,
            [
                _want(alert, filing.delivery.source)
                for alert in filing.parsed.alerts
            ],
        )
        for filing in filings
    ]


def _want(alert: Alert, source: str) -> Wanted:
    """Return an alert with the names it is looked up by."""
    fingerprint = alert.fingerprint
    status = alert.status.value
    same = None
    if alert.occurrence is not None:
        same = identify(fingerprint, source, alert.occurrence, status)
    return Wanted(alert, status, same, (fingerprint, source))


def identify(
    fingerprint: str, source: str, occurrence: str, status: str
) -> Identity:
    """Return the hash that makes an alert the same message again."""
    rest = f"{source}\0{occurrence}\0{status}"
    return (
        start_of_identity(fingerprint)
        + blake2b(rest.encode(), digest_size=HALF).digest()
    )


def start_of_identity(fingerprint: str) -> bytes:
    """Return what the identities of one fingerprint begin with."""
    return blake2b(fingerprint.encode(), digest_size=HALF).digest()


def identities(batch: Iterable[Item]) -> set[Identity]:
    """Return the identities to look up."""
    return {
        wanted.identity
        for item in batch
        for wanted in item.alerts
        if wanted.identity is not None
    }


def threads(batch: Iterable[Item]) -> set[Thread]:
    """Return the fingerprints whose newest alert must be looked up."""
    return {
        wanted.thread
        for item in batch
        for wanted in item.alerts
        if wanted.identity is None
    }


def suspects(
    batch: Iterable[Item], known: Known
) -> tuple[set[bytes], set[int]]:
    """Return the hashes, and the ids, of deliveries that may be repeats."""
    keys: set[bytes] = set()
    ids: set[int] = set()
    for item in batch:
        found = _find_all(item, known)
        if found is not None:
            keys.add(item.filing.key)
            ids.update(seen.delivery_id for seen in found)
    return keys, ids


def draw_plan(batch: Iterable[Item], known: Known) -> Plan:
    """Return what to write; known is used up, it learns the batch's rows."""
    plan = Plan()
    for item in batch:
        found = _find_all(item, known)
        earlier = None
        if found is not None:
            earlier = _find_repeated(item, found, known)
        if earlier is None or found is None:
            receipt = _file(plan, item, known)
        else:
            receipt = _repeat(plan, item, earlier, found)
        plan.receipts.append(receipt)
    return plan


def file_alerts(
    plan: Plan, item: Item, known: Known, delivery_id: int
) -> Receipt:
    """Add the rows of a delivery's alerts; return what became of them."""
    delivery = item.filing.delivery
    parsed = item.filing.parsed
    ids = []
    accepted = 0
    for wanted in item.alerts:
        seen = _find_told(wanted, known) or _find(wanted, known)
        if seen is None:
            seen = Seen(known.next_alert, delivery_id, wanted.status)
            known.next_alert += 1
            accepted += 1
            plan.alert_rows.append(_row(wanted, delivery, seen))
            _learn(wanted, known, seen)
        elif seen.delivery_id != delivery_id and seen.id not in known.told:
            # Not what the delivery spoke of before: a replay counts nothing.
            plan.repeated_alerts.append((delivery.received_at, seen.id))
        ids.append(seen.id)
    return Receipt(
        delivery=delivery_id,
        accepted=accepted,
        repeated=len(ids) - accepted,
        rejected=len(parsed.rejected),
        unparsed=len(parsed.unparsed),
        alerts=tuple(ids),
    )


def _row(wanted: Wanted, delivery: Delivery, seen: Seen) -> Row:
    """Return the row of a new alert; an undated one is told by its id."""
    alert = wanted.alert
    same = wanted.identity
    if same is None:
        occurrence = UNDATED.format(seen.id)
        alert = msgspec.structs.replace(alert, occurrence=occurrence)
        same = identify(*wanted.thread, occurrence, wanted.status)
    return alert_row((seen.id, seen.delivery_id), same, delivery, alert)


def _find_told(wanted: Wanted, known: Known) -> Seen | None:
    """Return what a delivery has made of an undated alert before, or None.

    What came since says otherwise maybe, and nothing of this delivery.
    """
    told = known.undated.get((wanted.thread, wanted.status))
    if wanted.identity is not None or not told:
        return None
    seen = told.popleft()
    _learn(wanted, known, seen)
    return seen


def _find(wanted: Wanted, known: Known) -> Seen | None:
    """Return the stored alert that says the same, or None."""
    if wanted.identity is not None:
        return known.alerts.get(wanted.identity)
    latest = known.latest.get(wanted.thread)
    if latest is not None and latest.status == wanted.status:
        return latest
    return None


def _find_all(item: Item, known: Known) -> list[Seen] | None:
    """Return the stored alerts of a delivery, None when one is new."""
    found = []
    for wanted in item.alerts:
        seen = _find(wanted, known)
        if seen is None:
            return None
        found.append(seen)
    return found


def _find_repeated(
    item: Item, found: Iterable[Seen], known: Known
) -> int | None:
    """Return the id of the delivery with the same bytes, or None."""
    key = item.filing.key
    for seen in found:
        if known.keys.get(seen.delivery_id) == key:
            return seen.delivery_id
    return known.silent.get(key)


def _repeat(
    plan: Plan, item: Item, delivery_id: int, found: Iterable[Seen]
) -> Receipt:
    """Count a delivery that was accepted before; nothing is done again."""
    moment = item.filing.delivery.received_at
    parsed = item.filing.parsed
    ids = tuple(seen.id for seen in found)
    plan.repeated_deliveries.append((moment, delivery_id))
    plan.repeated_alerts.extend((moment, row_id) for row_id in ids)
    return Receipt(
        delivery=delivery_id,
        repeat=True,
        repeated=len(ids),
        rejected=len(parsed.rejected),
        unparsed=len(parsed.unparsed),
        alerts=ids,
    )


def _file(plan: Plan, item: Item, known: Known) -> Receipt:
    """File a delivery with its new alerts."""
    delivery_id = known.next_delivery
    known.next_delivery += 1
    receipt = file_alerts(plan, item, known, delivery_id)
    plan.delivery_rows.append(delivery_row(item.filing, receipt))
    known.keys[delivery_id] = item.filing.key
    if not receipt.accepted:
        known.silent[item.filing.key] = delivery_id
    return receipt


def _learn(wanted: Wanted, known: Known, seen: Seen) -> None:
    """Remember a planned alert, so that the batch does not plan it twice."""
    if wanted.identity is not None:
        known.alerts[wanted.identity] = seen
    elif wanted.alert.status is not Status.UPDATED:
        known.latest[wanted.thread] = seen
