"""The approval: a question to people, bound to all that it was asked about.

It is bound to the decision, the arguments, the policy, the target and a
moment when it ends. The first answers that are enough win; what comes later
is told what became of it.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec


class ApprovalState(StrEnum):
    """What became of a question."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"  # by people, or because it is moot
    EDITED = "edited"  # another decision was made of it


class Answer(StrEnum):
    """What one person says."""

    GRANT = "grant"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"  # a grant, until the job has started
    EDIT = "edit"


OPEN = ApprovalState.ASKED
# A grant can be withdrawn until the job is started.
ANSWERABLE: Mapping[Answer, tuple[ApprovalState, ...]] = {
    Answer.GRANT: (ApprovalState.ASKED,),
    Answer.REFUSE: (ApprovalState.ASKED,),
    Answer.WITHDRAW: (ApprovalState.ASKED, ApprovalState.GRANTED),
    Answer.EDIT: (ApprovalState.ASKED,),
}


class Approval(msgspec.Struct, kw_only=True):
    """One question; the columns say what.

    Attributes:
        id: its number.
        incident_id: the incident.
        mission_id: the mission that waits for it.
        decision_id: the decision that it is about.
        action: the action's name.
        arguments: with what, as JSON.
        target: what it works on.
        environment: of the target.
        team: whose target it is.
        policy: the version of the policy that asked.
        rule: the rule that asked, and its reason.
        reason: why it is asked.
        mode: approve, or suggest: then nothing is started.
        whom: who is asked, as JSON.
        people: how many must grant it.
        proposer: who proposed it; such a person cannot grant it.
        state: what became of it.
        says: why it ended so.
        asked_at: when.
        expires_at: when it ends.
        ended_at: when it was answered, or ended.
        version: rises with every change.
    """

    id: int = 0
    incident_id: int
    mission_id: int
    decision_id: int
    action: str
    arguments: str
    target: str
    environment: str = ""
    team: str = ""
    policy: str
    rule: str
    reason: str
    mode: str
    whom: str = "[]"
    people: int = 1
    proposer: str
    state: str = ApprovalState.ASKED.value
    says: str = ""
    asked_at: int
    expires_at: int
    ended_at: int | None = None
    version: int = 1


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """What one person said to one question.

    Attributes:
        approval_id: the question.
        person: who.
        answer: what.
        comment: why, perhaps empty.
        at: when.
    """

    approval_id: int
    person: str
    answer: str
    comment: str = ""
    at: int


class Answered(msgspec.Struct, frozen=True):
    """What becomes of a question after an answer.

    Attributes:
        state: what it is now.
        says: what to tell the person who answered.
    """

    state: ApprovalState
    says: str


class NotAllowed(Exception):
    """A person may not answer so; the text says why and what to do.

    Attributes:
        code: a word for programs.
        remedy: what to do instead.
    """

    def __init__(self, code: str, text: str, remedy: str = "") -> None:
        """Take a word for programs, one for people, and what to do."""
        super().__init__(text)
        self.code = code
        self.remedy = remedy


def answer(approval: Approval, before: Sequence[Vote], vote: Vote) -> Answered:
    """Return what becomes of a question, or raise NotAllowed.

    Args:
        approval: the question.
        before: the answers that were given.
        vote: the one that comes now.
    """
    wish = Answer(vote.answer)
    if approval.state not in ANSWERABLE[wish]:
        raise NotAllowed(
            f"already_{approval.state}",
            f"Approval {approval.id} is {approval.state} already"
            f"{': ' + approval.says if approval.says else ''}.",
            "Read what became of it; nothing was changed.",
        )
    if vote.at >= approval.expires_at and wish is not Answer.WITHDRAW:
        raise NotAllowed(
            "expired",
            f"Approval {approval.id} has expired; it is never granted late.",
            "Propose the action again, or run it by hand.",
        )
    if wish is Answer.REFUSE:
        return Answered(ApprovalState.REFUSED, f"refused by {vote.person}")
    if wish is Answer.WITHDRAW:
        return Answered(ApprovalState.WITHDRAWN, f"withdrawn by {vote.person}")
    if wish is Answer.EDIT:
        return Answered(ApprovalState.EDITED, f"edited by {vote.person}")
    return _grant(approval, before, vote)


def known_as(name: str) -> str:
    """Return how names of people are compared: two spellings are one."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _grant(approval: Approval, before: Sequence[Vote], vote: Vote) -> Answered:
    """Return what becomes of a question when a person grants it."""
    whom: list[str] = msgspec.json.decode(approval.whom)
    me = known_as(vote.person)
    if whom and me not in map(known_as, whom):
        raise NotAllowed(
            "not_asked",
            f"{vote.person} is not asked here; asked are {', '.join(whom)}.",
            "Let one of them answer.",
        )
    if known_as(approval.proposer) == f"person:{me}":
        raise NotAllowed(
            "own_proposal",
            f"{vote.person} proposed it and cannot grant it.",
            "Let somebody else answer.",
        )
    granted = {
        known_as(one.person): one.person
        for one in (*before, vote)
        if one.answer == Answer.GRANT
    }
    if len(granted) < approval.people:
        left = approval.people - len(granted)
        return Answered(
            ApprovalState.ASKED,
            f"granted by {vote.person}; {left} more must grant it",
        )
    by = " and ".join(sorted(granted.values()))
    return Answered(ApprovalState.GRANTED, f"granted by {by}")
