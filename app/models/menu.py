"""The menu: what may be chosen for one case, with every possible argument.

A target that is neither in the alert nor in the inventory is not on it, so
it cannot be chosen, whatever a text asks for and whatever a model answers.
"""

from collections.abc import Iterator, Mapping

import msgspec

from app.models.action import ESCALATE, NO_ACTION, ActionSpec, Parameter

Value = str | int
Arguments = dict[str, Value]


class Candidate(msgspec.Struct, frozen=True):
    """One possible value of an argument, and where it was found.

    Attributes:
        value: the value in our spelling.
        source: labels.instance, inventory.host, values, bounds ...
        said: what the source said there, where it was spelled otherwise.
    """

    value: Value
    source: str
    said: str = ""


class Offer(msgspec.Struct, frozen=True):
    """One action that may be chosen, with the candidates of its arguments.

    Attributes:
        spec: the action.
        candidates: what each parameter may be, the best one first; an
            optional parameter without a candidate is not there.
    """

    spec: ActionSpec
    candidates: Mapping[str, tuple[Candidate, ...]] = {}

    @property
    def name(self) -> str:
        """Return the action's name."""
        return self.spec.name

    def best(self) -> Arguments:
        """Return the arguments that are filled in when nobody chooses."""
        found: Arguments = {}
        for name, some in self.candidates.items():
            parameter = self.spec.parameters[name]
            default = parameter.default
            found[name] = some[0].value if default is None else default
        return found

    def parameter(self, name: str) -> Parameter:
        """Return the declaration of an argument."""
        return self.spec.parameters[name]


class Menu(msgspec.Struct, frozen=True):
    """What may be chosen for one case.

    Attributes:
        offers: by name; escalate and no_action are always there.
        left_out: why each other action of the catalogue is not.
        catalogue: the digest of the catalogue that it was made from.
    """

    offers: tuple[Offer, ...]
    left_out: Mapping[str, str] = {}
    catalogue: str = ""

    def find(self, name: str) -> Offer | None:
        """Return an offer, or None when it is not on the menu."""
        return next((o for o in self.offers if o.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Return what may be chosen."""
        return tuple(offer.name for offer in self.offers)

    def changing(self) -> Iterator[Offer]:
        """Yield what would change something outside."""
        return (offer for offer in self.offers if offer.spec.changes)

    @property
    def restful(self) -> tuple[str, ...]:
        """Return what is never wrong to have on it."""
        return (ESCALATE, NO_ACTION)
