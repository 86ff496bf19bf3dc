"""Joining: what was seen goes with the escalation that it belongs to.

Whoever is woken up starts with the evidence. So where code looks at what was
handed over, the escalation waits for it, a little; what is seen meanwhile is
written into it, and is no second letter.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from app.models.message import (
    LIVE,
    Dispatch,
    DispatchState,
    Facts,
    Kind,
    Message,
)
from app.store.dispatches import find_untried, save_dispatch
from app.store.ledger import Connection
from app.store.messages import find_message, save_facts

WAITS = "what there is to see is looked at first"
WENT_WITH = "it goes with the escalation"
# Tells whether code will look at an incident that was handed over.
Looks = Callable[[Connection, int], bool]
encode = msgspec.json.Encoder(order="deterministic").encode


class Joining:
    """Lets escalations wait for their evidence; in a turn."""

    def __init__(self, looks: Looks | None, wait: int) -> None:
        """Take who tells what is looked at, and for how long it is waited.

        Args:
            looks: tells it; None where code never looks.
            wait: so long, in microseconds.
        """
        self._looks = looks
        self._wait = wait

    def join(
        self,
        connection: Connection,
        message: Message,
        found: Sequence[Dispatch],
        now: int,
    ) -> list[Dispatch]:
        """Return the dispatches of a message as they are to be written."""
        if message.kind == Kind.ESCALATED:
            return self._hold(connection, message, found, now)
        if message.kind == Kind.EVIDENCE:
            return _give(connection, message, found, now)
        return list(found)

    def _hold(
        self,
        connection: Connection,
        message: Message,
        found: Sequence[Dispatch],
        now: int,
    ) -> list[Dispatch]:
        """Let what is due at once wait, if something will be seen."""
        if self._looks is None or not self._wait:
            return list(found)
        facts = msgspec.json.decode(message.facts, type=Facts)
        if facts.evidence or not self._looks(connection, message.incident_id):
            return list(found)
        return [
            replace(one, due_at=now + self._wait, reason=WAITS)
            if one.state == DispatchState.WAITING and one.due_at == now
            else one
            for one in found
        ]


def _give(
    connection: Connection,
    message: Message,
    found: Sequence[Dispatch],
    now: int,
) -> list[Dispatch]:
    """Give what was seen to the escalation that has not gone yet."""
    seen = msgspec.json.decode(message.facts, type=Facts).evidence
    untried = find_untried(
        connection, message.incident_id, Kind.ESCALATED, now
    )
    held = [one for one in untried if one.reason == WAITS]
    waiting = {one.message_id for one in held}
    with_it = {
        number
        for number in sorted({one.message_id for one in untried})
        if _tell(connection, number, seen, is_new=number in waiting)
    }
    for one in held:
        save_dispatch(connection, one, replace(one, due_at=now, reason=""))
    # Later levels of the same message say it as well.
    joined = {
        (one.channel, one.level)
        for one in untried
        if one.message_id in with_it
    }
    return [_spare(one, now) if _is(one, joined) else one for one in found]


def _tell(
    connection: Connection,
    number: int,
    seen: tuple[str, ...],
    *,
    is_new: bool,
) -> bool:
    """Tell whether a message says what was seen; a waiting one does now."""
    told = find_message(connection, number)
    if told is None or not seen:
        return False
    facts = msgspec.json.decode(told.facts, type=Facts)
    if is_new:
        whole = encode(replace(facts, evidence=seen)).decode()
        save_facts(connection, number, whole)
    return is_new or facts.evidence == seen


def _is(one: Dispatch, joined: set[tuple[str, int]]) -> bool:
    """Tell whether what a dispatch says goes with an escalation."""
    return one.state in LIVE and (one.channel, one.level) in joined


def _spare(one: Dispatch, now: int) -> Dispatch:
    """Return a dispatch that nobody needs."""
    return replace(
        one,
        state=DispatchState.REPEATED.value,
        reason=WENT_WITH,
        due_at=None,
        ended_at=now,
    )
