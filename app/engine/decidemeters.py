"""What deciding tells Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.models.record import Record


class Meters:
    """What deciding tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the meters part of a registry."""
        self.decisions = Counter(
            "smokejumper_decisions",
            "Decisions that were made",
            ["action", "why", "brain", "shadow"],
            registry=registry,
        )
        self.seconds = Histogram(
            "smokejumper_decide_seconds",
            "Time from the case to the decision",
            ["brain"],
            buckets=(0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120),
            registry=registry,
        )
        self.tokens = Counter(
            "smokejumper_decide_tokens",
            "Tokens that models read and wrote",
            ["brain", "direction"],
            registry=registry,
        )
        self.shared = Counter(
            "smokejumper_decide_shared",
            "Decisions that shared the answer of an identical case",
            registry=registry,
        )
        self.refused = Counter(
            "smokejumper_decide_refused",
            "Calls that were not made because a budget was used up",
            ["budget"],
            registry=registry,
        )
        self.failures = Counter(
            "smokejumper_decide_failures",
            "Decisions that could not be made or kept, and are tried again",
            registry=registry,
        )
        self.waiting = Gauge(
            "smokejumper_decide_waiting",
            "Open incidents that wait for a decision",
            registry=registry,
        )

    def count(self, record: Record) -> None:
        """Count one decision with what it took."""
        decision, cost = record.decision, record.cost
        shadow = "yes" if record.agrees is not None else "no"
        self.decisions.labels(
            decision.action, str(decision.why), decision.brain, shadow
        ).inc()
        if not cost.calls:
            self.shared.inc(str(decision.why) != "budget")
            return
        self.seconds.labels(decision.brain).observe(cost.milliseconds / 1e3)
        for call in decision.calls:
            self.tokens.labels(call.brain, "in").inc(call.tokens_in)
            self.tokens.labels(call.brain, "out").inc(call.tokens_out)
