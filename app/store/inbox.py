"""The inbox: deliveries and alerts, written in batches, in one order.

One writer thread calls it. It speaks to a ``Desk``, which knows one
database; what is new in a batch is decided by app/store/plan.py.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import msgspec

from app.core.errors import StorageFailed
from app.models.delivery import (
    Delivery,
    Filing,
    Receipt,
    StoredDelivery,
    to_headers,
)
from app.store.again import Told, tell_lives
from app.store.columns import Row
from app.store.pages import END_OF_IDS
from app.store.plan import (
    UNDATED,
    Identity,
    Item,
    Known,
    Plan,
    Seen,
    Thread,
    draw_plan,
    file_alerts,
    identities,
    itemise,
    suspects,
    threads,
)


class Desk(Protocol):
    """The inbox's statements in the words of one database.

    Every method but ``begin``, ``rollback`` and ``insert_alone`` runs inside
    a transaction that no other writer of any process shares.

    Attributes:
        has_insert_alone: whether ``insert_alone`` ever adds anything.
    """

    has_insert_alone: bool

    def begin(self) -> None:
        """Start a transaction as the only writer, or raise StorageFailed."""

    def commit(self) -> None:
        """Return once it is on disk, or raise StorageFailed."""

    def rollback(self) -> None:
        """Undo the transaction; a broken connection is replaced."""

    def find_alerts(
        self, wanted: Collection[Identity]
    ) -> dict[Identity, Seen]:
        """Return the stored alerts of these identities."""

    def find_latest(
        self, wanted: Collection[Thread], before: int
    ) -> dict[Thread, Seen]:
        """Return the newest alert of each fingerprint.

        The newest by the order of coming, whatever the clock said: that of
        the deliveries. A replayed alert is as old as its delivery, however
        high its id.

        Args:
            wanted: which fingerprints.
            before: of the deliveries below this one only.
        """

    def find_told(self, delivery_id: int) -> list[Row]:
        """Return the alerts that a delivery spoke of, in order.

        Their fingerprint, source, occurrence, id, delivery and status.
        """

    def find_times(self, ids: Collection[int]) -> dict[int, Told]:
        """Return when alerts came, and when they say that they ended."""

    def find_keys(self, ids: Collection[int]) -> dict[int, bytes]:
        """Return the hashes of deliveries."""

    def find_silent(self, keys: Collection[bytes]) -> dict[bytes, int]:
        """Return the ids of deliveries that brought nothing new."""

    def next_ids(self) -> tuple[int, int]:
        """Return the next free delivery id and alert id."""

    def insert(self, deliveries: Sequence[Row], alerts: Sequence[Row]) -> None:
        """Add rows in the order of app/store/columns.py."""

    def insert_alone(
        self, deliveries: Sequence[Row], alerts: Sequence[Row], /
    ) -> bool:
        """Add rows as a transaction of their own, outside of any other.

        False when nothing was added: one of them is there already, or they
        are too many.
        """

    def count(self, table: str, seen: Sequence[tuple[int, int]]) -> None:
        """Count repeats of a table's rows: (moment, id) each."""

    def probe(self, now: int) -> int:
        """Write a moment, read it back and return it."""

    def find_unparsed(
        self, after: int, limit: int, where: Mapping[str, object]
    ) -> list[Row]:
        """Return id, source, received_at, peer, headers, body."""

    def settle(self, delivery_id: int, values: Mapping[str, Any]) -> None:
        """Update a delivery; ``accepted`` is added to what was."""

    def close(self) -> None:
        """Give back the connection."""


class SqlInbox:
    """Writes batches so that all of one is on disk, or none."""

    def __init__(self, desk: Desk) -> None:
        """Take the desk of one database."""
        self._desk = desk
        # The next free ids, when it is worth to bet that a batch is new.
        self._free: tuple[int, int] | None = None
        # The last batch was such a bet, and won: one statement.
        self.was_quick = False

    def write(self, filings: Sequence[Filing]) -> list[Receipt]:
        """Return once all are on disk, in order; all of them or none."""
        batch = itemise(filings)
        plan = self._bet(batch)
        self.was_quick = plan is not None
        if plan is None:
            with self._transaction():
                known = self._known(batch)
                plan = draw_plan(batch, known)
                self._save(plan)
            self._note(plan, known)
        return plan.receipts

    def _bet(self, batch: Sequence[Item]) -> Plan | None:
        """Write a batch as if all of it were new; None when it is not.

        Not looking first makes one statement of six. What is known already
        has its identity in a unique index, so the database refuses the batch
        as a whole; ids that another process has taken are refused alike.
        """
        free, self._free = self._free, None
        if free is None or not all(map(_is_dated, batch)):
            return None
        known = Known({}, {}, {}, {}, *free)
        plan = draw_plan(batch, known)
        if plan.repeated_alerts:
            return None
        desk = self._desk
        with ExitStack() as undo:
            undo.callback(desk.rollback)
            if not desk.insert_alone(plan.delivery_rows, plan.alert_rows):
                return None
            undo.pop_all()
        self._note(plan, known)
        return plan

    def _note(self, plan: Plan, known: Known) -> None:
        """Bet on the next batch when all of this one was new."""
        if self._desk.has_insert_alone and not plan.repeated_alerts:
            self._free = (known.next_delivery, known.next_alert)

    def probe(self, now: int) -> None:
        """Return once a row was really written and read back."""
        with self._transaction() as desk:
            read_back = desk.probe(now)
        if read_back != now:
            raise StorageFailed("the probe row reads differently")

    def find_unparsed(
        self, after: int, limit: int, where: Mapping[str, object]
    ) -> list[StoredDelivery]:
        """Return deliveries in quarantine with a greater id, oldest first."""
        with self._transaction() as desk:
            rows = desk.find_unparsed(after, limit, where)
        return [_stored(row) for row in rows]

    def refile(self, stored: int, filing: Filing) -> Receipt:
        """Return once a delivery of the quarantine is filed anew."""
        self._free = None
        with self._transaction() as desk:
            batch = itemise([filing])
            known = self._known(batch, before=stored)
            _recall(known, self._desk.find_told(stored))
            plan = Plan()
            receipt = file_alerts(plan, batch[0], known, stored)
            self._save(plan)
            desk.settle(stored, _verdict(filing, receipt))
        return receipt

    def close(self) -> None:
        """Give back the connection."""
        self._desk.close()

    @contextmanager
    def _transaction(self) -> Iterator[Desk]:
        """Run statements as the only writer; commit, or undo them all."""
        with ExitStack() as undo:
            undo.callback(self._desk.rollback)
            self._desk.begin()
            yield self._desk
            self._desk.commit()
            undo.pop_all()

    def _known(self, batch: Sequence[Item], before: int = END_OF_IDS) -> Known:
        """Look up what of a batch the database has already."""
        desk = self._desk
        alerts = desk.find_alerts(identities(batch))
        if before == END_OF_IDS:
            tell_lives(desk, batch, alerts)
        latest = desk.find_latest(threads(batch), before)
        known = Known(alerts, latest, {}, {}, *desk.next_ids())
        keys, ids = suspects(batch, known)
        known.silent = desk.find_silent(keys)
        known.keys = desk.find_keys(ids)
        return known

    def _save(self, plan: Plan) -> None:
        """Write the rows of a plan."""
        self._desk.insert(plan.delivery_rows, plan.alert_rows)
        self._desk.count("delivery", plan.repeated_deliveries)
        self._desk.count("alert", plan.repeated_alerts)


def _recall(known: Known, told: Sequence[Row]) -> None:
    """Note what a delivery spoke of when it was filed before."""
    known.told = frozenset(row[3] for row in told)
    for fingerprint, source, occurrence, *seen in told:
        one = Seen(*seen)
        if occurrence == UNDATED.format(one.id):
            word = ((fingerprint, source), one.status)
            known.undated.setdefault(word, deque()).append(one)


def _is_dated(item: Item) -> bool:
    """Tell whether a unique index would find all that an item repeats."""
    return bool(item.alerts) and all(
        wanted.identity is not None for wanted in item.alerts
    )


def _stored(row: Row) -> StoredDelivery:
    """Return a row of the quarantine as a delivery."""
    row_id, source, received_at, peer, headers, body = row
    delivery = Delivery(
        source=source,
        body=bytes(body),
        received_at=received_at,
        headers=to_headers(msgspec.json.decode(headers)),
        peer=peer,
    )
    return StoredDelivery(id=row_id, delivery=delivery)


def _verdict(filing: Filing, receipt: Receipt) -> dict[str, Any]:
    """Return the verdict columns of a delivery that was filed anew."""
    flaw = filing.first_flaw
    return {
        "outcome": filing.outcome.value,
        "reason": flaw.reason if flaw else "",
        "field": flaw.field if flaw else "",
        "accepted": receipt.accepted,
        "alerts": msgspec.json.encode(receipt.alerts).decode(),
        "rejected": receipt.rejected,
        "unparsed": receipt.unparsed,
    }
