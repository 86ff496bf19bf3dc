"""Clean up one file system of one host by its rules."""

from app.models.action import (
    ActionSpec,
    Budget,
    Check,
    Parameter,
    Risk,
    Run,
)
from app.models.origins import HOST_LABELS, PATH_KEYS, PATH_LABELS


def plugin(_env: object) -> ActionSpec:
    """Return what is declared of it."""
    return ActionSpec(
        name="free_disk_space",
        purpose="Remove old logs, caches and temporary files of one path.",
        when_to_use="A file system that holds logs, temporary files, caches,"
        " CI workspaces or images fills up, or / of a stateless host.",
        when_not_to_use="Data, databases, backups, home, boot, mail, shared"
        " storage, volumes, or when no path is named.",
        parameters={
            "host": Parameter(
                purpose="the host that the file system is on",
                shape="host",
                labels=HOST_LABELS,
                inventory="host",
            ),
            "path": Parameter(
                purpose="the mount point or drive that fills up",
                shape="path",
                labels=PATH_LABELS,
                item_keys=PATH_KEYS,
            ),
        },
        risk=Risk.DESTRUCTIVE,
        preconditions=("path_is_listed",),
        run=Run(backend="local", job="free-disk-space"),
        check=Check(name="disk_has_room", hold_seconds=60),
        cooldown_seconds=1_800,
        budget=Budget(runs=1, window_seconds=3_600),
    )
