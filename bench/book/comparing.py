"""What became worse: each figure beside what it was, by its own noise."""

import msgspec

from bench.book.figure import Figure, Found
from bench.book.keeping import Kept


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One figure, with all that is known of it.

    Attributes:
        figure: it.
        found: what it is now, or None.
        why: why there is nothing, or empty.
        kept: what it was, or None.
        change: by which share it is more than it was, the machine's own
            pace taken out, or None.
    """

    figure: Figure
    found: Found | None
    why: str = ""
    kept: Kept | None = None
    change: float | None = None

    @property
    def is_worse(self) -> bool:
        """Tell whether it became worse by more than its noise."""
        if self.change is None:
            return False
        if self.figure.better == "more":
            # Half as much is as bad as twice as much is elsewhere.
            return self.change < 1 / (1 + self.figure.noise) - 1
        return self.change > self.figure.noise

    @property
    def is_met(self) -> bool | None:
        """Tell whether its aim is met; None: there is none, or no figure."""
        goal = self.figure.goal
        value = self.found.compared(self.figure) if self.found else None
        if goal is None or value is None:
            return None
        return goal.is_met(value)


def compare(
    figure: Figure,
    found: Found | None,
    pace: float,
    kept: Kept | None,
    why: str = "",
) -> Line:
    """Return a figure beside what it was.

    Args:
        figure: it.
        found: what it is now.
        pace: how fast the machine was, as machine.pace_ms says it.
        kept: what it was.
        why: why there is nothing.
    """
    change = None
    if found is not None and kept is not None:
        change = _change(figure, found, kept, pace)
    return Line(figure=figure, found=found, why=why, kept=kept, change=change)


def _change(
    figure: Figure, found: Found, kept: Kept, pace: float
) -> float | None:
    """Return by which share a figure is more than it was."""
    is_now, was = found.compared(figure), kept.found.compared(figure)
    if is_now is None or not was:
        return None
    if figure.follows_pace and pace and kept.pace:
        is_now *= kept.pace / pace
    return is_now / was - 1
