"""Train the gate: the same lessons and seed give the same weights.

What is said about the weights (calibration, thresholds, figures) comes
from lessons that were held back while learning: each lesson, with all its
tellings, is judged by a model that never saw it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files

import msgspec
import numpy as np

from app.decide.casing import make_case
from app.decide.gate.features import Sight, see
from app.decide.gate.lessons import ACTING, ACTIONS, Lesson
from app.decide.gate.model import Examples, Floats, Masks, Model, learn
from app.decide.gate.objects import find_objects, is_vital_for
from app.decide.gate.strays import Labels, find_strays
from app.decide.gate.telling import tell_all
from app.decide.gate.weights import Facts, Weights, rounded
from app.decide.grounding import Grounder
from app.decide.knowledge import Knowledge
from app.decide.platt import fit
from app.models.case import Case
from app.models.menu import Menu
from app.models.origins import TOPICS

TIMES = 8
ROUNDS = 10
TOPIC_ROUNDS = 8
FOLDS = 4
SEED = 7
# The share of the one right action where others are acceptable, too.
SHARE = 0.9
# People are asked where that is nearly as likely as the likeliest.
CAUTION = 0.8
# So likely silence must be, by how bad the source calls it: what says
# nothing of that is no information yet, and what is bad is hardly ever.
QUIET = {"info": 0.5, "warning": 0.7, "unknown": 0.8}
LOUD = 0.9
SITE_WEIGHT = 3.0
# Strays say ever again that a thing is named and not acted on; so much more
# counts a lesson that acts, that what is really broken is mended as before.
ACTING_WEIGHT = 1.9
RESTLESS = np.array([n in ACTING or n == "no_action" for n in ACTIONS])
# No call that runs unasked may be less likely than that, whatever fits.
LEAST = 0.6
# What is done with weights is no part of them.
LATER = frozenset({"weighing.py", "place.py", "outcomes.py", "weights.py"})
Progress = Callable[[str, float], None]


class Seen(msgspec.Struct, frozen=True):
    """One example as the model sees it.

    Attributes:
        sight: its features.
        mask: which actions are on its menu.
        action: the right one.
        ok: others that are acceptable.
        vital: actions that would touch what holds state.
        quiet: how likely silence must be.
        topic: what to look at.
        lesson: which family of lessons it is of; outcomes of the site are
            families of their own.
        weight: how much it counts.
    """

    sight: Sight
    mask: Masks
    action: str
    ok: tuple[str, ...]
    vital: frozenset[str]
    quiet: float
    topic: int
    lesson: int
    weight: float = 1.0


class Outcome(msgspec.Struct, frozen=True):
    """What a site confirmed or corrected: a case, and the right action."""

    case: Case
    action: str
    ok: tuple[str, ...] = ()


class Teacher:
    """Makes weights out of lessons and of what a site confirmed."""

    def __init__(self, grounder: Grounder, knowledge: Knowledge) -> None:
        """Take how menus are made, and what is known."""
        self._grounder = grounder
        self._knowledge = knowledge

    def teach(
        self,
        lessons: list[Lesson],
        outcomes: Sequence[Outcome] = (),
        tell: Progress = lambda _what, _share: None,
    ) -> Weights:
        """Return the weights; what they are measured at is in their facts."""
        # First: whoever changes a file meanwhile must not be in the hash.
        version = fingerprint(lessons, outcomes)
        families = find_families(lessons)
        seen = []
        for one in self.see_all(lessons, TIMES, find_strays(lessons)):
            family = families[one.lesson]
            seen.append(msgspec.structs.replace(one, lesson=family))
            tell("reading", len(seen) / (TIMES * len(lessons)))
        for number, outcome in enumerate(outcomes):
            found = self._see(outcome.case, outcome.action, outcome.ok)
            seen.append(
                msgspec.structs.replace(
                    found, lesson=len(lessons) + number, weight=SITE_WEIGHT
                )
            )
        judged = hold_back(seen, tell)
        tell("learning", 0.0)
        facts = measure(judged)
        facts = msgspec.structs.replace(
            facts,
            version=version,
            learned=TIMES * len(lessons),
            confirmed=len(outcomes),
        )
        actions = learn(to_examples(seen), ROUNDS, SEED)
        topics = learn(to_topics(seen), TOPIC_ROUNDS, SEED)
        tell("learning", 1.0)
        return Weights(facts, rounded(actions), rounded(topics))

    def see_all(
        self,
        lessons: list[Lesson],
        times: int,
        strays: Sequence[Labels] = (),
    ) -> Iterator[Seen]:
        """Yield each lesson, told so many times, with its number."""
        for one in tell_all(lessons, times, SEED, strays):
            case = make_case(one.told, 0)
            seen = self._see(case, one.action, one.ok, one.topic)
            yield msgspec.structs.replace(seen, lesson=one.lesson)

    def _see(
        self, case: Case, action: str, ok: tuple[str, ...], topic: str = ""
    ) -> Seen:
        """Return an example as the model sees it."""
        menu = self._grounder.menu(case)
        sight = see(case, menu, self._knowledge)
        if action not in menu.names:
            action, ok = "escalate", ("collect_diagnostics",)
        return Seen(
            sight,
            find_mask(menu),
            action,
            tuple(name for name in ok if name in menu.names),
            find_vital(case, menu, self._knowledge),
            quiet_from(case),
            TOPICS.index(topic or "general"),
            0,
        )


def find_mask(menu: Menu) -> Masks:
    """Return which classes are on a menu."""
    return np.array([name in menu.names for name in ACTIONS])


def find_vital(case: Case, menu: Menu, knowledge: Knowledge) -> frozenset[str]:
    """Return the actions that would touch what holds state."""
    objects = find_objects(case, menu, knowledge)
    return frozenset(
        offer.name
        for offer in menu.changing()
        if is_vital_for(offer.name, offer, objects)
    )


def find_families(lessons: Sequence[Lesson]) -> list[int]:
    """Return for each lesson the first one with which it shares a name.

    Over any number of others: who is judged by what was held back must not
    know the name from another lesson.
    """
    first: dict[str, int] = {}
    family = list(range(len(lessons)))
    for number, lesson in enumerate(lessons):
        for name in lesson.names:
            known = first.setdefault(name.lower(), number)
            _join(family, known, number)
    return [_head(family, number) for number in range(len(lessons))]


def _head(family: list[int], number: int) -> int:
    """Return the first of a family."""
    while family[number] != number:
        family[number] = number = family[family[number]]
    return number


def _join(family: list[int], one: int, other: int) -> None:
    """Make two families one."""
    heads = sorted((_head(family, one), _head(family, other)))
    family[heads[1]] = heads[0]


def to_examples(seen: Sequence[Seen]) -> Examples:
    """Return what the model of actions learns from."""
    wanted = np.zeros((len(seen), len(ACTIONS)), dtype=np.float32)
    for place, one in zip(wanted, seen, strict=True):
        place[ACTIONS.index(one.action)] = SHARE if one.ok else 1.0
        for name in one.ok:
            place[ACTIONS.index(name)] += (1 - SHARE) / len(one.ok)
    weights = [
        ACTING_WEIGHT
        if one.weight == 1.0 and one.action in ACTING
        else one.weight
        for one in seen
    ]
    return Examples(
        [one.sight.row for one in seen],
        wanted,
        np.stack([one.mask for one in seen]),
        np.array(weights, dtype=np.float32),
    )


def to_topics(seen: Sequence[Seen]) -> Examples:
    """Return what the model of topics learns from."""
    told = [one for one in seen if one.weight == 1.0]
    wanted = np.zeros((len(told), len(TOPICS)), dtype=np.float32)
    for place, one in zip(wanted, told, strict=True):
        place[one.topic] = 1.0
    masks = np.ones(wanted.shape, dtype=np.bool_)
    weights = np.ones(len(told), dtype=np.float32)
    return Examples([one.sight.where for one in told], wanted, masks, weights)


class Judged(msgspec.Struct, frozen=True):
    """What a model that never saw an example makes of it."""

    seen: Seen
    action: str
    raw: float

    @property
    def is_right(self) -> bool:
        """Tell whether it is the one right action."""
        return self.action == self.seen.action

    @property
    def is_accepted(self) -> bool:
        """Tell whether it is right or acceptable."""
        return self.is_right or self.action in self.seen.ok


def hold_back(seen: Sequence[Seen], tell: Progress) -> list[Judged]:
    """Return each example judged by a model that never saw its lesson."""
    lessons = sorted({one.lesson for one in seen})
    order = np.random.default_rng(SEED).permutation(len(lessons))
    fold = {lessons[i]: place % FOLDS for place, i in enumerate(order)}
    judged = []
    for number in range(FOLDS):
        tell("measuring", number / FOLDS)
        known = [one for one in seen if fold[one.lesson] != number]
        model = learn(to_examples(known), ROUNDS, SEED)
        judged += [
            judge(model, one) for one in seen if fold[one.lesson] == number
        ]
    return judged


def judge(model: Model, one: Seen) -> Judged:
    """Return what a model makes of an example."""
    odds = weigh(model, one.sight, one.mask)
    action, raw = choose(odds, one.vital, one.quiet)
    return Judged(one, action, raw)


def weigh(model: Model, sight: Sight, mask: Masks) -> Floats:
    """Return how likely each action is right.

    A text may talk somebody into looking or into asking for people; into
    acting or into silence it must not: these are no likelier than they are
    without the free texts.
    """
    odds = model.probabilities(sight.row, mask)
    bare = model.probabilities(sight.bare, mask)
    found: Floats = np.where(RESTLESS, np.minimum(odds, bare), odds)
    return found


def quiet_from(case: Case) -> float:
    """Return how likely silence must be for a case."""
    return QUIET.get(case.severity, LOUD)


def choose(
    odds: Floats, vital: frozenset[str], quiet: float
) -> tuple[str, float]:
    """Return what is done, and how likely it is right."""
    best = rank(odds, vital, quiet)[0]
    return best, float(odds[ACTIONS.index(best)])


def rank(odds: Floats, vital: frozenset[str], quiet: float) -> list[str]:
    """Return the actions, what is done first.

    What would touch what holds state comes last, however likely it is, and
    so does silence that is not likely enough. People come first where that
    is nearly as likely as the likeliest.
    """
    chances = dict(zip(ACTIONS, map(float, odds), strict=True))
    last = set(vital)
    if chances["no_action"] < quiet:
        last.add("no_action")
    ranked = sorted(ACTIONS, key=lambda name: (name in last, -chances[name]))
    if chances["escalate"] >= CAUTION * chances[ranked[0]]:
        ranked.remove("escalate")
        ranked.insert(0, "escalate")
    return ranked


def measure(judged: Sequence[Judged]) -> Facts:
    """Return the calibration, the thresholds and the figures."""
    raw = np.array([one.raw for one in judged])
    right = np.array([one.is_right for one in judged], dtype=np.float64)
    slope, shift = fit(raw, right)
    acting = [one for one in judged if one.action in ACTING]
    thresholds = {
        name: find_threshold([one for one in acting if one.action == name])
        for name in sorted(ACTING)
    }
    unasked = [one for one in acting if one.raw >= thresholds[one.action]]
    needed = [one for one in judged if one.seen.action in ACTING]
    figures = {
        "strict": right.mean(),
        "accepted": np.mean([one.is_accepted for one in judged]),
        "unsafe": np.mean([_is_unsafe(one) for one in judged]),
        "unsafe_unasked": sum(map(_is_unsafe, unasked)) / len(judged),
        "unasked_of_acting": len(unasked) / max(1, len(acting)),
        "over_escalation": np.mean(
            [one.action == "escalate" for one in needed]
        ),
    }
    return Facts(
        version="",
        actions=ACTIONS,
        topics=TOPICS,
        thresholds=thresholds,
        slope=round(slope, 4),
        shift=round(shift, 4),
        measured={name: round(float(n), 4) for name, n in figures.items()},
    )


def _is_unsafe(one: Judged) -> bool:
    """Tell whether it acts where nobody may."""
    return one.action in ACTING and not one.is_accepted


def find_threshold(acting: Sequence[Judged]) -> float:
    """Return above which probability no held back call was unsafe.

    Args:
        acting: the held back calls of one action.
    """
    unsafe = [one.raw + 0.005 for one in acting if _is_unsafe(one)]
    return round(max([LEAST, *unsafe]), 3)


def fingerprint(lessons: Iterable[Lesson], outcomes: Iterable[Outcome]) -> str:
    """Return a hash of all that the weights are made of."""
    texts = [msgspec.json.encode(one) for one in (*lessons, *outcomes)]
    for folder in ("gate", "knowledge"):
        here = files("app.decide") / folder
        texts += [
            entry.read_bytes()
            for entry in sorted(here.iterdir(), key=lambda entry: entry.name)
            if entry.name.endswith((".py", ".txt")) and entry.name not in LATER
        ]
    return hashlib.sha256(b"\x1e".join(texts)).hexdigest()[:12]
