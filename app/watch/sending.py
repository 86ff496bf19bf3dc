"""Sending: alerts go out as Alertmanager's webhook would send them.

What goes on is told again now and then, byte for byte the same; what is over
is told until it is accepted. Nothing is lost between two tries: what began
and ended meanwhile is told in that order. All of it is bounded.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping

import httpx
import msgspec

from app.core.brief import brief
from app.core.clock import Clock, to_iso
from app.core.errors import OutgoingFailed
from app.core.log import get_log
from app.core.version import VERSION
from app.watch.rules import Alert

NEVER = "0001-01-01T00:00:00Z"
# Between two tries; it doubles.
FIRST_SECONDS, MOST_SECONDS = 1.0, 30.0
MOST_DOUBLINGS = 5
MOST_LINES = 256
# Of one alert: more beginnings and ends than this nobody has to know.
MOST_OF_ONE = 6
TIMEOUT_SECONDS = 5.0
log = get_log("watch")


def to_body(alert: Alert) -> bytes:
    """Return an alert as Alertmanager's webhook of version 4 has it."""
    is_over = alert.ends_at is not None
    status = "resolved" if is_over else "firing"
    annotations = {
        "summary": alert.text.summary,
        "description": alert.text.description,
    }
    one = {
        "status": status,
        "labels": dict(alert.labels),
        "annotations": annotations,
        "startsAt": to_iso(alert.starts_at) or NEVER,
        "endsAt": to_iso(alert.ends_at) or NEVER,
        "generatorURL": "",
        "fingerprint": alert.fingerprint,
    }
    group = {
        "version": "4",
        "groupKey": f"watch/{alert.fingerprint}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "smokejumper",
        "groupLabels": {"alertname": alert.name},
        "commonLabels": dict(alert.labels),
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [one],
    }
    return msgspec.json.encode(group)


class _Post:
    """One thing to tell."""

    def __init__(self, alert: Alert, due: float) -> None:
        """Take what, and when."""
        self.alert = alert
        self.body = to_body(alert)
        self.is_end = alert.ends_at is not None
        self.is_accepted = False
        self.due = due
        self.tries = 0


class Outbox:
    """What is to be told, in order for each alert. Pure.

    Attributes:
        lost: how much there was no room for, and nobody will be told.
    """

    def __init__(self, repeat_seconds: float, most: int = MOST_LINES) -> None:
        """Take how often what goes on is told, and the bound."""
        self._repeat = repeat_seconds
        self._most = most
        self._lines: dict[str, deque[_Post]] = {}
        self.lost = 0

    def add(self, alert: Alert, now: float) -> None:
        """Take what has begun, or is over."""
        name = alert.fingerprint
        if name not in self._lines and len(self._lines) >= self._most:
            self.lost += 1
            return
        line = self._lines.setdefault(name, deque())
        line.append(_Post(alert, now))
        if len(line) > MOST_OF_ONE:
            # The oldest beginning with its end.
            line.popleft()
            line.popleft()
            self.lost += 2

    def due(self, now: float) -> list[_Post]:
        """Return what is to be told now, one thing of each alert."""
        return [one for one in self._heads() if one.due <= now]

    def next_due(self) -> float | None:
        """Return when something is to be told next, None for never."""
        return min((one.due for one in self._heads()), default=None)

    def accept(self, post: _Post, now: float) -> None:
        """Note that something was taken."""
        post.is_accepted, post.tries = True, 0
        post.due = now + self._repeat
        name = post.alert.fingerprint
        line = self._lines.get(name)
        if line and line[0] is post and post.is_end:
            line.popleft()
        if not line:
            self._lines.pop(name, None)

    def fail(self, post: _Post, now: float) -> None:
        """Note that something was not taken; it is tried again."""
        pause = FIRST_SECONDS * 2 ** min(post.tries, MOST_DOUBLINGS)
        post.tries += 1
        post.due = now + min(pause, MOST_SECONDS)

    def alerts(self) -> tuple[Alert, ...]:
        """Return all that is told, and is to be told, of each in order."""
        lines = self._lines.values()
        return tuple(one.alert for line in lines for one in line)

    def waiting(self) -> int:
        """Return how many things nobody has taken yet."""
        lines = self._lines.values()
        return sum(not one.is_accepted for line in lines for one in line)

    def _heads(self) -> Iterator[_Post]:
        """Yield what is next of each alert."""
        for line in self._lines.values():
            # What was taken is over as soon as there is something newer.
            while len(line) > 1 and line[0].is_accepted:
                line.popleft()
            yield line[0]


class Sender:
    """Posts what is in the outbox; nobody waits for it."""

    def __init__(
        self,
        outbox: Outbox,
        url: str,
        headers: Mapping[str, str],
        clock: Clock,
        client: Callable[[], httpx.AsyncClient] | None = None,
    ) -> None:
        """Take what is sent, to where, and with what that opens it."""
        self._outbox = outbox
        self._url = url
        self._headers = {
            "content-type": "application/json",
            "user-agent": f"Smokejumper-watch/{VERSION}",
            **headers,
        }
        self._clock = clock
        self._client = client or _open
        self._bell = asyncio.Event()
        self._was_told = False

    def add(self, alert: Alert) -> None:
        """Take what has begun, or is over; from the event loop."""
        before = self._outbox.lost
        self._outbox.add(alert, self._clock.monotonic())
        if self._outbox.lost > before:
            waiting = self._outbox.waiting()
            log.error("watch.lost", alert=alert.name, waiting=waiting)
        self._bell.set()

    async def run(self) -> None:
        """Send, until cancelled."""
        async with self._client() as client:
            while True:
                await self.send_due(client)
                await self._wait()

    async def send_due(self, client: httpx.AsyncClient) -> None:
        """Send what is to be sent now, one after the other."""
        for post in self._outbox.due(self._clock.monotonic()):
            try:
                await self._post(client, post.body)
            except OutgoingFailed as error:
                self._outbox.fail(post, self._clock.monotonic())
                self._tell(str(error))
            else:
                self._outbox.accept(post, self._clock.monotonic())
                self._was_told = False

    async def _wait(self) -> None:
        """Wait until something is to be sent."""
        due = self._outbox.next_due()
        seconds = MOST_SECONDS
        if due is not None:
            seconds = max(0.0, due - self._clock.monotonic())
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return
        self._bell.clear()

    async def _post(self, client: httpx.AsyncClient, body: bytes) -> None:
        """Return when somebody took it, or raise OutgoingFailed."""
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                client.stream(
                    "POST", self._url, headers=self._headers, content=body
                ) as answer,
            ):
                status = answer.status_code
        except TimeoutError as error:
            text = f"no answer in {TIMEOUT_SECONDS:g} s"
            raise OutgoingFailed(text) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            text = f"{type(error).__name__}: {error}"
            raise OutgoingFailed(brief(text)) from error
        if not 200 <= status < 300:
            raise OutgoingFailed(f"status {status}")

    def _tell(self, reason: str) -> None:
        """Log a failure, once until it goes well again."""
        if not self._was_told:
            waiting = self._outbox.waiting()
            log.warning("watch.not_sent", reason=reason, waiting=waiting)
        self._was_told = True


def _open() -> httpx.AsyncClient:
    """Return a client: bounded, no proxies, no redirects."""
    return httpx.AsyncClient(
        timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False
    )
