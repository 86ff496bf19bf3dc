"""The canary: a synthetic alert that shows whether the pipe works.

Its source is ours alone: no settings can name it, and no route leads to it.
"""

from datetime import UTC, datetime

import msgspec

# The name of the source, of its brain, and of the kind of its target.
CANARY = "canary"
PROBLEM = "SmokejumperCanary"
REASON = (
    "It is the canary: it shows that the pipe works, and nothing is wrong."
)


class Trace(msgspec.Struct, frozen=True):
    """How far one canary has come.

    Attributes:
        is_folded: whether it is in an incident.
        is_decided: whether a decision was made since.
        is_closed: whether nothing is left to do about it.
        is_told: whether it was looked at who is to be told of it: nobody.
    """

    is_folded: bool = False
    is_decided: bool = False
    is_closed: bool = False
    is_told: bool = False


def name_of(hour: str) -> str:
    """Return the fingerprint of the canaries of an hour."""
    return f"{CANARY}:{hour}"


def hour_of(moment: int) -> str:
    """Return the hour that a canary belongs to: one incident for each."""
    when = datetime.fromtimestamp(moment // 1_000_000, UTC)
    return when.strftime("%Y-%m-%dT%H")
