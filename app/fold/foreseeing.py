"""Foreseeing: which open incidents a mute would keep, before it is made."""

from collections.abc import Sequence

import msgspec

from app.core.errors import Refused
from app.fold.standing import labels_of
from app.models.incident import Incident, State
from app.models.matcher import Matcher, fit_all
from app.models.mute import Unfit, Wish
from app.models.timetable import Timetable
from app.store import incidents as store
from app.store.ledger import Connection
from app.store.teams import Teams

BATCH = 200
# So many living incidents are looked at, the oldest first.
MOST = 5_000


class Foreseen(msgspec.Struct, frozen=True):
    """What a mute would do now.

    Attributes:
        incidents: those of which all that goes on would be muted.
        partly: those of which only some of it would be: they stay open.
        looked_at: how many living ones were looked at.
        is_cut: whether there were more.
    """

    incidents: Sequence[Incident]
    partly: Sequence[Incident]
    looked_at: int
    is_cut: bool


def check_matchers(matchers: tuple[Matcher, ...]) -> None:
    """Refuse conditions that no mute may have.

    Raises:
        Refused: there are none, or they would mute everything.
    """
    wish = Wish(
        matchers=matchers,
        times=Timetable(starts_at=0, ends_at=1),
        author="preview",
        comment="preview",
    )
    try:
        wish.check()
    except Unfit as error:
        raise Refused(
            422,
            "unfit_mute",
            f"{error.field}: {error}.",
            field=error.field,
            remedy="docs/mutes.md says what a mute may say.",
        ) from error


def foresee(
    connection: Connection, matchers: Sequence[Matcher], teams: Teams
) -> Foreseen:
    """Return which living incidents conditions would mute; only looks.

    Args:
        connection: a snapshot.
        matchers: the conditions.
        teams: only their incidents are looked at and counted; none: all.
    """
    whole: list[Incident] = []
    partly: list[Incident] = []
    after = seen = 0
    is_cut = False
    while not is_cut:
        numbers = store.find_living(connection, after, BATCH, teams)
        if not numbers:
            break
        for incident, fits in _look(connection, numbers, matchers):
            if fits:
                (whole if all(fits) else partly).append(incident)
        after, seen = numbers[-1], seen + len(numbers)
        is_cut = seen >= MOST
    return Foreseen(whole, partly, seen, is_cut)


def _look(
    connection: Connection, numbers: list[int], matchers: Sequence[Matcher]
) -> list[tuple[Incident, list[bool]]]:
    """Return incidents, and which of what goes on in each would be muted.

    An incident of which nothing would be is given with an empty list.
    """
    firing = store.find_firing(connection, numbers)
    ids = {one.strand_id for some in firing.values() for one in some}
    strands = store.find_strands_by_id(connection, ids)
    incidents = store.find_incidents(connection, numbers)
    found = []
    for number in numbers:
        incident = incidents[number]
        fits = [
            fit_all(matchers, labels_of(strands[one.strand_id], one))
            for one in firing[number]
        ]
        is_said = any(fits) and incident.state != State.SUPPRESSED
        found.append((incident, fits if is_said else []))
    return found
