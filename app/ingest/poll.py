"""A poll: what an Alertmanager is asked, and what is made of its answer.

Its notifications may leave alerts out (max_alerts), and a resolve may never
come (a silence, an outage of ours). So its own list is compared with what
goes on here, and what is news becomes an ordinary delivery in the shape of
its webhook. What it does not say is never taken for a resolve: that needs
two polls in a row of one that has been up for a while.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from app.core.clock import to_iso
from app.models.delivery import Flaw, Unparsed
from app.models.payload import read_json
from app.models.wire import (
    real_moment,
    to_fingerprint,
    whole_milliseconds,
)
from app.store.ongoing import Beginning, Ongoing

ALERTS, STATUS = "/api/v2/alerts", "/api/v2/status"
RECEIVER = "smokejumper-poll"
ZERO_TIME = "0001-01-01T00:00:00Z"
MOST_LISTED = 100_000
# One delivery holds so many alerts at most.
MOST_IN_ONE = 100
VANISHED = "Alertmanager lists it no longer: two polls in a row said so"
AGAIN = "Alertmanager lists it although it had told its end"


class WireState(msgspec.Struct):
    """Whether Alertmanager would tell an alert."""

    state: str


class WireReceiver(msgspec.Struct):
    """Whom it would tell."""

    name: str


class Listed(msgspec.Struct):
    """One alert of Alertmanager's list, as it comes."""

    labels: dict[str, str]
    startsAt: datetime  # noqa: N815 (the sender's spelling)
    status: WireState
    fingerprint: str = ""
    annotations: dict[str, str] = {}
    generatorURL: str = ""  # noqa: N815
    receivers: list[WireReceiver] = []

    @property
    def begins_at(self) -> int:
        """Return when it began."""
        return whole_milliseconds(self.startsAt) or 0

    @property
    def beginning(self) -> Beginning:
        """Return what tells it from other episodes of its source."""
        return self.fingerprint, self.begins_at

    def is_told(self, receiver: str) -> bool:
        """Tell whether Alertmanager would tell us: no silence, no other."""
        if self.status.state != "active":
            return False
        return not receiver or any(r.name == receiver for r in self.receivers)


class WireStatus(msgspec.Struct):
    """What a member says about itself: since when it is up."""

    uptime: datetime


LISTED = msgspec.json.Decoder(list[Listed])
UPTIME = msgspec.json.Decoder(WireStatus)


class Answer(msgspec.Struct, frozen=True):
    """What one member said: since when it is up, and its alerts."""

    up_since: int
    alerts: Sequence[Listed]


class Told(msgspec.Struct):
    """One alert in the shape of the webhook."""

    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    startsAt: str  # noqa: N815 (the sender's spelling)
    endsAt: str = ZERO_TIME  # noqa: N815
    generatorURL: str = ""  # noqa: N815
    fingerprint: str = ""


class Found(msgspec.Struct):
    """What a poll amounts to.

    Attributes:
        news: what fires there and not here.
        missing: what goes on here and is not listed there.
        confirmed: what goes on in both places.
    """

    news: list[Listed] = []
    missing: list[Ongoing] = []
    confirmed: list[Ongoing] = []


def read_answer(status: bytes, alerts: bytes) -> Answer:
    """Return what a member said, or raise Unparsed: then it said nothing."""
    up_since = real_moment(read_json(status, UPTIME).uptime)
    if up_since is None:
        raise Unparsed(Flaw("missing", "$.uptime", "is not there"))
    listed = read_json(alerts, LISTED)
    if len(listed) > MOST_LISTED:
        text = f"{len(listed)} alerts are more than {MOST_LISTED}"
        raise Unparsed(Flaw("too_many", "$", text))
    for alert in listed:
        alert.fingerprint = alert.fingerprint or to_fingerprint(alert.labels)
    return Answer(up_since, listed)


class Memory:
    """What the last poll saw, so that two in a row can agree."""

    def __init__(self) -> None:
        """Begin without a poll before."""
        self._missed: dict[Beginning, int] = {}
        self._refired: set[Beginning] = set()

    def forget(self) -> None:
        """Begin anew: the last poll is not to be relied on."""
        self._missed.clear()
        self._refired.clear()

    def settle_vanished(
        self, missing: Iterable[Ongoing], now: int, age: int
    ) -> list[tuple[Ongoing, int]]:
        """Return what two polls in a row did not see, and since when."""
        before, self._missed = self._missed, {}
        vanished = []
        for one in missing:
            if now - one.came_at < age:
                continue
            since = before.get(one.beginning)
            if since is not None:
                vanished.append((one, max(since, one.begins_at)))
            self._missed[one.beginning] = now if since is None else since
        return vanished

    def settle_refired(
        self, over: set[Beginning], news: Sequence[Listed], now: int
    ) -> list[Told]:
        """Return the news as alerts, those that are over here dated anew.

        Args:
            over: those of the news whose end was told here.
            news: what fires there.
            now: when it was asked.
        """
        before, self._refired = self._refired, over
        told = []
        for one in news:
            if one.beginning not in over:
                told.append(to_firing(one))
            elif one.beginning in before:
                told.append(to_firing(one, now))
        return told


def compare(
    listed: Mapping[str, Listed],
    ongoing: Sequence[Ongoing],
    is_ours: Callable[[Listed], bool],
) -> Found:
    """Return what is on one side only, and what is on both."""
    found = Found()
    newest: dict[str, int] = {}
    for one in ongoing:
        known = newest.get(one.fingerprint, one.begins_at)
        newest[one.fingerprint] = max(one.begins_at, known)
        there = listed.get(one.fingerprint)
        if there is None:
            found.missing.append(one)
        elif there.begins_at <= one.begins_at:
            found.confirmed.append(one)
    for fingerprint, there in sorted(listed.items()):
        here = newest.get(fingerprint)
        is_news = here is None or here < there.begins_at
        if is_news and is_ours(there):
            found.news.append(there)
    return found


def unite(answers: Iterable[Answer]) -> dict[str, Listed]:
    """Return the alerts of all members, by fingerprint; the newest wins."""
    listed: dict[str, Listed] = {}
    for answer in answers:
        for alert in answer.alerts:
            known = listed.get(alert.fingerprint)
            if known is None or _rank(alert) > _rank(known):
                listed[alert.fingerprint] = alert
    return listed


def _rank(alert: Listed) -> tuple[int, bool]:
    """Return what makes one member's word on an alert the better one."""
    return alert.begins_at, alert.status.state == "active"


def to_firing(alert: Listed, now: int | None = None) -> Told:
    """Return a listed alert as it would have been told; anew when dated."""
    again = {} if now is None else {"smokejumper_poll": AGAIN}
    return Told(
        status="firing",
        labels=alert.labels,
        annotations={**alert.annotations, **again},
        startsAt=to_iso(now or alert.begins_at) or ZERO_TIME,
        generatorURL=alert.generatorURL,
        fingerprint=alert.fingerprint,
    )


def to_resolved(
    episode: Ongoing, labels: Mapping[str, str], ends_at: int
) -> Told:
    """Return the end of an episode as it would have been told."""
    return Told(
        status="resolved",
        labels=labels,
        annotations={
            "summary": episode.summary,
            "smokejumper_poll": VANISHED,
        },
        startsAt=to_iso(episode.begins_at) or ZERO_TIME,
        endsAt=to_iso(ends_at) or ZERO_TIME,
        fingerprint=episode.fingerprint,
    )


def to_body(alerts: Sequence[Told]) -> bytes:
    """Return a delivery in the shape of the webhook.

    The same alerts make the same bytes, so that they are counted as a
    repeat.
    """
    is_firing = any(one.status == "firing" for one in alerts)
    return msgspec.json.encode(
        {
            "version": "4",
            "groupKey": RECEIVER,
            "status": "firing" if is_firing else "resolved",
            "receiver": RECEIVER,
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "",
            "truncatedAlerts": 0,
            "alerts": alerts,
        }
    )
