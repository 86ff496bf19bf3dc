"""The record: a decision as it is kept, with all that it rests on."""

import hashlib
from typing import Any

import msgspec

from app.models.case import Case
from app.models.choice import Decision
from app.models.menu import Menu

Problems = tuple[str, ...]


class Standpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What an incident was when it was decided on; what differs is news.

    Attributes:
        incident: its number.
        target: the key of its target.
        problem: the class of its worst problem.
        problems: every class that went on.
        severity: how bad it was.
        seq: the last entry of the log then.
    """

    incident: int
    target: str
    problem: str
    problems: Problems
    severity: str
    seq: int


class Cost(msgspec.Struct, frozen=True):
    """What a decision took.

    Attributes:
        tokens: of all models, both ways.
        calls: how often a brain was asked; 0 when an answer was shared.
        milliseconds: from the case to the decision.
    """

    tokens: int = 0
    calls: int = 0
    milliseconds: float = 0.0


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that is to be kept.

    Attributes:
        at: when it was made.
        standpoint: what the incident was.
        case: what the brain was shown.
        menu: what it could choose from.
        decision: what came of it.
        cost: what it took.
        note: what happened to the incident meanwhile, or empty.
        beside: the decision that a shadow decided beside, or 0.
        agrees: whether the shadow says the same, None when it is none.
    """

    at: int
    standpoint: Standpoint
    case: Case
    menu: Menu
    decision: Decision
    cost: Cost = Cost()
    note: str = ""
    beside: int = 0
    agrees: bool | None = None


def tokens_of(decision: Decision) -> int:
    """Return how many tokens all calls of a decision took."""
    return sum(call.tokens_in + call.tokens_out for call in decision.calls)


def digest_of(menu: Menu) -> str:
    """Return a hash of what could be chosen, with every candidate."""
    text = msgspec.json.encode(shown(menu), order="deterministic")
    return hashlib.sha256(menu.catalogue.encode() + text).hexdigest()[:16]


def shown(menu: Menu) -> dict[str, dict[str, list[Any]]]:
    """Return a menu as people read it: values by action and argument."""
    return {
        offer.name: {
            name: [one.value for one in some]
            for name, some in offer.candidates.items()
        }
        for offer in menu.offers
    }


def evidence(decision: Decision, menu: Menu) -> dict[str, Any]:
    """Return what is kept of how a decision came to be."""
    return {
        "options": [_builtin(one) for one in decision.options],
        "grounding": [_builtin(one) for one in decision.grounding],
        "calls": [_builtin(one) for one in decision.calls],
        "menu": shown(menu),
        "left_out": dict(menu.left_out),
    }


def clean(value: Any) -> Any:
    """Return a value without what no database or JSON can hold.

    A model may answer half of a surrogate pair.
    """
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\0", "")
    if isinstance(value, dict):
        return {clean(name): clean(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [clean(one) for one in value]
    return value


def _builtin(value: Any) -> Any:
    """Return a struct as JSON has it."""
    return msgspec.to_builtins(value)
