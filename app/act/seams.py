"""Seams: where one piece of a job's output ends and the next begins.

A piece may be asked for twice, when what came of it could not be written
down, and by another node than the one before. So the place where a job is
read on (its cursor) says what it was cut within; who has read the piece
before it remembers what was kept back of it there.
"""

from msgspec.structs import replace

from app.act.masking import Mask, Seam, Secrets
from app.models.job import Order

# So many jobs are watched at once at most; of others a half line is lost.
MOST_JOBS = 1_000
# Who asks for the end of one may know an older place than who follows it.
PLACES = 4
MARK = ":"


class Seams:
    """Knows how the output of each job was masked until now."""

    def __init__(self, secrets: Secrets) -> None:
        """Take what nobody may see."""
        self._secrets = secrets
        self._kept: dict[str, dict[str, Mask]] = {}

    def open(self, order: Order) -> Mask:
        """Return a mask for what comes after the cursor of an order."""
        kept = self._kept.get(order.key, {}).get(order.cursor)
        if kept is not None:
            return kept.copy()
        return Mask(self._secrets, read_mark(order.cursor)[0])

    def close(self, order: Order, cursor: str, mask: Mask) -> str:
        """Remember how a mask stands at a new cursor; return that, marked.

        Args:
            order: with the cursor that the output was asked for from.
            cursor: where it is read on, as its backend calls it; or empty.
            mask: has had all until there.
        """
        here = f"{mask.seam}{MARK}{cursor}" if cursor else ""
        known = self._kept.pop(order.key, {})
        place = here or order.cursor
        known.pop(place, None)
        known[place] = mask
        # What can be told from the mark alone need not be remembered.
        torn = [
            at
            for at, one in known.items()
            if {one.seam, read_mark(at)[0]} != {Seam.WHOLE}
        ]
        if torn:
            if len(self._kept) >= MOST_JOBS:
                del self._kept[next(iter(self._kept))]
            self._kept[order.key] = {one: known[one] for one in torn[-PLACES:]}
        return here


def unmarked(order: Order) -> Order:
    """Return an order as its backend knows it."""
    return replace(order, cursor=read_mark(order.cursor)[1])


def read_mark(cursor: str) -> tuple[Seam, str]:
    """Return what a cursor was cut within, and how its backend calls it."""
    if not cursor:
        return Seam.WHOLE, cursor
    mark, found, bare = cursor.partition(MARK)
    if found and mark in list(Seam):
        return Seam(mark), bare
    # It was written before cursors had marks.
    return Seam.LINE, cursor
