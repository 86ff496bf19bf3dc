"""The gauge: what readings of one kind are held against.

A value is good on its side of the limit. It is worse than before the action
only when it went further from the limit than readings differ by chance.
"""

import math

import msgspec

from app.core.errors import OutgoingFailed
from app.models.inventory import Inventory
from app.models.verdict import Judgement, Reading, Subject

UNKNOWN = Judgement.UNKNOWN


class Gauge(msgspec.Struct, frozen=True, kw_only=True):
    """How readings of one check are made and judged.

    Attributes:
        check: the check's name.
        unit: of its values.
        is_floor: whether a value must be the limit at least, not at most.
        chance: so far apart are readings of one state by chance.
        share: the same as a share of the limit, or of the reading before.
    """

    check: str
    unit: str = ""
    is_floor: bool = False
    chance: float = 0.0
    share: float = 0.0

    def read(self, at: int, value: float, limit: float, says: str) -> Reading:
        """Return a reading with its value, none when that is no number."""
        if not math.isfinite(value):
            return self.miss(at, f"{says}: {value} is no number")
        return Reading(
            check=self.check,
            at=at,
            value=value,
            unit=self.unit,
            limit=limit,
            is_floor=self.is_floor,
            says=says,
        )

    def miss(self, at: int, says: str) -> Reading:
        """Return a reading without a value, and why there is none."""
        return Reading(check=self.check, at=at, says=says)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means, beside that before the action."""
        value, limit = after.value, after.limit
        if value is None or limit is None or not math.isfinite(value):
            return UNKNOWN
        beyond = excess(after, value)
        if beyond <= 0:
            return Judgement.GOOD if is_whole(before, after) else UNKNOWN
        if (
            before is None
            or before.value is None
            or not is_like(before, after)
        ):
            return Judgement.BAD
        grown = beyond - excess(after, before.value)
        widest = max(abs(limit), abs(before.value))
        if grown > max(self.chance, self.share * widest):
            return Judgement.WORSE
        return Judgement.BAD


def excess(reading: Reading, value: float) -> float:
    """Return how far a value is on the bad side of a reading's limit."""
    limit = reading.limit or 0.0
    return limit - value if reading.is_floor else value - limit


def is_like(before: Reading, after: Reading) -> bool:
    """Tell whether two readings are of one thing."""
    return (before.check, before.unit, before.is_floor) == (
        after.check,
        after.unit,
        after.is_floor,
    )


def is_whole(before: Reading | None, after: Reading) -> bool:
    """Tell whether a reading is of no fewer values than the one before.

    Whatever has gone silent meanwhile may be what was bad.
    """
    if before is None or not is_like(before, after):
        return True
    return after.of >= before.of


def elsewhere(subject: Subject) -> str:
    """Return why nothing can be read on a machine that is not ours."""
    return f"{subject.host or 'the host'} is not this machine"


def is_known(subject: Subject, inventory: Inventory) -> bool:
    """Tell whether a host may be called: ours, or one of the inventory.

    An alert alone never says which address is called.
    """
    if not subject.host:
        return False
    return subject.is_here or inventory.find_host(subject.host) is not None


def argument(subject: Subject, name: str) -> str:
    """Return a text among the action's arguments.

    Raises:
        OutgoingFailed: the action has none of that name.
    """
    found = subject.arguments.get(name)
    if not isinstance(found, str) or not found or not found.isprintable():
        raise OutgoingFailed(f"the action has no {name}")
    return found
