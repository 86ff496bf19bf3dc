"""Plans: what motions are made of, and what comes of looking."""

from collections.abc import Callable, Mapping

import msgspec

from app.decide.deciding import Decider
from app.engine.casework import Casefile, Casework
from app.models.action import ActionSpec, Catalogue
from app.models.incident import Incident
from app.models.inventory import Inventory
from app.models.menu import Arguments
from app.models.ruling import Precondition
from app.models.verdict import Reading, Subject
from app.ports import Backend


class World(msgspec.Struct, frozen=True):
    """What motions are made of, beside the store.

    Attributes:
        casework: makes cases.
        decider: proves arguments.
        catalogue: what may be done.
        inventory: what there is, now.
        backends: those that are configured.
        is_here: tells whether names of a host are the machine that we run
            on.
    """

    casework: Casework
    decider: Decider
    catalogue: Catalogue
    inventory: Callable[[], Inventory]
    backends: Mapping[str, Backend]
    is_here: Callable[..., bool]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as it can be ruled on and run.

    Attributes:
        decision: its number.
        incident: the incident as it is now.
        spec: the action, or None when the catalogue has it no more.
        action: its name.
        arguments: with what.
        target: what it works on.
        places: the same by its other names.
        proposer: who proposed it.
        confidence: how sure the brain is.
        asks: whether the brain wants a person to confirm it.
        why: what made it.
        at: when it was made.
        file: the case of the incident now, or None when it is gone.
        over: the problem that a brain decided on, when nothing of it goes
            on any more; or empty.
    """

    decision: int
    incident: Incident
    spec: ActionSpec | None
    action: str
    arguments: Arguments
    target: str
    proposer: str
    confidence: float | None
    asks: bool
    why: str
    at: int
    file: Casefile | None
    over: str = ""
    places: tuple[str, ...] = ()


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at outside of a turn, right before it.

    Attributes:
        preconditions: what must hold.
        halted: why nothing may start, as the file says it; or empty.
        before: what is measured before a start.
    """

    preconditions: tuple[Precondition, ...] = ()
    halted: str = ""
    before: tuple[Reading, ...] = ()


class Needs(msgspec.Struct, frozen=True):
    """What is measured, and why.

    Attributes:
        spec: the action that says what.
        subject: what is measured.
    """

    spec: ActionSpec
    subject: Subject
