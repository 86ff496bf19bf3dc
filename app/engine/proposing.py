"""Proposing: a decision that no brain made: a person's, or an undo.

It is a decision like all others, with a case of its own, and the guard
rules on it like on all others: there is no second way to a backend.
"""

import msgspec

from app.core.errors import Refused
from app.decide.vetting import vet
from app.engine.moves import Moves, Word
from app.engine.opening import follow
from app.engine.plans import World
from app.models.action import ALWAYS
from app.models.choice import Decision, Proof
from app.models.incident import Incident, State
from app.models.job import Job
from app.models.menu import Arguments
from app.models.mission import Mission
from app.models.proposer import PERSON, UNDO
from app.models.record import Record
from app.store.decisions import add_decision
from app.store.incidents import find_incidents
from app.store.ledger import Connection


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants to be done.

    Attributes:
        incident: for which incident.
        action: which action.
        arguments: with what.
        author: who wants it.
        comment: why, perhaps empty.
    """

    incident: int
    action: str
    arguments: Arguments
    author: str
    comment: str = ""


class Proposing:
    """Keeps decisions that no brain made; in a turn."""

    def __init__(self, moves: Moves, world: World) -> None:
        """Take who moves missions, and what decisions are made of."""
        self._moves = moves
        self._world = world

    def propose(
        self, connection: Connection, wish: Proposal
    ) -> tuple[int, Mission]:
        """Keep what a person proposes; return its number and mission.

        Raises:
            Refused: it cannot be proposed; nothing was changed.
        """
        incident = find_incidents(connection, [wish.incident]).get(
            wish.incident
        )
        if incident is None:
            raise Refused(
                404,
                "not_found",
                f"There is no incident {wish.incident}.",
                field="incident",
                remedy="List what there is with GET /api/v1/incidents.",
            )
        if incident.state != State.OPEN:
            raise Refused(
                409,
                "not_open",
                f"Incident {incident.id} is {incident.state}: nothing acts"
                " on it.",
                field="incident",
                remedy="Propose it while the incident is open.",
            )
        proofs = self._vet(wish)
        decision = Decision(
            action=wish.action,
            arguments=wish.arguments,
            reason=wish.comment or f"{wish.author} proposed it",
            brain=f"{PERSON}{wish.author}",
            why="proposed",
            grounding=proofs,
        )
        kept = self.keep(connection, incident.id, decision)
        self.tell(connection, incident, kept, decision)
        mission = follow(connection, self._moves, incident, kept, decision)
        if mission is None:
            raise Refused(
                409,
                "busy",
                f"A job of incident {incident.id} runs, or is measured.",
                field="incident",
                remedy="Wait for its end, or abort it first.",
            )
        return kept, mission

    def undo(self, connection: Connection, job: Job, action: str) -> int:
        """Keep the decision that takes a job back; return its number."""
        spec = self._world.catalogue.get(action)
        arguments = {
            name: value
            for name, value in msgspec.json.decode(job.arguments).items()
            if name in spec.parameters
        }
        decision = Decision(
            action=action,
            arguments=arguments,
            reason=f"job {job.id} made it worse: it is taken back",
            brain=UNDO,
            why=UNDO,
        )
        kept = self.keep(connection, job.incident_id, decision)
        incident = find_incidents(connection, [job.incident_id]).get(
            job.incident_id
        )
        if incident is not None:
            self.tell(connection, incident, kept, decision)
        return kept

    def _vet(self, wish: Proposal) -> tuple[Proof, ...]:
        """Return the proof of a person's arguments, or raise Refused."""
        spec = self._world.catalogue.find(wish.action)
        own = self._world.catalogue.own
        if spec is None or spec.name in ALWAYS or spec.name in own:
            known = ", ".join(
                one.name
                for one in self._world.catalogue.specs
                if one.name not in ALWAYS
            )
            raise Refused(
                422,
                "no_such_action",
                f"There is no action {wish.action[:80]!r} to propose.",
                field="action",
                remedy=f"Known: {known}.",
            )
        return vet(spec, wish.arguments, self._world.inventory())

    def keep(
        self, connection: Connection, number: int, decision: Decision
    ) -> int:
        """Write a decision down with the case of now."""
        file = self._world.casework.open_file(connection, number)
        if file is None:
            raise Refused(
                404,
                "not_found",
                f"Incident {number} is gone by age.",
                field="incident",
            )
        menu = self._world.decider.menu(file.case)
        whole = msgspec.structs.replace(
            decision,
            case_digest=file.case.digest,
            catalogue_digest=menu.catalogue,
            settings_digest=file.reins.digest,
        )
        record = Record(
            at=self._moves.clock.now(),
            standpoint=file.standpoint,
            case=file.case,
            menu=menu,
            decision=whole,
        )
        return add_decision(connection, record)

    def tell(
        self,
        connection: Connection,
        incident: Incident,
        kept: int,
        decision: Decision,
    ) -> None:
        """Say in the log what was proposed."""
        word = Word(
            kind="decision.made",
            actor=decision.brain,
            action=decision.call_text,
            summary=f"proposed: {decision.reason}",
            body={"decision": kept, "why": str(decision.why)},
        )
        self._moves.tell_of(connection, incident, word)
