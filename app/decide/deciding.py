"""Decide: a case and the catalogue become one grounded decision.

The brain proposes; this code has the last word on whether what came back
was on the menu, and on what happens when nothing came back.
"""

from collections.abc import Callable, Collection, Mapping
from time import perf_counter
from typing import Protocol

import msgspec

from app.core.errors import BrainFailed, Unreadable
from app.decide.calibration import Calibrations
from app.decide.grounding import Grounder
from app.models.action import ESCALATE, NO_ACTION, ActionSpec
from app.models.case import Case
from app.models.choice import (
    Call,
    Choice,
    Decision,
    Option,
    Proof,
    Why,
    calls_of,
)
from app.models.menu import Arguments, Menu
from app.ports import Brain, Closing

MOST_OPTIONS = 4
REMEDY = "Set another (main.py reins set brain=NAME), or turn it on again."
NONE = Calibrations()


class Held(Protocol):
    """What is set at run time: see app/decide/reins.py."""

    @property
    def brain(self) -> str:
        """Return the name of the brain that decides."""

    @property
    def digest(self) -> str:
        """Return a hash of all that is set."""

    def least(self, action: str) -> float:
        """Return the least confidence of a call that counts."""


class Decided(msgspec.Struct, frozen=True):
    """A decision with what it was made of."""

    case: Case
    menu: Menu
    decision: Decision
    milliseconds: float


class Decider:
    """Asks one brain, and checks what it says."""

    def __init__(
        self,
        brains: Mapping[str, Brain],
        grounder: Callable[[], Grounder],
        narrow: Callable[[Case], Collection[str] | None],
        calibrations: Calibrations = NONE,
    ) -> None:
        """Take the brains, how a menu is made, what their numbers mean."""
        self.brains = brains
        self.calibrations = calibrations
        self._grounder = grounder
        self._narrow = narrow

    def menu(self, case: Case) -> Menu:
        """Return what may be chosen for a case."""
        return self._grounder().menu(case, self._narrow(case))

    def prove(
        self, action: str, arguments: Arguments, case: Case
    ) -> tuple[Proof, ...]:
        """Return where each argument came from, with what there is now.

        Raises:
            Unreadable: the action or an argument is on the menu no more.
        """
        grounder, only = self._grounder(), self._narrow(case)
        if only is None or action in only:
            # Nothing else of the menu is looked at.
            only = (action,)
        return grounder.prove(action, arguments, grounder.menu(case, only))

    def hints(
        self, spec: ActionSpec, arguments: Arguments, case: Case
    ) -> Arguments:
        """Return what code tells the job of an action besides."""
        if not spec.hints:
            return {}
        return self._grounder().hints(spec, arguments, case)

    async def close(self) -> None:
        """Close what brains hold open; on the loop that asked them."""
        for brain in self.brains.values():
            if isinstance(brain, Closing):
                await brain.close()

    async def decide(self, case: Case, held: Held, brain: str = "") -> Decided:
        """Return the decision; it never fails, it escalates instead.

        Args:
            case: the case.
            held: what is set at run time.
            brain: another brain than the one that is set, for a trial.
        """
        began = perf_counter()
        menu = self.menu(case)
        name = brain or held.brain
        decision = await self._decide(case, menu, name, held)
        decision = msgspec.structs.replace(
            decision,
            brain=name,
            case_digest=case.digest,
            catalogue_digest=menu.catalogue,
            settings_digest=held.digest,
        )
        return Decided(case, menu, decision, 1000 * (perf_counter() - began))

    async def _decide(
        self, case: Case, menu: Menu, name: str, held: Held
    ) -> Decision:
        """Return what comes of asking one brain."""
        if case.status == "resolved":
            return Decision(
                action=NO_ACTION,
                reason="It is over: nothing acts on a resolved alert.",
                confidence=1.0,
                why=Why.RESOLVED,
            )
        brain = self.brains.get(name)
        if brain is None:
            known = ", ".join(sorted(self.brains))
            # It was set at run time, and turned off in the settings since.
            says = f"There is no brain {name!r}; known: {known}. {REMEDY}"
            return give_up(Why.UNAVAILABLE, says)
        try:
            choice = await brain.decide(case, menu)
        except BrainFailed as error:
            remedy = f" {error.remedy}" if error.remedy else ""
            says = f"{name}: {error}.{remedy}"
            return give_up(Why.UNAVAILABLE, says, calls_of(error))
        return self._judge(choice, menu, held)

    def _judge(self, choice: Choice, menu: Menu, held: Held) -> Decision:
        """Return the decision that a choice makes."""
        options = choice.options[:MOST_OPTIONS]
        try:
            proofs = self._grounder().prove(
                choice.action, choice.arguments, menu
            )
        except Unreadable as error:
            return give_up(Why.UNGROUNDED, f"{error}.", choice.calls, options)
        decision = Decision(
            action=choice.action,
            arguments=choice.arguments,
            reason=choice.reason,
            confidence=choice.confidence,
            asks=choice.asks,
            options=options,
            grounding=proofs,
            calls=choice.calls,
        )
        offer = menu.find(choice.action)
        if offer is None or not (
            offer.spec.changes or offer.name == NO_ACTION
        ):
            return decision
        # What asks must be likely, too: who is asked too often says yes.
        if is_sure(choice.confidence, held.least(offer.name)):
            return decision
        return give_up(
            Why.UNSURE,
            f"Not sure enough: {tell_options(options) or 'no figure'}.",
            choice.calls,
            options,
            likelihood(ESCALATE, options),
        )


def likelihood(action: str, options: tuple[Option, ...]) -> float | None:
    """Return how likely an action was held, None when nobody said."""
    found = (o.probability for o in options if o.action == action)
    return next(found, None)


def is_sure(confidence: float | None, least: float) -> bool:
    """Tell whether a confidence counts; none never does."""
    return confidence is not None and confidence >= least


def give_up(
    why: Why,
    reason: str,
    calls: tuple[Call, ...] = (),
    options: tuple[Option, ...] = (),
    confidence: float | None = None,
) -> Decision:
    """Return the decision to hand over to people."""
    return Decision(
        action=ESCALATE,
        reason=reason,
        confidence=confidence,
        why=why,
        options=options,
        calls=calls,
    )


def tell_options(options: tuple[Option, ...]) -> str:
    """Return the two best options in words."""
    best = (o for o in options[:2] if o.probability is not None)
    return ", ".join(f"{o.action} {o.probability:.0%}" for o in best)
