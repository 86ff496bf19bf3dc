"""Restart one service of one host."""

from app.models.action import (
    ActionSpec,
    Budget,
    Check,
    Parameter,
    Risk,
    Run,
)
from app.models.origins import HOST_LABELS, SERVICE_KEYS, SERVICE_LABELS


def plugin(_env: object) -> ActionSpec:
    """Return what is declared of it."""
    return ActionSpec(
        name="restart_service",
        purpose="Restart one stateless service on one host.",
        when_to_use="A named stateless daemon (web server, worker, agent,"
        " cache, exporter) has failed, stopped or does not answer.",
        when_not_to_use="Databases, queues, storage, identity, network,"
        " certificates, backup jobs, anything that restarts in a loop, or"
        " when the alert does not name the service.",
        parameters={
            "host": Parameter(
                purpose="the host that the service runs on",
                shape="host",
                labels=HOST_LABELS,
                inventory="host",
            ),
            "service": Parameter(
                purpose="the unit's name, without .service",
                shape="service",
                labels=SERVICE_LABELS,
                item_keys=SERVICE_KEYS,
                inventory="service",
                known_software=True,
            ),
        },
        risk=Risk.DISRUPTIVE,
        preconditions=("service_is_listed",),
        run=Run(backend="local", job="restart-service"),
        check=Check(name="service_is_active", hold_seconds=120),
        budget=Budget(runs=2, window_seconds=3_600),
    )
