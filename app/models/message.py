"""The message: what people are told, and each way that it goes.

A message is made of an entry of the action log, in the turn that moves the
mark over it: what is not in the log is not told, and what is there is told
once. A dispatch is one message on its way to one channel.
"""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """Why people are told."""

    ESCALATED = "escalated"  # it is theirs now, with the evidence
    ASKED = "asked"  # an approval waits for them
    EVIDENCE = "evidence"  # what was collected since it was handed over
    ACTED = "acted"  # a job was started
    FIXED = "fixed"  # measured
    CLOSED = "closed"  # over without them: resolved, observed, no action
    HALTED = "halted"  # nothing starts any more, or starts again
    DIGEST = "digest"  # many of the others in one


# What a person must do something about.
URGENT = (Kind.ESCALATED, Kind.ASKED)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that a message can say; templates read these and nothing else.

    Attributes:
        kind: why people are told.
        at: when it happened, in microseconds.
        incident: the incident's number, 0 when it is about none.
        title: the incident in a few words: its problem and its target.
        severity: how bad it is.
        source: which monitoring system told of it.
        happened: what happened, in one line, as the log has it.
        call: the exact call, such as restart_service(host=web-01), or empty.
        why: why it was chosen, or empty.
        confidence: how sure the brain was, or None.
        brain: who chose, or empty.
        ruling: what code ruled, with the rule's name, or empty.
        verdict: fixed, not_fixed, unknown, or empty when nothing ran.
        before: what was measured before, a line each.
        after: and since.
        evidence: what stands out of what was collected, a line each.
        runbook: the section of the runbook that fits, or empty.
        approval: the number of the question, or 0.
        expires_at: when the question ends, or None.
        questions: the numbers of all questions of a digest.
        links: names and addresses: console, api, runbook, source ...
        sampled: other messages that this one stands for, a line each.
        more: how many more of them there are.
    """

    kind: str
    at: int
    incident: int = 0
    title: str = ""
    severity: str = ""
    source: str = ""
    happened: str = ""
    call: str = ""
    why: str = ""
    confidence: float | None = None
    brain: str = ""
    ruling: str = ""
    verdict: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    runbook: str = ""
    approval: int = 0
    expires_at: int | None = None
    questions: tuple[int, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    sampled: tuple[str, ...] = ()
    more: int = 0


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message as one channel sends it.

    Attributes:
        key: the same for every try, so that the other end may drop a copy.
        kind: why people are told: one of Kind.
        severity: how bad it is.
        title: one line.
        text: plain text, some lines.
        facts: what both were made of, for channels that send data.
    """

    key: str
    kind: str
    severity: str = ""
    title: str
    text: str
    facts: Facts


class Message(msgspec.Struct, kw_only=True):
    """What people are told; the columns say what.

    Attributes:
        id: its number.
        entry_id: the entry of the action log that it was made of.
        at: when that was written.
        kind: why people are told.
        incident_id: the incident, or 0.
        mission_id: the mission, or 0.
        severity: how bad it is.
        labels: what routes match on, as JSON: kind, severity, source,
            target, environment, team, role and the alert's own labels.
        facts: all that it can say, as JSON: Facts.
    """

    id: int = 0
    entry_id: int
    at: int
    kind: str
    incident_id: int = 0
    mission_id: int = 0
    severity: str = ""
    labels: str = "{}"
    facts: str = "{}"


class DispatchState(StrEnum):
    """Where a dispatch stands."""

    WAITING = "waiting"  # until due_at: sent, or tried again
    GATHERING = "gathering"  # until due_at: it goes with others, as a digest
    SENT = "sent"
    DEAD = "dead"  # given up; a person may send it again
    SPARED = "spared"  # nobody needs it any more: acknowledged, over
    REPEATED = "repeated"  # the same was told a moment before


LIVE = (DispatchState.WAITING, DispatchState.GATHERING)


class Dispatch(msgspec.Struct, kw_only=True):
    """One message on its way to one channel; the columns say what.

    Attributes:
        id: its number.
        message_id: what is told.
        incident_id: of which incident, or 0.
        kind: why people are told.
        channel: to which channel.
        level: of the escalation, from 1: later ones only go when nobody has
            acknowledged it by then.
        state: where it stands.
        reason: why it stands there, in one line.
        tries: how often it was tried.
        due_at: when to look at it next; None when it is over.
        created_at: when it was written.
        ended_at: when it was sent, or given up.
        reference: what the other end calls it, or empty.
        holder: the worker that has it, or empty.
        lease_until: until when.
        fence: rises with every worker that takes it.
    """

    id: int = 0
    message_id: int
    incident_id: int = 0
    kind: str
    channel: str
    level: int = 1
    state: str = DispatchState.WAITING.value
    reason: str = ""
    tries: int = 0
    due_at: int | None
    created_at: int
    ended_at: int | None = None
    reference: str = ""
    holder: str = ""
    lease_until: int = 0
    fence: int = 0
