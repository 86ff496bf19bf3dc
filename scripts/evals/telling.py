"""Make the case of a row, as the service would: parser, then casing.

Nothing of the service runs: a payload goes through its source's own parser,
and the alert that comes out is told to app/decide/casing.py.
"""

import json
from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from app.core.clock import from_iso
from app.core.configfile import Config
from app.core.errors import OutgoingFailed
from app.core.registry import scan
from app.decide.casing import make_case, told_by
from app.ingest import sources
from app.ingest.counters import Counters
from app.ingest.entrances import Env, World
from app.models.alert import Alert, Status
from app.models.case import Case
from app.models.delivery import Delivery, Headers, Unparsed
from app.ports import Source
from scripts.evals.truth import Truth, Wrong

# Ages must not change from day to day: a row that says nothing came now.
NOW = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z
JSON = {"content-type": "application/json"}


class StillClock:
    """A clock that stands."""

    def now(self) -> int:
        """Return the moment at which all rows come."""
        return NOW

    def monotonic(self) -> float:
        """Return no time at all."""
        return 0.0


async def fetch_nothing(address: str) -> bytes:
    """Refuse to go anywhere: an evaluation reads what it is given."""
    raise OutgoingFailed(f"an evaluation does not call {address}")


class Teller:
    """Reads payloads by the parsers of the product."""

    def __init__(self) -> None:
        """Find the parsers; each is made when it is first needed."""
        self._plugins = scan(sources)
        self._sources: dict[str, Source] = {}
        self._world = World(
            environ={},
            clock=StillClock(),
            fetch=fetch_nothing,
            counters=Counters(CollectorRegistry()),
            listens_on="127.0.0.1",
        )

    def tell(self, truth: Truth) -> Case:
        """Return the case of a row, or raise Wrong with its id."""
        if truth.case is not None:
            return truth.case
        now = from_iso(truth.received_at) if truth.received_at else NOW
        if now is None:
            raise Wrong(f"{truth.id}: received_at is no ISO 8601")
        delivery = Delivery(
            source=truth.source,
            body=json.dumps(truth.payload).encode(),
            headers=to_headers(truth.headers or JSON),
            received_at=now,
        )
        try:
            parsed = self._source(truth.source).parse(delivery)
        except Unparsed as error:
            raise Wrong(f"{truth.id}: {error}") from error
        if not parsed.alerts:
            flaws = "; ".join(f"{f.field} {f.detail}" for f in parsed.unparsed)
            raise Wrong(f"{truth.id}: no alert in it {flaws or parsed.note}")
        return to_case(truth.source, choose(parsed.alerts), now)

    def _source(self, kind: str) -> Source:
        """Return the parser of a kind of source."""
        if kind not in self._sources:
            if kind not in self._plugins:
                known = ", ".join(sorted(self._plugins))
                raise Wrong(f"there is no source {kind!r}; known: {known}")
            config = Config({"sources": {kind: {}}}, {(): "the evaluation"})
            env = Env(kind, config, self._world)
            self._sources[kind] = self._plugins[kind](env)
        return self._sources[kind]


def to_headers(headers: Mapping[str, str]) -> Headers:
    """Return headers as they come over the wire."""
    return tuple(
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in headers.items()
    )


def choose(alerts: tuple[Alert, ...]) -> Alert:
    """Return what of a group is decided on: the first that fires."""
    firing = (one for one in alerts if one.status is Status.FIRING)
    return next(firing, alerts[0])


def to_case(source: str, alert: Alert, now: int) -> Case:
    """Return the case of an alert."""
    return make_case(told_by(source, alert), now)
