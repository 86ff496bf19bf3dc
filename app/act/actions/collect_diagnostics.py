"""Look first: collect evidence on one host, change nothing."""

from app.models.action import ActionSpec, Budget, Parameter, Risk, Run
from app.models.origins import (
    HOST_LABELS,
    SERVICE_KEYS,
    SERVICE_LABELS,
    TOPICS,
)


def plugin(_env: object) -> ActionSpec:
    """Return what is declared of it."""
    return ActionSpec(
        name="collect_diagnostics",
        purpose="Collect evidence on one host, without changing anything.",
        when_to_use="Performance, latency, errors, queues or saturation:"
        " looking tells more than acting, and nothing else is safe.",
        when_not_to_use="Nothing can be looked at on a host, or people are"
        " needed at once: security, certificates, hardware, data.",
        parameters={
            "host": Parameter(
                purpose="the host to look at",
                shape="host",
                labels=HOST_LABELS,
                inventory="host",
            ),
            "topic": Parameter(
                purpose="what to look at", shape="word", values=TOPICS
            ),
        },
        hints={
            # As restart_service has it: what would be restarted is seen.
            "service": Parameter(
                purpose="the service that the alert is about",
                shape="service",
                labels=SERVICE_LABELS,
                item_keys=SERVICE_KEYS,
                inventory="service",
                known_software=True,
            ),
        },
        risk=Risk.OBSERVE,
        run=Run(backend="local", job="collect-diagnostics"),
        cooldown_seconds=0,
        budget=Budget(runs=6, window_seconds=3_600),
    )
