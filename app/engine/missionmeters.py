"""What missions tell Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Meters:
    """What the mission chore tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the meters part of a registry."""
        self.stages = Gauge(
            "smokejumper_missions",
            "Missions that go on, by stage",
            ["stage"],
            registry=registry,
        )
        self.failures = Counter(
            "smokejumper_mission_failures_total",
            "Steps of missions that failed and are tried again",
            registry=registry,
        )
        self.fenced = Counter(
            "smokejumper_mission_fenced_total",
            "Moves that came too late, and were refused",
            registry=registry,
        )
        self.halted = Gauge(
            "smokejumper_halted",
            "Whether nothing may be started",
            registry=registry,
        )
