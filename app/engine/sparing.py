"""Sparing: what nobody needs to be told any more, right before it is sent.

What is looked at once for all of a digest costs as much as for one letter.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from app.engine.factfinding import COLLECT
from app.models.approval import OPEN, Approval
from app.models.incident import Incident, State
from app.models.message import Dispatch, Facts, Kind, Message
from app.models.mission import End, Mission, Stage
from app.store.heirs import find_heirs
from app.store.ledger import Connection
from app.store.missions import find_newest
from app.store.needs import find_actions, find_approvals, find_begun

GONE = "its message is gone by age"
# After these nothing is left to do; other ends are no reason for silence.
WELL = (End.FIXED, End.RESOLVED, End.NO_ACTION)
# Nobody is called for what is muted or held down: it may be over by then.
HELD = (State.SUPPRESSED, State.WAITING)
read_facts = msgspec.json.Decoder(Facts).decode


class Fate(msgspec.Struct, frozen=True):
    """What becomes of a dispatch that is due.

    Attributes:
        why: why it does not go now, or empty: it goes.
        is_later: whether it is looked at again, and not over.
    """

    why: str = ""
    is_later: bool = False


NEEDED = Fate()


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about all that is due.

    Attributes:
        heirs: where incidents live on, by their numbers.
        begun: when those were over or began anew last.
        missions: their last missions.
        actions: what those follow, by the decision.
        asked: the questions.
        questions: which question a message is about.
    """

    heirs: Mapping[int, Incident] = {}
    begun: Mapping[int, int] = {}
    missions: Mapping[int, Mission] = {}
    actions: Mapping[int, str] = {}
    asked: Mapping[int, Approval] = {}
    questions: Mapping[int, int] = {}


def judge(
    connection: Connection,
    taken: Sequence[Dispatch],
    messages: Mapping[int, Message],
) -> list[Fate]:
    """Return what becomes of each of some dispatches.

    Args:
        connection: a turn's transaction.
        taken: what is about to be sent.
        messages: what they tell, as far as it is still there.
    """
    known = _look_up(connection, taken, messages)
    return [
        _fate(known, one) if one.message_id in messages else Fate(GONE)
        for one in taken
    ]


def _look_up(
    connection: Connection,
    taken: Sequence[Dispatch],
    messages: Mapping[int, Message],
) -> Known:
    """Return what is known about all that is due."""
    asking = {one.message_id for one in taken if one.kind == Kind.ASKED}
    questions = {
        number: read_facts(messages[number].facts).approval
        for number in asking & messages.keys()
    }
    asked = find_approvals(connection, set(questions.values()) - {0})
    later = {one.incident_id for one in taken if _is_later_level(one)}
    heirs = find_heirs(connection, later)
    numbers = {one.id for one in heirs.values()}
    missions = find_newest(connection, numbers)
    return Known(
        heirs=heirs,
        begun=find_begun(connection, _acknowledged(heirs.values())),
        missions=missions,
        actions=find_actions(
            connection, {one.decision_id for one in missions.values()}
        ),
        asked=asked,
        questions=questions,
    )


def _acknowledged(incidents: Collection[Incident]) -> set[int]:
    """Return those that somebody has acknowledged at some time."""
    return {one.id for one in incidents if one.acknowledged_at is not None}


def _is_later_level(dispatch: Dispatch) -> bool:
    """Tell whether a dispatch only goes when nobody has answered."""
    return dispatch.level > 1 and bool(dispatch.incident_id)


def _fate(known: Known, dispatch: Dispatch) -> Fate:
    """Return what becomes of a dispatch."""
    found = NEEDED
    if dispatch.kind == Kind.ASKED:
        found = _of_question(known, dispatch)
    if found == NEEDED and _is_later_level(dispatch):
        found = _of_level(known, dispatch)
    return found


def _of_question(known: Known, dispatch: Dispatch) -> Fate:
    """Return what becomes of a question: it may be answered by now."""
    asked = known.asked.get(known.questions.get(dispatch.message_id, 0))
    if asked is None or asked.state == OPEN:
        return NEEDED
    return Fate(f"question {asked.id} is {asked.state}")


def _of_level(known: Known, dispatch: Dispatch) -> Fate:
    """Return what becomes of a later level of an escalation."""
    heir = known.heirs.get(dispatch.incident_id)
    if heir is None:
        return Fate("the incident is gone by age")
    # What was acknowledged before it began anew is another story.
    begun = known.begun.get(heir.id, 0)
    if heir.acknowledged_at is not None and heir.acknowledged_at >= begun:
        return Fate(f"{heir.acknowledged_by} has acknowledged it")
    if not heir.firing:
        return Fate("nothing of it goes on any more")
    mission = known.missions.get(heir.id)
    if mission is None or dispatch.kind == Kind.ASKED:
        return NEEDED
    return _of_mission(known, heir, mission)


def _of_mission(known: Known, heir: Incident, mission: Mission) -> Fate:
    """Return what becomes of a level by what is done about its incident.

    Nobody has acknowledged it, so silence needs a good end. What goes on is
    waited for.
    """
    is_look = known.actions.get(mission.decision_id) == COLLECT
    if mission.stage == Stage.ESCALATED or is_look:
        return NEEDED
    if not mission.is_over:
        return Fate(f"it is {mission.stage} by now", is_later=True)
    if mission.end in WELL:
        return Fate(f"it is {mission.end} by now")
    if heir.state in HELD and heir.flapping_until is None:
        return Fate(f"it is {heir.state} by now", is_later=True)
    return NEEDED
