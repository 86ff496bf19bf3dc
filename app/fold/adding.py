"""What the episodes of the incidents that a turn touches add up to."""

from collections.abc import Mapping

import msgspec

from app.fold.telling import Case
from app.models.episode import Episode
from app.models.incident import Incident, State
from app.store import incidents as store
from app.store.due import find_last
from app.store.incidents import Tally
from app.store.ledger import Connection
from app.store.weighing import find_unheard

# A problem that has come and gone more often is not counted anew each time.
MANY = 200


def add_up(
    connection: Connection,
    case: Case,
    firing: Mapping[int, Mapping[str, int]],
) -> dict[int, Tally]:
    """Return what the episodes of touched incidents add up to.

    Args:
        connection: the turn's transaction.
        case: what the turn touches.
        firing: how many of each go on, by severity.
    """
    quick = {n for n in firing if _is_only_longer(case, n)}
    tallies = store.count_episodes(connection, firing.keys() - quick)
    # That one went stale is asked for only where nothing goes on.
    unheard = find_unheard(
        connection, {number for number in quick if not firing[number]}
    )
    for number in quick:
        added = _add(case.before[number], case, number)
        stale = int(number in unheard)
        tallies[number] = msgspec.structs.replace(added, stale=stale)
    for number in firing.keys() - tallies.keys():
        before = case.before.get(number)
        if before is not None and before.state != State.MERGED:
            tallies[number] = Tally(0, before.begins_at)
    calm = {number for number in tallies if not firing[number]}
    last = find_last(connection, calm & case.before.keys())
    last |= _last_of_new(case, calm - case.before.keys())
    return {
        number: msgspec.structs.replace(one, last=last.get(number, ()))
        for number, one in tallies.items()
    }


def _is_only_longer(case: Case, number: int) -> bool:
    """Tell whether an incident of many episodes only got some more."""
    before = case.before.get(number)
    if before is None or before.episodes < MANY:
        return False
    moves = case.assigned.moved.values()
    return number in case.episodes and all(number not in m for m in moves)


def _add(before: Incident, case: Case, number: int) -> Tally:
    """Return the sum with what joined, without reading the rest."""
    some = case.episodes[number]
    new = [one for one in some if one.id in case.woven.new]
    first = min(one.begins_at for one in some)
    return Tally(before.episodes + len(new), min(before.begins_at, first))


def _last_of_new(case: Case, numbers: set[int]) -> dict[int, list[Episode]]:
    """Return the episodes of new incidents that ended last."""
    members: dict[int, list[Episode]] = {}
    for one in case.around.values():
        if one.incident_id in numbers:
            members.setdefault(one.incident_id, []).append(one)
    found = {}
    for number, some in members.items():
        until = max(one.until for one in some)
        found[number] = [one for one in some if one.until == until]
    return found
