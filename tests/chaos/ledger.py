"""The ledger: what was acknowledged, compared with the database."""

import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

DELIVERIES = "SELECT id, body FROM delivery"
ALERTS = (
    "SELECT id, fingerprint, source, occurrence, status, delivery_id"
    " FROM alert"
)


class Identity(NamedTuple):
    """What makes an alert the same message again."""

    fingerprint: str
    source: str
    occurrence: str
    status: str


class Post(NamedTuple):
    """One body to deliver, and the alerts that are in it."""

    body: bytes
    alerts: tuple[Identity, ...]


class Ack(NamedTuple):
    """One 2xx; ``place`` is how far the journal of the disk was."""

    post: Post
    delivery: int
    alerts: tuple[int, ...]
    place: int


class Refusal(NamedTuple):
    """One answer that promised nothing."""

    status: int
    media_type: str
    reason: str


class Found(NamedTuple):
    """What is in a database."""

    deliveries: list[tuple[int, bytes]]
    alerts: list[tuple[int, Identity, int]]
    flaws: list[str]


@dataclass
class Ledger:
    """Written by all clients at once; keeps every answer.

    Attributes:
        acks: every 2xx, in the order in which they came.
        refusals: every other answer.
        faults: answers that contradict earlier ones, or are no answers.
        sent: every body that was ever sent, with its alerts.
    """

    acks: list[Ack] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    sent: dict[bytes, Post] = field(default_factory=dict)
    _ids: dict[bytes, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, post: Post) -> None:
        """Write down that a body is about to be sent."""
        with self._lock:
            self.sent[post.body] = post

    def accept(self, post: Post, answer: Any, place: int) -> None:
        """Write down a 2xx; the same bytes must get the same id."""
        ack = Ack(post, answer["delivery"], tuple(answer["alerts"]), place)
        with self._lock:
            earlier = self._ids.setdefault(post.body, ack.delivery)
            if earlier != ack.delivery:
                self.faults.append(f"two ids: {earlier}, {ack.delivery}")
            self.acks.append(ack)

    def refuse(self, refusal: Refusal) -> None:
        """Write down an answer that promised nothing."""
        with self._lock:
            self.refusals.append(refusal)

    def fault(self, text: str) -> None:
        """Write down what must not happen."""
        with self._lock:
            self.faults.append(text)

    @property
    def posts(self) -> list[Post]:
        """Return each body that was acknowledged, once."""
        return list({ack.post.body: ack.post for ack in self.acks}.values())

    def compare(self, found: Found, until: int | None = None) -> list[str]:
        """Return all that is wrong; acks after a place are not asked for."""
        acks = [a for a in self.acks if until is None or a.place <= until]
        return [
            *found.flaws,
            *_lost(acks, found),
            *_twice(found),
            *_strange(self.sent, found),
        ]


def _lost(acks: Iterable[Ack], found: Found) -> Iterator[str]:
    """Yield what was acknowledged and is not there as it was sent."""
    bodies = dict(found.deliveries)
    by_id = {row_id: identity for row_id, identity, _ in found.alerts}
    there = set(by_id.values())
    for post, delivery, alerts, _ in acks:
        if bodies.get(delivery) != post.body:
            yield f"lost: delivery {delivery}"
        for identity in post.alerts:
            if identity not in there:
                yield f"lost: {identity} of delivery {delivery}"
        # A repeat names no alerts: they are those of the first time.
        for row_id, identity in zip(alerts, post.alerts, strict=False):
            if by_id.get(row_id) != identity:
                yield f"lost: alert {row_id} of delivery {delivery}"


def _twice(found: Found) -> Iterator[str]:
    """Yield what is there more than once."""
    bodies = Counter(body for _, body in found.deliveries)
    for _, count in bodies.most_common(1):
        if count > 1:
            yield f"twice: a body is there {count} times"
    identities = Counter(identity for _, identity, _ in found.alerts)
    for identity, count in identities.most_common(1):
        if count > 1:
            yield f"twice: {identity} is there {count} times"


def _strange(sent: dict[bytes, Post], found: Found) -> Iterator[str]:
    """Yield what nobody sent, and alerts without their delivery."""
    posts = {row_id: sent.get(body) for row_id, body in found.deliveries}
    alerts: dict[int, list[Identity]] = defaultdict(list)
    for row_id, identity, delivery in found.alerts:
        alerts[delivery].append(identity)
        if delivery not in posts:
            yield f"strange: alert {row_id} has no delivery {delivery}"
    for row_id, post in posts.items():
        if post is None:
            yield f"strange: nobody sent delivery {row_id}"
        elif not set(alerts[row_id]) <= set(post.alerts):
            yield f"strange: delivery {row_id} has alerts of others"


def read_sqlite(file: Path) -> Found:
    """Return what is in a SQLite database, and whether it is whole."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            flaws = [
                f"integrity: {text}"
                for (text,) in connection.execute("PRAGMA integrity_check")
                if text != "ok"
            ]
            deliveries = connection.execute(DELIVERIES).fetchall()
            alerts = connection.execute(ALERTS).fetchall()
    except sqlite3.Error as error:
        return Found([], [], [f"unreadable: {error}"])
    return _found(deliveries, alerts, flaws)


def read_postgres(url: str) -> Found:
    """Return what is in a PostgreSQL database."""
    with psycopg.connect(url) as connection:
        deliveries = connection.execute(DELIVERIES).fetchall()
        alerts = connection.execute(ALERTS).fetchall()
    return _found(deliveries, alerts, [])


def _found(
    deliveries: Iterable[tuple[Any, ...]],
    alerts: Iterable[tuple[Any, ...]],
    flaws: list[str],
) -> Found:
    """Return rows in the form of the ledger."""
    return Found(
        [(row_id, bytes(body)) for row_id, body in deliveries],
        [
            (row_id, Identity(*identity), delivery)
            for row_id, *identity, delivery in alerts
        ],
        flaws,
    )
