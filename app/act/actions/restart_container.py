"""Restart one container of one container host."""

from app.models.action import (
    ActionSpec,
    Budget,
    Check,
    Parameter,
    Risk,
    Run,
)
from app.models.origins import CONTAINER_LABELS, HOST_LABELS


def plugin(_env: object) -> ActionSpec:
    """Return what is declared of it."""
    return ActionSpec(
        name="restart_container",
        purpose="Restart one stateless container on one host.",
        when_to_use="A named stateless container is unhealthy, stuck, or"
        " leaks in a way that a restart is known to mend.",
        when_not_to_use="Containers with data (databases, queues, storage),"
        " a container that is gone or was ended on purpose, volumes.",
        parameters={
            "host": Parameter(
                purpose="the host that the container runs on",
                shape="host",
                labels=HOST_LABELS,
                inventory="host",
            ),
            "container": Parameter(
                purpose="the container's name",
                shape="container",
                labels=CONTAINER_LABELS,
                inventory="container",
            ),
        },
        risk=Risk.DISRUPTIVE,
        run=Run(backend="local", job="restart-container"),
        check=Check(name="container_is_healthy", hold_seconds=120),
        budget=Budget(runs=2, window_seconds=3_600),
    )
