"""Give one host its memory back: what grows is restarted, or ended."""

from app.models.action import (
    ActionSpec,
    Budget,
    Check,
    Parameter,
    Risk,
    Run,
)
from app.models.origins import HOST_LABELS


def plugin(_env: object) -> ActionSpec:
    """Return what is declared of it."""
    return ActionSpec(
        name="free_memory",
        purpose="Restart or end what grows on one stateless host.",
        when_to_use="Memory of a stateless web, application or proxy host is"
        " nearly used up, and no process is named.",
        when_not_to_use="Database, queue, storage and hypervisor hosts;"
        " kills by the kernel that are over.",
        parameters={
            "host": Parameter(
                purpose="the host whose memory is short",
                shape="host",
                labels=HOST_LABELS,
                inventory="host",
            ),
        },
        risk=Risk.DISRUPTIVE,
        run=Run(backend="local", job="free-memory"),
        check=Check(name="memory_has_room", hold_seconds=120),
        budget=Budget(runs=2, window_seconds=3_600),
    )
