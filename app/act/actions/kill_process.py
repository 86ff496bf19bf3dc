"""End one named runaway process of one host."""

from app.models.action import (
    ActionSpec,
    Budget,
    Check,
    Parameter,
    Risk,
    Run,
)
from app.models.origins import HOST_LABELS, PROCESS_KEYS, PROCESS_LABELS


def plugin(_env: object) -> ActionSpec:
    """Return what is declared of it."""
    return ActionSpec(
        name="kill_process",
        purpose="End one named helper process that hangs or runs away.",
        when_to_use="The alert names a helper process (converter, browser,"
        " crawler, tool) that hangs, leaks or burns a resource.",
        when_not_to_use="No process is named; databases, main applications"
        " and runtimes, system and security processes.",
        parameters={
            "host": Parameter(
                purpose="the host that the process runs on",
                shape="host",
                labels=HOST_LABELS,
                inventory="host",
            ),
            "process": Parameter(
                purpose="the program's name",
                shape="program",
                labels=PROCESS_LABELS,
                item_keys=PROCESS_KEYS,
            ),
        },
        risk=Risk.DESTRUCTIVE,
        preconditions=("process_is_runaway",),
        run=Run(backend="local", job="kill-process"),
        check=Check(name="process_is_calm", hold_seconds=120),
        cooldown_seconds=600,
        budget=Budget(runs=1, window_seconds=600),
    )
