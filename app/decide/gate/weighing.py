"""Weigh a case by what was learned: the gate as brains see it."""

from pathlib import Path

import numpy as np

from app.decide.gate.features import Sight, see
from app.decide.gate.lessons import ACTIONS
from app.decide.gate.model import Floats, Masks
from app.decide.gate.objects import CHANGED, find_objects, is_guess
from app.decide.gate.training import (
    find_mask,
    find_vital,
    quiet_from,
    rank,
    weigh,
)
from app.decide.gate.weights import Weights, load
from app.decide.knowledge import Knowledge, read_knowledge
from app.models.case import Case
from app.models.choice import Option, Weighed
from app.models.menu import Arguments, Menu, Offer

SHIPPED = Path(__file__).parent / "weights.npz"
MOST_OPTIONS = 4
MOST_TOPICS = 3
# What to look at where an action is nearly the right one.
LIKELY = 0.25
OBJECTS = {
    "restart_service": "service",
    "kill_process": "process",
    "free_disk_space": "disk",
    "restart_container": "container",
    "restart_pod": "pod",
}


class TrainedGate:
    """Knows how likely each action of a menu is right."""

    def __init__(
        self,
        weights: Weights,
        knowledge: Knowledge,
        sober: Weights | None = None,
    ) -> None:
        """Take what was learned.

        Args:
            weights: what is weighed with.
            knowledge: says what holds state.
            sober: weights without which nothing runs unasked: those that
                no site's people taught.
        """
        self._weights = weights
        self._sober = sober or weights
        self._knowledge = knowledge
        self.version = weights.facts.version

    def weigh(self, case: Case, menu: Menu) -> Weighed:
        """Return what it would do, and how sure it is."""
        sight = see(case, menu, self._knowledge)
        objects = find_objects(case, menu, self._knowledge)
        vital = find_vital(case, menu, self._knowledge)
        closed = {
            offer.name
            for offer in menu.offers
            if offer.name in vital
            or is_guess(offer.name, objects)
            or is_torn(offer)
        }
        mask = find_mask(menu)
        odds = weigh(self._weights.actions, sight, mask)
        words = self._topics(sight)
        ranked = [
            name
            for name in rank(odds, vital, quiet_from(case))
            if name in menu.names
        ]
        topic = _first_topic(words, ranked, odds)
        options = tuple(
            Option(
                name,
                _arguments(menu, name, topic),
                round(float(odds[ACTIONS.index(name)]), 4),
            )
            for name in ranked[:MOST_OPTIONS]
        )
        best = options[0]
        raw = best.probability or 0.0
        backing = self._back(best.action, sight, mask)
        runs = (
            best.action not in closed
            and _reaches(self._weights, best.action, raw)
            and (
                backing is None or _reaches(self._sober, best.action, backing)
            )
        )
        return Weighed(
            options,
            round(self._weights.facts.calibrate(raw), 4),
            frozenset([best.action] if runs else []),
            words,
            self.version,
            backing,
        )

    def _back(self, action: str, sight: Sight, mask: Masks) -> float | None:
        """Return how likely an action is as it was shipped, None: the same.

        Many corrections make any action as likely as they want; a threshold
        says nothing of a probability that was never measured.
        """
        if self._sober is self._weights:
            return None
        odds = weigh(self._sober.actions, sight, mask)
        return round(float(odds[ACTIONS.index(action)]), 4)

    def _topics(self, sight: Sight) -> tuple[str, ...]:
        """Return where to look, the likeliest first."""
        topics = self._weights.facts.topics
        # "general" tells nobody where to look.
        told = np.array([topic != "general" for topic in topics])
        odds = self._weights.topics.probabilities(sight.where, told)
        return tuple(
            topics[int(place)] for place in np.argsort(-odds)[:MOST_TOPICS]
        )


def _reaches(weights: Weights, action: str, raw: float) -> bool:
    """Tell whether a probability is enough to run unasked."""
    least = weights.facts.thresholds.get(action)
    return least is not None and round(raw, 4) >= least


def _first_topic(
    words: tuple[str, ...], ranked: list[str], odds: Floats
) -> str:
    """Return what to look at: what would be acted on, if that is likely."""
    for name in ranked:
        if name in OBJECTS and odds[ACTIONS.index(name)] >= LIKELY:
            return OBJECTS[name]
    return words[0]


def _arguments(menu: Menu, name: str, topic: str) -> Arguments:
    """Return the arguments of an action, with what to look at."""
    offer = menu.find(name)
    if offer is None:
        return {}
    found = offer.best()
    if "topic" in found:
        found["topic"] = topic
    return found


def is_torn(offer: Offer) -> bool:
    """Tell whether labels name two things of which either may be meant.

    What is written as a unit is the unit, whatever else is called one.
    """
    found = (
        offer.candidates.get(name, ()) for name in CHANGED.get(offer.name, ())
    )
    return any(
        len(some) > 1 and not some[0].said.endswith(".service")
        for some in found
    )


def open_gate(path: Path | None = None) -> TrainedGate:
    """Return the gate with the site's weights, else with those shipped."""
    shipped = load(SHIPPED)
    weights = shipped if path is None or path == SHIPPED else load(path)
    return TrainedGate(weights, read_knowledge(), shipped)
