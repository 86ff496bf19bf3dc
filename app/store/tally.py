"""How many rows match: an estimate that costs nothing, or the number."""

from collections.abc import Sequence

import msgspec


class Tally(msgspec.Struct, frozen=True):
    """A count, and what it is worth.

    Attributes:
        value: how many.
        kind: estimated or exact.
    """

    value: int
    kind: str


def estimate(
    ids: Sequence[int], bounds: tuple[int, int], *, has_more: bool
) -> Tally:
    """Return about how many rows match: as dense everywhere as on the page.

    Args:
        ids: those on the page, in either order.
        bounds: the first and the last id of the list.
        has_more: whether rows follow on the page.
    """
    first, last = bounds
    if not ids:
        return Tally(0, "estimated")
    if not has_more:
        return Tally(len(ids), "estimated")
    # From the end of the list that the page begins at, or from its first.
    width = abs(ids[0] - ids[-1]) + 1
    whole = max(last - first + 1, width)
    return Tally(max(len(ids), len(ids) * whole // width), "estimated")
