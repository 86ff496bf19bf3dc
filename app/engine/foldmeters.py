"""What folding tells Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Meters:
    """What folding tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the meters part of a registry."""
        self.alerts = Counter(
            "smokejumper_folded_alerts",
            "Alerts that became part of an incident",
            registry=registry,
        )
        self.entries = Counter(
            "smokejumper_log_entries",
            "Lines written into the action log",
            registry=registry,
        )
        self.seconds = Histogram(
            "smokejumper_fold_seconds",
            "Time of one turn of folding, from the first statement to disk",
            buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5),
            registry=registry,
        )
        self.failures = Counter(
            "smokejumper_fold_failures",
            "Turns of folding that the database did not take",
            registry=registry,
        )
        self.skipped = Counter(
            "smokejumper_fold_skipped_alerts",
            "Alerts that folding stumbled over and passed by",
            registry=registry,
        )
        self.is_behind = Gauge(
            "smokejumper_fold_is_behind",
            "1 while more alerts wait than one turn takes, or turns fail",
            registry=registry,
        )
        self.waiting = Gauge(
            "smokejumper_fold_waiting_alerts",
            "How far the newest alert lies beyond the last that was folded",
            registry=registry,
        )
        self.last_turn = Gauge(
            "smokejumper_fold_last_turn_seconds",
            "When the last turn was written, in seconds since 1970",
            registry=registry,
        )
