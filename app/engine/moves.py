"""Moves: what happened to a mission, its row and its line of the log.

Each function runs in a turn: the row of the mission, what belongs to it and
what the log says are on disk together, or not at all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.core.clock import Clock
from app.models.approval import OPEN, ApprovalState
from app.models.brevity import clip
from app.models.entry import Note
from app.models.incident import Incident
from app.models.job import UNSENT, JobState
from app.models.mission import Event, Limits, Mission, Stage
from app.models.record import clean
from app.pipeline import open_mission, step
from app.store.approvals import find_approval, save_approval
from app.store.incidents import find_incidents
from app.store.jobs import find_job, save_job
from app.store.ledger import Connection
from app.store.log import append
from app.store.missions import add_mission, save_mission

LONGEST = 500
PIPELINE = "pipeline"


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log about a mission.

    Attributes:
        kind: what happened, as noun.verb_past.
        summary: one line for people.
        actor: who did it.
        action: the call, when one was made.
        body: the evidence.
    """

    kind: str
    summary: str
    actor: str = PIPELINE
    action: str = ""
    body: Mapping[str, Any] = {}


class Moves:
    """Moves missions, and says so in the log."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        """Take the time, and how long and how often."""
        self.clock = clock
        self.limits = limits

    def begin(
        self, connection: Connection, incident: Incident, event: Event
    ) -> Mission:
        """Open the mission of an incident with what happened first."""
        now = self.clock.now()
        blank = open_mission(incident.id, incident.target, now, self.limits)
        mission = step(blank, event, now, self.limits)
        mission.version = 1
        mission.id = add_mission(connection, mission)
        if mission.is_over:
            self.tell(connection, mission, _tell_end(mission))
        return mission

    def move(
        self,
        connection: Connection,
        mission: Mission,
        event: Event,
        *,
        is_taken: bool = False,
    ) -> Mission:
        """Move a mission, and let go of it when nothing is due at once.

        Args:
            connection: a turn's transaction.
            mission: as it is known to who moves it.
            event: what happened.
            is_taken: whether it is moved from outside, such as by people:
                whichever worker has it is too late then.

        Raises:
            Fenced: somebody else has it, or was first.
            Misstep: the event does not fit where it stands.
        """
        now = self.clock.now()
        after = step(mission, event, now, self.limits)
        if is_taken or after.due_at is None or after.due_at > now:
            after = msgspec.structs.replace(after, holder="", lease_until=0)
        save_mission(connection, mission, after)
        if after.is_over:
            self.settle(connection, after, after.reason)
            self.tell(connection, after, _tell_end(after))
        return after

    def tell(
        self, connection: Connection, mission: Mission, *words: Word
    ) -> None:
        """Write lines about a mission into the log."""
        self.tell_all(connection, [(mission, word) for word in words])

    def tell_all(
        self, connection: Connection, lines: Sequence[tuple[Mission, Word]]
    ) -> None:
        """Write lines about some missions into the log."""
        if not lines:
            return
        numbers = {mission.incident_id for mission, _ in lines}
        found = find_incidents(connection, numbers)
        notes = []
        for mission, word in lines:
            number, also = mission.incident_id, {"mission": mission.id}
            notes.append(_note(word, number, found.get(number), also))
        append(connection, self.clock.now(), notes)

    def tell_of(
        self, connection: Connection, incident: Incident, word: Word
    ) -> None:
        """Write a line about an incident into the log."""
        note = _note(word, incident.id, incident, {})
        append(connection, self.clock.now(), [note])

    def settle(
        self, connection: Connection, mission: Mission, why: str
    ) -> None:
        """End the question, and the unsent job, that a mission leaves."""
        self.withdraw(connection, mission, why)
        job = find_job(connection, mission.job_id) if mission.job_id else None
        if job is not None and job.state in UNSENT:
            aborted = msgspec.structs.replace(
                job,
                state=JobState.ABORTED.value,
                reason=clip(why, LONGEST),
                ended_at=self.clock.now(),
                fence=mission.fence,
            )
            save_job(connection, job, aborted)

    def withdraw(
        self, connection: Connection, mission: Mission, why: str
    ) -> None:
        """Withdraw the question that a mission waits for, if it is open."""
        if not mission.approval_id:
            return
        asked = find_approval(connection, mission.approval_id)
        if asked is None or asked.state != OPEN or asked.mode == "suggest":
            return
        state = ApprovalState.WITHDRAWN
        if asked.expires_at <= self.clock.now():
            state = ApprovalState.EXPIRED
        ended = msgspec.structs.replace(
            asked,
            state=state.value,
            says=clip(why, LONGEST),
            ended_at=self.clock.now(),
            version=asked.version + 1,
        )
        save_approval(connection, asked, ended)
        word = Word(
            kind=f"approval.{state.value}",
            summary=f"approval {asked.id} is {state.value}: {why}",
            action=call_of(asked.action, asked.arguments),
            body={"approval": asked.id, "decision": asked.decision_id},
        )
        self.tell(connection, mission, word)


def call_of(action: str, arguments: str) -> str:
    """Return a call in one line, for people and for the log."""
    inside = ", ".join(
        f"{name}={value}"
        for name, value in msgspec.json.decode(arguments).items()
    )
    return f"{action}({inside})"


def _tell_end(mission: Mission) -> Word:
    """Return what the log says when a mission is over."""
    is_with_people = mission.stage == Stage.ESCALATED
    return Word(
        kind="incident.escalated" if is_with_people else "mission.closed",
        summary=f"{mission.end}: {mission.reason}",
        body={
            "end": mission.end,
            "decision": mission.decision_id,
            "approval": mission.approval_id,
            "job": mission.job_id,
            "round": mission.round,
        },
    )


def _note(
    word: Word, number: int, incident: Incident | None, also: dict[str, int]
) -> Note:
    """Return a line as the log takes it."""
    return Note(
        kind=word.kind,
        incident=number,
        target=incident.target_name if incident else "",
        problem=incident.problem if incident else "",
        severity=incident.severity if incident else "",
        status=incident.state if incident else "",
        actor=word.actor,
        action=clip(clean(word.action), LONGEST),
        summary=clip(clean(word.summary), LONGEST),
        body={**also, **clean(dict(word.body))},
    )
