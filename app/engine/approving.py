"""Approving: what people answer, and what comes of it, in one turn."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from app.core.errors import Refused
from app.engine.moves import Moves, Word, call_of
from app.engine.proposing import Proposal, Proposing
from app.engine.voters import check_voter, keep_counting
from app.models.approval import (
    Answer,
    Approval,
    ApprovalState,
    NotAllowed,
    Vote,
    answer,
)
from app.models.approval import Answered as Outcome
from app.models.menu import Arguments
from app.models.mission import Answered, Mission, Stage
from app.store.approvals import (
    add_vote,
    find_approval,
    find_votes,
    save_approval,
)
from app.store.ledger import Connection
from app.store.missions import find_mission

NOT_THEIRS = ("not_asked", "own_proposal")
WAITS = (Stage.ASKING, Stage.RULING, Stage.STARTING)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a person answers.

    Attributes:
        approval: to which question.
        person: who.
        answer: what.
        comment: why, perhaps empty.
        arguments: what an edit puts in place of the old ones.
        version: the version of the question that the person saw, or None.
    """

    approval: int
    person: str
    answer: Answer
    comment: str = ""
    arguments: Arguments = {}
    version: int | None = None


class Approving:
    """Takes the answers of people."""

    def __init__(self, moves: Moves, proposing: Proposing) -> None:
        """Take who moves missions, and who keeps edits."""
        self._moves = moves
        self._proposing = proposing

    def take(self, connection: Connection, reply: Reply) -> Approval:
        """Take an answer; return what became of the question.

        Raises:
            Refused: it cannot be answered so; nothing was changed.
        """
        asked = _find(connection, reply)
        check_voter(connection, reply.person)
        vote = Vote(
            approval_id=asked.id,
            person=reply.person,
            answer=reply.answer.value,
            comment=reply.comment,
            at=self._moves.clock.now(),
        )
        before = find_votes(connection, asked.id)
        found = _judge(asked, keep_counting(connection, before), vote)
        mission = find_mission(connection, asked.mission_id)
        self._check_withdrawable(reply, mission)
        if vote not in before:
            add_vote(connection, vote)
        is_open = found.state is ApprovalState.ASKED
        after = replace(
            asked,
            state=found.state.value,
            says=found.says,
            ended_at=None if is_open else vote.at,
            version=asked.version + 1,
        )
        save_approval(connection, asked, after)
        if mission is not None:
            self._tell(connection, mission, after, reply)
            self._follow(connection, mission, after, reply)
        return after

    def _check_withdrawable(
        self, reply: Reply, mission: Mission | None
    ) -> None:
        """Raise Refused when what was granted has started already."""
        if reply.answer is not Answer.WITHDRAW or mission is None:
            return
        if mission.approval_id != reply.approval:
            raise Refused(
                409,
                "moot",
                f"Nothing rests on approval {reply.approval} any more.",
                field="approval",
                remedy="Read what became of the incident.",
            )
        if mission.stage not in WAITS:
            raise Refused(
                409,
                "already_started",
                f"Its job has started already; it is {mission.stage}.",
                field="approval",
                remedy=f"Abort job {mission.job_id} instead.",
            )

    def _follow(
        self,
        connection: Connection,
        mission: Mission,
        asked: Approval,
        reply: Reply,
    ) -> None:
        """Move the mission that waits for the answer."""
        if asked.state == ApprovalState.EDITED:
            wish = Proposal(
                incident=asked.incident_id,
                action=asked.action,
                arguments={
                    **msgspec.json.decode(asked.arguments),
                    **reply.arguments,
                },
                author=reply.person,
                comment=reply.comment or f"edited approval {asked.id}",
            )
            self._proposing.propose(connection, wish)
            return
        is_open = asked.state == ApprovalState.ASKED
        if is_open or not _rests_on(mission, asked.id):
            return
        is_granted = asked.state == ApprovalState.GRANTED
        event = Answered(is_granted=is_granted, reason=asked.says)
        self._moves.move(connection, mission, event, is_taken=True)

    def _tell(
        self,
        connection: Connection,
        mission: Mission,
        asked: Approval,
        reply: Reply,
    ) -> None:
        """Say in the log what a person answered."""
        kind = asked.state
        if asked.state == ApprovalState.ASKED:
            kind = "answered"
        says = f": {reply.comment}" if reply.comment else ""
        word = Word(
            kind=f"approval.{kind}",
            actor=f"person:{reply.person}",
            action=call_of(asked.action, asked.arguments),
            summary=f"{asked.says}{says}",
            body={
                "approval": asked.id,
                "decision": asked.decision_id,
                "answer": reply.answer.value,
                "policy": asked.policy,
            },
        )
        self._moves.tell(connection, mission, word)


def _rests_on(mission: Mission, approval: int) -> bool:
    """Tell whether a mission waits for an answer to this very question."""
    return mission.approval_id == approval and mission.stage in WAITS


def _find(connection: Connection, reply: Reply) -> Approval:
    """Return the question that is answered, or raise Refused."""
    asked = find_approval(connection, reply.approval)
    if asked is None:
        raise Refused(
            404,
            "not_found",
            f"There is no approval {reply.approval}.",
            field="approval",
            remedy="List what there is with GET /api/v1/approvals.",
        )
    if reply.version is not None and reply.version != asked.version:
        raise Refused(
            409,
            "changed_meanwhile",
            f"Approval {asked.id} is of version {asked.version} now.",
            field="if-match",
            remedy="Read it again and decide anew.",
        )
    return asked


def _judge(asked: Approval, before: Sequence[Vote], vote: Vote) -> Outcome:
    """Return what becomes of a question, or raise Refused."""
    try:
        return answer(asked, before, vote)
    except NotAllowed as error:
        raise Refused(
            403 if error.code in NOT_THEIRS else 409,
            error.code,
            str(error),
            field="approval",
            remedy=error.remedy,
        ) from error
