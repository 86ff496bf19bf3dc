"""The verdict: what was measured, and whether the action helped."""

from enum import StrEnum

import msgspec

from app.models.menu import Arguments


class Verdict(StrEnum):
    """Whether an action helped; unknown is never success."""

    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    UNKNOWN = "unknown"


class Judgement(StrEnum):
    """What one reading means."""

    GOOD = "good"
    BAD = "bad"
    WORSE = "worse"  # than before the action, by more than chance
    UNKNOWN = "unknown"  # it could not be measured


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured.

    Attributes:
        host: the host's name, or empty.
        is_here: whether that is the machine that we run on.
        action: the action whose success is measured.
        arguments: its arguments.
        labels: the alert's identifying labels.
        source: the monitoring system that told it.
        firing: how many episodes of the incident go on now.
        ended_at: when the last of them ended, or None.
        options: what the action's declaration says for this check.
        since: when the action ended; 0: there was none yet. What was
            measured before says nothing about it.
    """

    host: str = ""
    is_here: bool = False
    action: str = ""
    arguments: Arguments = {}
    labels: dict[str, str] = {}
    source: str = ""
    firing: int = 0
    ended_at: int | None = None
    options: dict[str, str | int | float] = {}
    since: int = 0


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement.

    Attributes:
        check: what measured it.
        at: when.
        value: what came out, None when it could not be measured.
        unit: of the value, or empty.
        limit: what the value is held against, or None.
        is_floor: whether the value must be the limit at least, not at most.
        of: how many values there were: this is the worst of them.
        says: one line for people: the state, or why there is no value.
        judgement: what it means.
    """

    check: str
    at: int
    value: float | None = None
    unit: str = ""
    limit: float | None = None
    is_floor: bool = False
    of: int = 1
    says: str = ""
    judgement: Judgement = Judgement.UNKNOWN
