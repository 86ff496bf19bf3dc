"""Dealing: what the world does at each turn of events; by plan or by chance.

A plot says it beforehand; a history draws it from its seed.
"""

import random
from collections import deque
from collections.abc import Iterable

import msgspec

from app.core.errors import BrainFailed
from app.models.action import ESCALATE, NO_ACTION
from app.models.case import Case
from app.models.choice import Call, Choice, Option
from app.models.job import JobState, Order
from app.models.menu import Menu
from tests.simulation.habits import Habit

# What a brain chooses now and then only, in a history.
RARE = (ESCALATE, NO_ACTION, "carry", "look")


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver does with one order.

    Attributes:
        kind: takes; refuses, busy: certainly not started; breaks: not
            started, and nobody knows; loses: started, and the answer is
            lost; hangs: never arrives; mute: arrives, and no answer comes;
            late: arrives long after we gave up.
        seconds: how long the job runs.
        end: what it is said to have come to.
        effect: what it does to its host.
        is_stubborn: whether it does not end when it must.
    """

    kind: str = "takes"
    seconds: float = 5.0
    end: JobState = JobState.SUCCEEDED
    effect: str = "heals"
    is_stubborn: bool = False


class Dealer:
    """Does what a plot says."""

    def __init__(
        self, choices: Iterable[str] = (), deals: Iterable[Deal] = ()
    ) -> None:
        """Take what the brain chooses and what becomes of each order.

        Args:
            choices: one after the other, the last for ever.
            deals: one after the other, then all goes well.
        """
        self._choices = deque(choices or (ESCALATE,))
        self._deals = deque(deals)

    def choose(self, case: Case, menu: Menu) -> Choice:
        """Return what the brain chooses, or raise BrainFailed."""
        del case
        action = self._choices[0]
        if len(self._choices) > 1:
            self._choices.popleft()
        return make_choice(menu, action, 0.95)

    def start(self, order: Order) -> Deal:
        """Return what becomes of an order."""
        del order
        return self._deals.popleft() if self._deals else Deal()


class Chance(Dealer):
    """Does what comes by chance."""

    def __init__(self, seed: int) -> None:
        """Take the seed, which says all that follows."""
        super().__init__()
        self.random = random.Random(seed)
        # How often things go wrong differs from history to history.
        self.trouble = self.random.choice((0.0, 0.05, 0.15, 0.3))
        # What some histories do over and over, and whether that is all that
        # they want now.
        self.habit = Habit()
        self.is_keen = False

    def maybe(self, share: float) -> bool:
        """Tell whether something happens that does so often."""
        return self.random.random() < share

    def pick(self, *some: str) -> str:
        """Return one of some."""
        return self.random.choice(some)

    def choose(self, case: Case, menu: Menu) -> Choice:
        """Return what the brain chooses, or raise BrainFailed."""
        del case
        wanted = [one for one in self.habit.actions if one in menu.names]
        if wanted and self._gives_in():
            return make_choice(menu, self.pick(*wanted), 0.95)
        if self.maybe(self.trouble / 5):
            raise BrainFailed("it makes no sense")
        usual = [n for n in menu.names if n not in RARE]
        usual = usual or [NO_ACTION]
        action = self.pick(*(wanted or usual))
        if self.maybe(0.1):
            action = self.pick(*RARE)
        if self.maybe(0.03):
            action = "out-of-the-air"
        confidence: float | None = 0.95
        if self.maybe(0.06):
            confidence = self.random.choice((0.2, None))
        choice = make_choice(menu, action, confidence)
        if self.maybe(0.03):
            wrong = {"host": "not-of-the-alert"}
            choice = msgspec.structs.replace(choice, arguments=wrong)
        return msgspec.structs.replace(choice, asks=self.maybe(0.05))

    def start(self, order: Order) -> Deal:
        """Return what becomes of an order."""
        if self._gives_in():
            return self._deal_by_habit()
        kind = "takes"
        if self.maybe(0.1 + self.trouble):
            kind = self.pick(
                "refuses",
                "busy",
                "breaks",
                "loses",
                "hangs",
                "mute",
                "late",
            )
        ends = [JobState.SUCCEEDED] * 6
        ends += [JobState.FAILED, JobState.UNKNOWN, JobState.ABORTED]
        return Deal(
            kind=kind,
            seconds=self.random.choice((0.0, 1.0, 5.0, 12.0, 50.0)),
            end=self.random.choice(ends),
            effect=self._effect(order.action),
            is_stubborn=self.maybe(0.2),
        )

    def _gives_in(self) -> bool:
        """Tell whether a habit leaves nothing to chance this time."""
        return self.is_keen and self.maybe(0.85)

    def _deal_by_habit(self) -> Deal:
        """Return that all goes well, or that it is in vain, in some way."""
        if not self.habit.is_vain:
            return Deal()
        ends = [JobState.SUCCEEDED] * 4
        ends += [JobState.FAILED, JobState.UNKNOWN]
        return Deal(effect="nothing", end=self.random.choice(ends))

    def _effect(self, action: str) -> str:
        """Return what an action does to its host."""
        if self.habit.is_vain:
            return "nothing"
        if action in ("look", "watch", "untune"):
            return self.pick("nothing", "nothing", "heals")
        usual = ("heals", "heals", "heals", "nothing", "nothing")
        return self.pick(*usual, "harms", "harms", "spreads", "blinds")


def make_choice(menu: Menu, action: str, confidence: float | None) -> Choice:
    """Return the choice of an action with its best arguments."""
    offer = menu.find(action)
    arguments = offer.best() if offer else {}
    return Choice(
        action=action,
        arguments=arguments,
        reason="it is what the simulation says",
        confidence=confidence,
        options=(Option(action, arguments, confidence),),
        calls=(Call(brain="sim"),),
    )
