"""Clients that send alerts as monitoring systems do, and never give up."""

import json
import random
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from typing import Any

from tests.chaos.ledger import Identity, Ledger, Post, Refusal

PATH = "/webhooks/alertmanager"
ANSWER_SECONDS = 15.0
PAUSE_SECONDS = 0.02
FINISH_SECONDS = 40.0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZERO = "0001-01-01T00:00:00Z"


class Bodies:
    """Makes Alertmanager deliveries that nobody has seen before."""

    def __init__(self, padding: int = 0) -> None:
        self._chance = random.Random()
        self._prefix = secrets.token_hex(8)
        self._padding = padding
        self._count = 0

    def post(self) -> Post:
        """Return a delivery of one to five new alerts."""
        return self.same(1)[0]

    def same(self, senders: int) -> list[Post]:
        """Return what so many Alertmanagers say about the same alerts."""
        pairs = [self._alert() for _ in range(self._chance.randint(1, 5))]
        identities = tuple(identity for identity, _ in pairs)
        return [
            Post(self._body(sender, [wire for _, wire in pairs]), identities)
            for sender in range(senders)
        ]

    def _alert(self) -> tuple[Identity, dict[str, Any]]:
        """Return one alert: its identity, and how it is sent."""
        self._count += 1
        start = datetime.now(UTC) - timedelta(seconds=self._count)
        # Starts count to the millisecond, as Alertmanager's API tells them.
        start = start.replace(microsecond=start.microsecond // 1_000 * 1_000)
        status = self._chance.choice(["firing", "resolved"])
        fingerprint = f"{self._prefix}{self._count:08x}"
        moment = (start - EPOCH) // timedelta(microseconds=1)
        wire = {
            "status": status,
            "labels": {"alertname": "Chaos", "instance": fingerprint},
            "annotations": {"summary": "a test of 100 % \u00fc \u2192"},
            "startsAt": start.isoformat(),
            "endsAt": ZERO if status == "firing" else start.isoformat(),
            "fingerprint": fingerprint,
        }
        identity = Identity(fingerprint, "alertmanager", str(moment), status)
        return identity, wire

    def _body(self, sender: int, alerts: list[dict[str, Any]]) -> bytes:
        """Return a delivery of one of the senders of a set."""
        padding = self._chance.randint(0, self._padding) * "."
        group = {
            "version": "4",
            "groupKey": "{}:{}",
            "truncatedAlerts": 0,
            "externalURL": f"http://alertmanager-{sender}.example.net",
            "padding": padding,
            "alerts": alerts,
        }
        return json.dumps(group).encode()


class Load:
    """Some clients that send until they are told to stop.

    A client whose connection broke, or that was told to come later, sends
    the same bytes again until they are acknowledged.
    """

    def __init__(
        self,
        port: int,
        clients: int = 6,
        padding: int = 0,
        place: Callable[[], int] = lambda: 0,
    ) -> None:
        self.ledger = Ledger()
        self._port = port
        self._place = place
        self._shared: deque[Post] = deque()
        self._no_more = threading.Event()
        self._give_up = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(Bodies(padding),))
            for _ in range(clients)
        ]

    @contextmanager
    def running(self) -> Iterator[Ledger]:
        """Send while the block runs; then wait until all is acknowledged."""
        for thread in self._threads:
            thread.start()
        try:
            yield self.ledger
            self._no_more.set()
            self._join(FINISH_SECONDS)
            if any(thread.is_alive() for thread in self._threads):
                self.ledger.fault("some deliveries are never acknowledged")
        finally:
            self._no_more.set()
            self._give_up.set()
            self._join(2 * ANSWER_SECONDS)

    def wait_for(self, acks: int) -> None:
        """Return when so many more acknowledgements have come."""
        goal = len(self.ledger.acks) + acks
        wait_until(
            lambda: len(self.ledger.acks) >= goal,
            f"{acks} more acknowledgements",
        )

    def send_all_again(self) -> None:
        """Send every acknowledged body again; the ledger checks the ids."""
        client = Client(self._port)
        for post in self.ledger.posts:
            self._deliver(client, post)
        client.close()

    def _join(self, seconds: float) -> None:
        """Wait for the clients to end."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, bodies: Bodies) -> None:
        """Send one delivery after the other, as one client."""
        chance = random.Random()
        client = Client(self._port)
        while not self._no_more.is_set() or self._shared:
            for post in self._next(bodies, chance):
                self._deliver(client, post)
        client.close()

    def _next(self, bodies: Bodies, chance: random.Random) -> list[Post]:
        """Return what to send next: new, twice, or one of a set's three."""
        try:
            return [self._shared.popleft()]
        except IndexError:
            pass
        kind = chance.random()
        if kind < 0.1:
            return [bodies.post()] * 2
        if kind < 0.2:
            self._shared.extend(bodies.same(3))
            return []
        return [bodies.post()]

    def _deliver(self, client: "Client", post: Post) -> None:
        """Send a body until it is acknowledged."""
        self.ledger.send(post)
        while not self._give_up.is_set():
            answer = client.post(post.body)
            if answer is None:
                self._give_up.wait(PAUSE_SECONDS)
                continue
            status, media_type, told = answer
            if status == 202:
                self.ledger.accept(post, told, self._place())
                return
            reason = str(told.get("reason"))
            self.ledger.refuse(Refusal(status, media_type, reason))
            if status != 503:
                self.ledger.fault(f"answered {status}: {told}")
                return
            self._give_up.wait(PAUSE_SECONDS)


class Client:
    """One connection that is kept open, and opened again when it broke."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection(
            "127.0.0.1", port, timeout=ANSWER_SECONDS
        )

    def post(self, body: bytes) -> tuple[int, str, Any] | None:
        """Return status, media type and JSON; None when the line broke."""
        headers = {"content-type": "application/json"}
        try:
            self._connection.request("POST", PATH, body, headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            self._connection.close()
            return None
        media_type = answer.getheader("content-type", "")
        return answer.status, media_type, json.loads(content)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def wait_until(
    is_so: Callable[[], bool], what: str, seconds: float = 30.0
) -> None:
    """Return when something is so; fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.01)
