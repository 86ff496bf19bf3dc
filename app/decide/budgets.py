"""Budgets: how often a brain may be asked, and what that may cost.

What was spent is read from the decisions that are kept, so that it holds on
every node and across restarts; what is under way here is added to it.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from app.decide.reins import DecideSettings
from app.store.decisions import Spent

MINUTE = 60_000_000
DAY = 1_440 * MINUTE


class Budget(StrEnum):
    """Which budget is used up."""

    INCIDENT = "incident"
    MINUTE = "minute"
    DAY = "day"


class Refusal(msgspec.Struct, frozen=True):
    """No call is left: which budget it is, and what to tell people."""

    budget: Budget
    says: str

    @property
    def passes(self) -> bool:
        """Tell whether it is over in a moment."""
        return self.budget is Budget.MINUTE


class Budgets:
    """Rules whether a brain may be asked once more."""

    def __init__(self, settings: DecideSettings) -> None:
        """Take the bounds."""
        self._bounds = settings

    def refuse(self, spent: Spent, under_way: int = 0) -> Refusal | None:
        """Return why a brain may not be asked now, or None when it may.

        Args:
            spent: what was spent until now.
            under_way: how many calls of this node are not counted in it.
        """
        most = self._bounds
        if spent.of_incident >= most.calls_per_incident:
            return Refusal(
                Budget.INCIDENT,
                f"It was decided on {spent.of_incident} times already: a"
                " person must look at it (decide.calls_per_incident).",
            )
        if most.tokens_per_day and spent.tokens >= most.tokens_per_day:
            return Refusal(
                Budget.DAY,
                f"{spent.tokens} tokens were used today: no more brain is"
                " asked until midnight UTC (decide.tokens_per_day).",
            )
        if spent.of_minute + under_way >= most.calls_per_minute:
            return Refusal(
                Budget.MINUTE,
                f"{spent.of_minute + under_way} calls were made within a"
                " minute (decide.calls_per_minute).",
            )
        return None


def bounds_of(now: int) -> Mapping[str, int]:
    """Return where the last minute and the day began."""
    return {"minute": now - MINUTE, "day": now - now % DAY}
