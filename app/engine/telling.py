"""The teller: it makes messages of what the action log says.

It follows the log by a mark. In one turn it reads what is beyond the mark,
writes the messages and each way that they go, and moves the mark: what is
in the log is told once, and nobody is told what is not on the disk.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from app.core.clock import Clock
from app.core.errors import SmokejumperError
from app.core.log import get_log
from app.engine.bell import LATE_SECONDS, Bell
from app.engine.factfinding import COLLECT, FactFinder, make_bare
from app.engine.joining import Joining, Looks
from app.engine.keeper import Keeper
from app.engine.ways import Ways
from app.models.canary import CANARY, CHANNEL
from app.models.message import Dispatch, Kind, Message
from app.models.mission import End
from app.models.proposer import CODE, PERSON
from app.models.ruling import Mode
from app.report.routing import Standing, plan
from app.report.settings import ReportSettings
from app.store.approvals import find_approval
from app.store.decisions import find_decision
from app.store.dispatches import add_dispatches
from app.store.glance import Seen
from app.store.incidents import find_incidents
from app.store.ledger import Connection, part
from app.store.marks import get_mark, put_mark
from app.store.messages import (
    Heard,
    add_message,
    find_heard,
    was_escalated_before,
)
from app.store.outbox import find_letters, find_told

TOLD = "told"
# Who lets people's incidents be looked at: we ourselves, and people.
ASKED_FOR = (CODE, PERSON)
KINDS: Mapping[str, Kind] = {
    "incident.escalated": Kind.ESCALATED,
    "approval.asked": Kind.ASKED,
    "job.started": Kind.ACTED,
    "job.ended": Kind.EVIDENCE,
    "mission.closed": Kind.CLOSED,
    "halt.changed": Kind.HALTED,
}
# Other processes write too, and nobody wakes us then.
LOOK_SECONDS = 2.0
RETRY_SECONDS = 2.0
# So many are told in one turn: whoever sends an alert waits meanwhile.
FEW = 20
# The mark is moved over what nobody is told of so many entries at a time.
STRIDE = 2_000
log = get_log("telling")


class Teller:
    """Makes messages, in a turn."""

    def __init__(
        self,
        settings: ReportSettings,
        channels: Sequence[str],
        facts: FactFinder,
        clock: Clock,
        looks: Looks | None = None,
    ) -> None:
        """Take who is told, by which ways, who knows what, and the time.

        Args:
            settings: who is told what, when and how often.
            channels: the names of all channels.
            facts: makes messages.
            clock: the time.
            looks: tells whether code looks at an incident first; None
                where it never does.
        """
        self._settings = settings
        self._channels = tuple(channels)
        self._facts = facts
        self._clock = clock
        self._joining = Joining(looks, settings.evidence)

    def look(self, connection: Connection, after: int) -> Heard:
        """Return what is beyond an entry, and beyond the mark."""
        known = max(after, get_mark(connection, TOLD))
        return find_heard(connection, known, KINDS, FEW)

    def tell(self, connection: Connection) -> int:
        """Write down what people are told; return up to which entry.

        Args:
            connection: a turn's transaction.
        """
        mark = get_mark(connection, TOLD)
        heard = find_heard(connection, mark, KINDS, FEW)
        now = self._clock.now()
        window = int(self._settings.digest.window_seconds * 1e6)
        letters: Mapping[str, Sequence[int]] = find_letters(
            connection, self._channels, now - window
        )
        for entry in heard.rows:
            letters = self._try(connection, entry, letters)
        if heard.through > mark:
            put_mark(connection, TOLD, heard.through)
        return heard.through

    def _try(
        self,
        connection: Connection,
        entry: Any,
        letters: Mapping[str, Sequence[int]],
    ) -> Mapping[str, Sequence[int]]:
        """Tell of one entry, if of its kind; a bug costs this one alone."""
        try:
            with part(connection):
                kind = _kind_of(connection, entry)
                if kind is None:
                    return letters
                return self._tell(connection, entry, kind, letters)
        except SmokejumperError:
            raise
        except Exception:
            log.exception("telling.passed_by", entry=entry.id)
            return letters

    def _make(self, connection: Connection, entry: Any, kind: Kind) -> Message:
        """Return a message; a bug costs its details, not the message."""
        try:
            return self._facts.make(connection, entry, kind)
        except SmokejumperError:
            raise
        except Exception:
            log.exception("telling.facts_crashed", entry=entry.id)
            return make_bare(entry, kind)

    def _tell(
        self,
        connection: Connection,
        entry: Any,
        kind: Kind,
        letters: Mapping[str, Sequence[int]],
    ) -> Mapping[str, Sequence[int]]:
        """Tell of one entry; return the letters with those of it."""
        message = self._make(connection, entry, kind)
        message.id = add_message(connection, message)
        if not message.id:
            return letters
        now = self._clock.now()
        if _is_canary(connection, entry):
            add_dispatches(connection, [_to_canary(message, now)])
            return letters
        since = now - self._settings.repeat
        told = find_told(connection, message.incident_id, since)
        standing = Standing(told, letters)
        found = plan(self._settings, self._channels, message, now, standing)
        found = self._joining.join(connection, message, found, now)
        add_dispatches(connection, found)
        return standing.after(found).letters


class TellingChore:
    """Follows the log, as long as the service runs."""

    def __init__(self, teller: Teller, ways: Ways, keeper: Keeper) -> None:
        """Take who tells, how the store is reached, and who writes."""
        self._teller = teller
        self._ways = ways
        self._keeper = keeper
        self._bell = Bell()
        self._seen = 0
        self._marked = 0
        self._heard: Seen[Heard] | None = None

    async def run(self) -> None:
        """Go on until cancelled."""
        self._bell.hang(self._keeper, late=LATE_SECONDS)
        await self._bell.rounds(self._try_round)

    async def _try_round(self) -> float:
        """Look once; return for how long nothing is known."""
        try:
            while await self._round():
                pass
        except SmokejumperError as error:
            log.warning("telling.failed", error=str(error))
            return RETRY_SECONDS
        except Exception:
            # A bug must not end telling people of all the rest.
            log.exception("telling.crashed")
            return RETRY_SECONDS
        return LOOK_SECONDS

    async def _round(self) -> bool:
        """Tell what is new; tell whether there may be more at once.

        Most of what the log says is told to nobody: that costs a look, and
        no turn.
        """
        look = partial(self._teller.look, after=self._seen)
        self._heard = await self._ways.glance(look, self._heard)
        heard = self._heard.found
        if not heard.rows and heard.through - self._marked < STRIDE:
            self._seen = max(self._seen, heard.through)
            return False
        self._marked = self._seen = await self._ways.turn(self._teller.tell)
        return len(heard.rows) >= FEW


def _kind_of(connection: Connection, entry: Any) -> Kind | None:
    """Return why people are told of an entry, None when they are not."""
    kind = KINDS[entry.kind]
    body: dict[str, Any] = msgspec.json.decode(entry.body)
    is_fixed = kind is Kind.CLOSED and body.get("end") == End.FIXED
    if _is_canary(connection, entry):
        # Whatever else becomes of it is told to nobody.
        return Kind.FIXED if is_fixed else None
    if is_fixed:
        return Kind.FIXED
    if kind is Kind.ASKED and _is_suggested(connection, body):
        # Who gets the incident gets the suggestion with it.
        return None
    if kind is Kind.EVIDENCE:
        has_output = bool(body.get("output_bytes"))
        is_news = has_output and _is_look(connection, entry, body)
        return kind if is_news else None
    is_noise = kind in (Kind.ESCALATED, Kind.ACTED)
    if is_noise and _is_look(connection, entry, body):
        # People have it already, and are told what was seen.
        return None
    return kind


def _is_canary(connection: Connection, entry: Any) -> bool:
    """Tell whether an entry is about the canary, by its source alone."""
    number = entry.incident_id
    incident = find_incidents(connection, [number]).get(number)
    return incident is not None and incident.source == CANARY


def _to_canary(message: Message, now: int) -> Dispatch:
    """Return the one way that a message about the canary goes."""
    return Dispatch(
        message_id=message.id,
        incident_id=message.incident_id,
        kind=message.kind,
        channel=CHANNEL,
        due_at=now,
        created_at=now,
    )


def _is_suggested(connection: Connection, body: Mapping[str, Any]) -> bool:
    """Tell whether a question is only what people might do."""
    asked = find_approval(connection, int(body.get("approval") or 0))
    return asked is not None and asked.mode == Mode.SUGGEST


def _is_look(
    connection: Connection, entry: Any, body: Mapping[str, Any]
) -> bool:
    """Tell whether an entry is about a look at what people have already."""
    decision = find_decision(connection, int(body.get("decision") or 0))
    if decision is None or decision.action != COLLECT:
        return False
    # A brain that looks first has an incident that is nobody's yet.
    return decision.brain.startswith(ASKED_FOR) and was_escalated_before(
        connection, entry.incident_id, entry.id
    )
