"""What the intake tells Prometheus, by source.

Plain numbers that only the event loop changes: a counter with a lock for
each would cost more than reading the delivery.
"""

import re
from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily

from app.models.delivery import Receipt

TOTALS = {
    "deliveries": "Deliveries on disk",
    "deliveries_repeated": "Deliveries seen before",
    "alerts_accepted": "New alerts",
    "alerts_repeated": "Alerts that were known",
    "alerts_rejected": "Alerts that the source may not say",
    "alerts_truncated": "Alerts that the sender left out of its groups",
}
# So many reasons and fields of one source are told apart.
MOST = 100
OTHER = "other"


class SourceCounters:
    """The counters of one source; cheap to call for every delivery."""

    def __init__(self) -> None:
        """Start at zero."""
        self.totals = dict.fromkeys(TOTALS, 0)
        self.unparsed: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[tuple[str]] = Counter()

    def took(self, receipt: Receipt, truncated: int) -> None:
        """Count a delivery that is on disk, and what was left out of it."""
        totals = self.totals
        if receipt.repeat:
            totals["deliveries_repeated"] += 1
        else:
            totals["deliveries"] += 1
            totals["alerts_rejected"] += receipt.rejected
            totals["alerts_truncated"] += truncated
        totals["alerts_accepted"] += receipt.accepted
        totals["alerts_repeated"] += receipt.repeated

    def did_not_parse(self, reason: str, field: str) -> None:
        """Count a part that went into quarantine."""
        # Without its numbers, so that a sender cannot make new series.
        place = re.sub(r"[0-9]+", "", field)[:80]
        if len(self.unparsed) >= MOST and (reason, place) not in self.unparsed:
            # Some places bear names that the sender chose.
            place = OTHER
        self.unparsed[reason, place] += 1

    def refused(self, reason: str) -> None:
        """Count a request that was not accepted."""
        self.refusals[(reason,)] += 1


class Counters:
    """The counters of all sources, as Prometheus collects them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make them part of a registry."""
        self._sources: dict[str, SourceCounters] = {}
        registry.register(self)

    def of(self, source: str) -> SourceCounters:
        """Return the counters of one source, at zero."""
        return self._sources.setdefault(source, SourceCounters())

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield every counter with its present value."""
        for name, text in TOTALS.items():
            family = _family(name, text)
            for source, counters in self._sources.items():
                family.add_metric([source], counters.totals[name])
            yield family
        unparsed = _family(
            "alerts_unparsed", "Parts in quarantine", "reason", "field"
        )
        refused = _family("deliveries_refused", "Not accepted", "reason")
        for source, counters in self._sources.items():
            # Copied: the event loop may add a reason while we look.
            for cause, count in dict(counters.unparsed).items():
                unparsed.add_metric([source, *cause], count)
            for cause_, count in dict(counters.refusals).items():
                refused.add_metric([source, *cause_], count)
        yield unparsed
        yield refused


def _family(name: str, text: str, *labels: str) -> CounterMetricFamily:
    """Return one family of counters with our prefix."""
    return CounterMetricFamily(
        f"smokejumper_{name}", text, labels=["source", *labels]
    )
