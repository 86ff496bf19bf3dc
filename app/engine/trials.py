"""Trials: what they took, so that a curious reader cannot empty a budget."""

from collections import deque

import msgspec

from app.core.clock import Clock
from app.core.errors import TooBusy
from app.decide.budgets import Budgets, bounds_of
from app.decide.reins import DecideSettings
from app.models.choice import Decision
from app.models.record import tokens_of
from app.store.decisions import Spent


class Trials:
    """Counts the trials of this process beside the decisions of all."""

    def __init__(self, settings: DecideSettings, clock: Clock) -> None:
        """Take the bounds, and the time."""
        self._budgets = Budgets(settings)
        self._clock = clock
        self._calls: deque[int] = deque(maxlen=settings.calls_per_minute)
        self._tokens = 0
        self._day = 0

    def admit(self, spent: Spent) -> None:
        """Return when one more may be made, and count it.

        Args:
            spent: what decisions took so far.

        Raises:
            TooBusy: a budget is used up.
        """
        now = self._clock.now()
        bounds = bounds_of(now)
        if bounds["day"] != self._day:
            self._day, self._tokens = bounds["day"], 0
        # After a clock was set back, what was before is in the future.
        recent = sum(bounds["minute"] <= at <= now for at in self._calls)
        whole = msgspec.structs.replace(
            spent,
            of_incident=0,
            of_minute=spent.of_minute + recent,
            tokens=spent.tokens + self._tokens,
        )
        refusal = self._budgets.refuse(whole)
        if refusal is not None:
            raise TooBusy("budget", refusal.says, remedy="Try it later.")
        self._calls.append(now)

    def add(self, decision: Decision) -> None:
        """Count what a trial took."""
        self._tokens += tokens_of(decision)
