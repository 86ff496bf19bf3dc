"""How much is measured: a look, the usual, or all that there is."""

from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Size(StrEnum):
    """How much is measured; results of different sizes are not compared."""

    QUICK = "quick"
    USUAL = "usual"
    LARGE = "large"

    def pick(self, quick: T, usual: T, large: T | None = None) -> T:
        """Return what this size takes; large is the usual where not said."""
        if self is Size.QUICK:
            return quick
        return large if self is Size.LARGE and large is not None else usual

    @property
    def is_quick(self) -> bool:
        """Tell whether it is only a look."""
        return self is Size.QUICK
