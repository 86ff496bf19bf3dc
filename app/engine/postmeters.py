"""What sending tells Prometheus."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.models.message import LIVE, DispatchState

SHOWN = (*LIVE, DispatchState.DEAD)


class Meters:
    """What sending tells Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the meters part of a registry."""
        self.dispatches = Gauge(
            "smokejumper_dispatches",
            "Messages on their way to a channel, and those given up",
            ["state"],
            registry=registry,
        )
        self.oldest = Gauge(
            "smokejumper_dispatch_oldest_seconds",
            "How long the longest due message has waited to be sent",
            registry=registry,
        )
        self.dead = Counter(
            "smokejumper_messages_dead",
            "Messages that were given up: people were not told",
            registry=registry,
        )
        self.letters = Counter(
            "smokejumper_letters",
            "Letters that were sent, or that failed",
            ["channel", "outcome"],
            registry=registry,
        )

    def tell(
        self, states: Mapping[str, int], oldest: int | None, now: int
    ) -> None:
        """Show how many there are of each state, and the oldest's age."""
        for state in SHOWN:
            self.dispatches.labels(state.value).set(states.get(state, 0))
        waited = 0 if oldest is None else max(0, now - oldest)
        self.oldest.set(waited / 1e6)
