"""The evidence: what people get is looked at, before they do.

Whatever is handed over goes with what there is to see on its target. That
is a job like all others, which code proposes: it only looks, and the guard
rules on it. Where nothing can look, nothing is proposed.
"""

from collections.abc import Mapping

import msgspec

from app.core.errors import SmokejumperError, Unreadable
from app.core.log import get_log
from app.engine.bell import LATE_SECONDS, Bell
from app.engine.keeper import Keeper
from app.engine.motions import Motions
from app.engine.moves import Moves
from app.engine.opening import follow
from app.engine.plans import World
from app.engine.proposing import Proposing
from app.engine.topics import find_topic
from app.engine.ways import Ways
from app.models.action import ALWAYS
from app.models.canary import CANARY
from app.models.case import Case
from app.models.choice import Decision
from app.models.incident import Incident, State
from app.models.menu import Arguments, Offer
from app.models.mission import Mission, Stage
from app.models.proposer import CODE
from app.store.decisions import find_decision
from app.store.glance import Seen
from app.store.incidents import find_incidents
from app.store.ledger import Connection, part
from app.store.looks import was_run
from app.store.marks import get_mark, put_mark
from app.store.messages import find_heard
from app.store.missions import find_newest

ACTION = "collect_diagnostics"
BRAIN = f"{CODE}evidence"
MARK = "evidence"
REASON = "people have it now: what there is to see is collected"
ESCALATED = ("incident.escalated",)
# So many are looked at in one turn.
FEW = 20
RETRY_SECONDS = 2.0
# Without an escalation the mark moves this rarely.
STRIDE = 5_000
GENERAL = "general"
# What an action that did not help was about.
OF_ACTIONS: Mapping[str, str] = {
    "free_disk_space": "disk",
    "free_memory": "memory",
    "kill_process": "process",
    "restart_container": "container",
    "restart_pod": "pod",
    "restart_service": "service",
}
log = get_log("evidence")


class Evidence:
    """Proposes to look; in a turn."""

    def __init__(
        self, moves: Moves, world: World, proposing: Proposing
    ) -> None:
        """Take who moves missions, and what decisions are made of."""
        self._moves = moves
        self._world = world
        self._motions = Motions(world)
        self._proposing = proposing

    def catch_up(self, connection: Connection) -> None:
        """Look at what was handed over since the mark, and move it."""
        mark = get_mark(connection, MARK)
        heard = find_heard(connection, mark, ESCALATED, FEW)
        for number in dict.fromkeys(row.incident_id for row in heard.rows):
            self._try(connection, number)
        if heard.through > mark:
            put_mark(connection, MARK, heard.through)

    def _try(self, connection: Connection, number: int) -> None:
        """Look at one incident; a bug costs its evidence, and no other's."""
        try:
            with part(connection):
                self.collect(connection, number)
        except SmokejumperError:
            raise
        except Exception:
            log.exception("evidence.crashed", incident=number)

    def collect(self, connection: Connection, number: int) -> Mission | None:
        """Return the mission that looks at an incident, None when none does.

        It looks once for each time that it was handed over, whatever comes
        of it, and only where something can be seen.
        """
        incident = find_incidents(connection, [number]).get(number)
        decision = self._choose(connection, incident)
        if incident is None or decision is None:
            return None
        kept = self._proposing.keep(connection, number, decision)
        self._proposing.tell(connection, incident, kept, decision)
        return follow(connection, self._moves, incident, kept, decision)

    def will_look(self, connection: Connection, number: int) -> bool:
        """Tell whether an incident that was handed over is looked at.

        A bug here must not keep people from being told.
        """
        try:
            return self._will_look(connection, number)
        except SmokejumperError:
            raise
        except Exception:
            log.exception("evidence.crashed", incident=number)
            return False

    def _will_look(self, connection: Connection, number: int) -> bool:
        """Tell whether it goes on, or would be chosen now."""
        going = find_newest(connection, [number]).get(number)
        if going is not None and not going.is_over:
            row = find_decision(connection, going.decision_id)
            return row is not None and row.brain == BRAIN
        incident = find_incidents(connection, [number]).get(number)
        return self._choose(connection, incident) is not None

    def _choose(
        self, connection: Connection, incident: Incident | None
    ) -> Decision | None:
        """Return the decision to look, None when nothing is to be seen."""
        number = incident.id if incident else 0
        last = find_newest(connection, [number]).get(number)
        if incident is None or last is None or not _needs(incident, last):
            return None
        if was_run(connection, number, ACTION, last.opened_at):
            return None
        row = find_decision(connection, last.decision_id)
        if row is not None and row.brain == BRAIN:
            return None
        return self._decide(connection, number, row)

    def _decide(
        self, connection: Connection, number: int, row: object
    ) -> Decision | None:
        """Return the decision to look, None when nothing can be seen."""
        file = self._world.casework.open_file(connection, number)
        if file is None:
            return None
        offer = self._world.decider.menu(file.case).find(ACTION)
        if offer is None:
            return None
        arguments = _fill(offer, topic_of(file.case, row))
        if self._motions.find_way(offer.spec, arguments) is None:
            return None
        try:
            proofs = self._world.decider.prove(ACTION, arguments, file.case)
        except Unreadable:
            return None
        return Decision(
            action=ACTION,
            arguments=arguments,
            reason=REASON,
            brain=BRAIN,
            why="evidence",
            grounding=proofs,
        )


def _needs(incident: Incident, last: Mission) -> bool:
    """Tell whether an incident is with people, and goes on."""
    goes_on = incident.state == State.OPEN and bool(incident.firing)
    if incident.source == CANARY:
        return False
    return goes_on and last.stage == Stage.ESCALATED


def _fill(offer: Offer, topic: str) -> Arguments:
    """Return the best arguments, with a topic that the action knows."""
    arguments = offer.best()
    known = [one.value for one in offer.candidates.get("topic", ())]
    if known:
        arguments["topic"] = topic if topic in known else known[0]
    return arguments


def topic_of(case: Case, row: object = None) -> str:
    """Return what to look at: by what was tried, or by the alert's words."""
    tried = str(getattr(row, "action", ""))
    if tried in OF_ACTIONS and tried not in ALWAYS:
        return OF_ACTIONS[tried]
    return find_topic(f"{case.name} {case.problem}") or GENERAL


class Parts(msgspec.Struct, frozen=True):
    """What the chore is made of."""

    evidence: Evidence
    keeper: Keeper
    ways: Ways


class EvidenceChore:
    """Follows the action log, as long as the service runs."""

    def __init__(self, parts: Parts) -> None:
        """Take what it is made of."""
        self._parts = parts
        self._bell = Bell()
        self._seen: Seen[bool] | None = None

    async def run(self) -> None:
        """Go on until cancelled."""
        self._bell.hang(self._parts.keeper, late=LATE_SECONDS)
        await self._bell.rounds(self._try_round)

    async def _try_round(self) -> float:
        """Look once; return for how long nothing is known."""
        try:
            while await self._is_behind():
                await self._parts.ways.turn(self._parts.evidence.catch_up)
        except SmokejumperError as error:
            log.warning("evidence.not_looked", error=str(error))
        except Exception:
            # A bug must not end looking for all the rest.
            log.exception("evidence.crashed")
        return RETRY_SECONDS

    async def _is_behind(self) -> bool:
        """Tell whether something is to be looked at."""
        ways = self._parts.ways
        self._seen = await ways.glance(_is_behind, self._seen)
        return self._seen.found


def _is_behind(connection: Connection) -> bool:
    """Tell whether something was handed over beyond the mark."""
    mark = get_mark(connection, MARK)
    heard = find_heard(connection, mark, ESCALATED, FEW)
    return bool(heard.rows) or heard.through - mark >= STRIDE
