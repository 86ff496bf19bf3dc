"""What the canary tells Prometheus: how old, how long, and where it stands."""

from prometheus_client import CollectorRegistry, Gauge

from app.core.clock import Clock
from app.models.canary import STAGES


class Meters:
    """What the canary tells Prometheus, by stage."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        """Make the meters part of a registry.

        Until the first one has come through, its age is that of the service.
        A clock that is set back makes nothing younger.
        """
        self._clock = clock
        self._sent = dict.fromkeys(STAGES, clock.monotonic())
        age = Gauge(
            "smokejumper_canary_age_seconds",
            "How long ago the last canary was sent that came through",
            ["stage"],
            registry=registry,
        )
        self._took = Gauge(
            "smokejumper_canary_seconds",
            "How long the last canary took that came through",
            ["stage"],
            registry=registry,
        )
        self._stuck = Gauge(
            "smokejumper_canary_stuck",
            "Where the last canary did not come through, and why",
            ["stage", "why"],
            registry=registry,
        )

        def make(stage: str) -> None:
            """Let the age of one stage be told when it is asked for."""
            age.labels(stage).set_function(
                lambda: clock.monotonic() - self._sent[stage]
            )

        for stage in STAGES:
            make(stage)

    def came(self, stage: str, seconds: float) -> None:
        """Tell that a canary came through a stage, so long after it went."""
        sent = self._clock.monotonic() - seconds
        self._sent[stage] = max(sent, self._sent[stage])
        self._took.labels(stage).set(seconds)

    def stuck(self, stage: str, why: str) -> None:
        """Tell where the last one stands, and why; empty: it came through."""
        self._stuck.clear()
        if stage:
            self._stuck.labels(stage, why).set(1)
