"""What the intake tells Prometheus, by source."""

import re

from prometheus_client import CollectorRegistry, Counter

from app.models.delivery import Receipt


class Counters:
    """Counts of deliveries and alerts; unparsed and refused by reason."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def make(name: str, text: str, *labels: str) -> Counter:
            """Return one counter with our prefix."""
            names = ("source", *labels)
            return Counter(name, text, names, "smokejumper", registry=registry)

        self._deliveries = make("deliveries", "Deliveries on disk")
        self._repeats = make("deliveries_repeated", "Deliveries seen before")
        self._accepted = make("alerts_accepted", "New alerts")
        self._repeated = make("alerts_repeated", "Alerts that were known")
        self._rejected = make("alerts_rejected", "Alerts not allowed")
        self._unparsed = make(
            "alerts_unparsed", "Parts in quarantine", "reason", "field"
        )
        self._refused = make(
            "deliveries_refused", "Requests not accepted", "reason"
        )

    def of(self, source: str) -> "SourceCounters":
        """Return the counters of one source, ready at zero."""
        return SourceCounters(
            source,
            (self._deliveries, self._repeats),
            (self._accepted, self._repeated, self._rejected),
            (self._unparsed, self._refused),
        )


class SourceCounters:
    """The counters of one source; cheap to call for every delivery."""

    def __init__(
        self,
        source: str,
        deliveries: tuple[Counter, Counter],
        alerts: tuple[Counter, Counter, Counter],
        causes: tuple[Counter, Counter],
    ) -> None:
        self._source = source
        self._deliveries, self._repeats = (
            counter.labels(source) for counter in deliveries
        )
        self._accepted, self._repeated, self._rejected = (
            counter.labels(source) for counter in alerts
        )
        self._unparsed, self._refused = causes

    def took(self, receipt: Receipt) -> None:
        """Count a delivery that is on disk."""
        if receipt.repeat:
            self._repeats.inc()
        else:
            self._deliveries.inc()
            self._rejected.inc(receipt.rejected)
        self._accepted.inc(receipt.accepted)
        self._repeated.inc(receipt.repeated)

    def did_not_parse(self, reason: str, field: str) -> None:
        """Count a part that went into quarantine."""
        place = re.sub(r"[0-9]+", "", field)[:80]
        self._unparsed.labels(self._source, reason, place).inc()

    def refused(self, reason: str) -> None:
        """Count a request that was not accepted."""
        self._refused.labels(self._source, reason).inc()
