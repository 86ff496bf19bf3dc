"""The choice of a brain, and the decision that code makes of it."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from app.core.errors import BrainFailed
from app.models.dialogue import Turn
from app.models.menu import Arguments, Value

# Says a brain of rules that leaves a case to others: no failure.
NO_RULE = "no rule matches"
ASKED_CHARS = 40_000


class Option(msgspec.Struct, frozen=True):
    """One thing that might be done, and how likely a brain holds it."""

    action: str
    arguments: Arguments = {}
    probability: float | None = None


class Weighed(msgspec.Struct, frozen=True):
    """What the trained gate makes of a case.

    Attributes:
        options: what of the menu it weighed, the most likely first.
        confidence: how likely the first is right, calibrated.
        allows: the changing actions that it would let run unasked here.
        topics: words for what to look at, the most likely first.
        version: which weights these are.
        backing: how likely the first is by weights that no site taught;
            None when these are the same.
    """

    options: tuple[Option, ...]
    confidence: float
    allows: frozenset[str] = frozenset()
    topics: tuple[str, ...] = ()
    version: str = ""
    backing: float | None = None


class Calibrated(msgspec.Struct, frozen=True):
    """What a brain's own number means, measured on labelled alerts.

    Attributes:
        confidence: how often a call of such a number is right.
        version: of the calibration that says so.
    """

    confidence: float
    version: str


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What one brain did to come to its choice; nothing in it is secret.

    Attributes:
        brain: its name.
        model: the model that it asked, or the version of its weights.
        model_digest: which build of it.
        prompt_hash: of the texts that it was shown.
        asked: these texts in order, each cut off at 40,000 characters; those
            of the try before come first. Empty when it reads the case itself.
        tokens_in: how long the question was.
        tokens_out: how long the answer was.
        milliseconds: how long each part took.
        raw: the answer as it came, cut off at 8,000 characters.
        repairs: what had to be mended in the answer.
        notes: what was shortened so that the question had room.
        error: why it had nothing to say, or empty.
        surety: its own number for how likely it is right, as it came; None
            when it says none.
        calibration: the version of what made a confidence of that number,
            empty when nobody knows what it means.
    """

    brain: str
    model: str = ""
    model_digest: str = ""
    prompt_hash: str = ""
    asked: tuple[Turn, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    milliseconds: dict[str, float] = {}
    raw: str = ""
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    surety: float | None = None
    calibration: str = ""

    @property
    def has_failed(self) -> bool:
        """Tell whether something went wrong."""
        return bool(self.error) and self.error != NO_RULE

    def sured(self, raw: float | None, known: Calibrated | None) -> "Call":
        """Return the record with a brain's own number and what it means."""
        version = "" if known is None else known.version
        return msgspec.structs.replace(self, surety=raw, calibration=version)


def calls_of(error: BrainFailed) -> tuple[Call, ...]:
    """Return the calls that were made in vain, in order."""
    made = (*error.earlier, error.call)
    return tuple(one for one in made if isinstance(one, Call))


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a brain chose of a menu.

    Attributes:
        action: the action's name; escalate when it has nothing to say.
        arguments: of the menu's candidates.
        reason: one sentence, made by code or shortened by it.
        confidence: how likely it is right, calibrated; None when the brain
            cannot say: then it is no ground to act on.
        asks: whether a person must confirm it first.
        options: what it weighed, the best first.
        calls: the calls that it took, those of other brains included.
        backing: how likely it is by what was measured before it is shipped,
            None when that is what the options say.
    """

    action: str
    arguments: Arguments = {}
    reason: str = ""
    confidence: float | None = None
    asks: bool = False
    options: tuple[Option, ...] = ()
    calls: tuple[Call, ...] = ()
    backing: float | None = None


class Proof(msgspec.Struct, frozen=True):
    """Where one argument of a decision came from."""

    argument: str
    value: Value
    source: str
    said: str = ""


class Why(StrEnum):
    """Why a decision is what it is."""

    CHOSEN = "chosen"
    UNSURE = "unsure"  # below the threshold
    UNGROUNDED = "ungrounded"  # what came back was not on the menu
    UNAVAILABLE = "unavailable"  # no brain answered
    BUDGET = "budget"  # no call was left
    RESOLVED = "resolved"  # nothing is wrong any more


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One action with arguments and a reason; nothing has run.

    Attributes:
        action: the action's name.
        arguments: each one of the menu.
        reason: one sentence for people.
        confidence: how likely it is right, or None.
        asks: whether a person must confirm it first.
        why: what made it.
        options: the best candidates with their probabilities.
        grounding: the proof where each argument came from.
        brain: the brain that was asked.
        calls: each call on the way.
        case_digest: what it rests on.
        catalogue_digest: what could be chosen.
        settings_digest: the brains and thresholds that held.
    """

    action: str
    arguments: Arguments = {}
    reason: str = ""
    confidence: float | None = None
    asks: bool = False
    why: str = Why.CHOSEN
    options: tuple[Option, ...] = ()
    grounding: tuple[Proof, ...] = ()
    brain: str = ""
    calls: tuple[Call, ...] = ()
    case_digest: str = ""
    catalogue_digest: str = ""
    settings_digest: str = ""

    @property
    def call_text(self) -> str:
        """Return the call in one line, for people and for the log."""
        inside = ", ".join(
            f"{name}={value}" for name, value in self.arguments.items()
        )
        return f"{self.action}({inside})"


def prompt_hash(*texts: str) -> str:
    """Return the hash of the texts that a model was shown."""
    return hashlib.sha256("\x1e".join(texts).encode()).hexdigest()[:16]


def shown_to(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return the texts that a model was shown, as they are kept."""
    return tuple(Turn(one.role, one.text[:ASKED_CHARS]) for one in turns)
