"""What the API shows of a night that is handed over."""

from collections.abc import Sequence
from typing import Any, Self

from pydantic import BaseModel, Field

from app.api.entries import EntryView
from app.api.incident_views import IncidentItem
from app.core.clock import to_iso
from app.engine.moves import call_of
from app.models.mute import Mute
from app.models.verdict import Verdict
from app.store.handover import Doing, Night, Span

SECOND = 1_000_000
PEOPLE = "person:"
MOST_ACTORS = 100


class CountsView(BaseModel):
    """The night in numbers."""

    alerts: int | None = Field(
        description="that came in; null: not counted for one team"
    )
    incidents: int = Field(description="that were opened")
    resolved_by_machine: int = Field(
        description="incidents that an action fixed, as measured"
    )
    no_action: int = Field(description="doing nothing was right")
    observed: int = Field(description="only told what would have been done")
    by_itself: int = Field(description="over before anything was done")
    suppressed: int = Field(description="muted, flapping or held")
    merged: int
    escalated: int = Field(description="handed over to people")
    jobs: int = Field(description="actions that were begun")
    fixed: int = Field(description="jobs after which it was good: measured")
    not_fixed: int = Field(description="jobs that did not help")
    unknown: int = Field(description="nobody can say: that is no success")
    not_measured: int = Field(description="not yet, or nothing to measure")
    still_open: int = Field(description="incidents that are not over now")
    needs_you: int = Field(description="questions that wait now")


class AskedView(BaseModel):
    """What people were asked in this time."""

    asked: int
    granted: int
    refused: int
    expired: int = Field(description="nobody answered in time")
    withdrawn: int
    edited: int
    waiting: int = Field(description="of these, still without an answer")
    median_seconds: float | None = Field(
        description="how long an answer took; null: there was none"
    )


class ActorView(BaseModel):
    """What one did, by the lines of the log."""

    actor: str
    is_person: bool
    lines: int
    kinds: dict[str, int]


class DoneView(BaseModel):
    """One thing that was done."""

    job: int
    incident: int
    call: str
    target: str
    state: str
    verdict: str = Field(description="empty: not measured")
    reason: str
    proposer: str
    approval: int | None = Field(description="what it rests on, if asked")
    at: str
    took_seconds: float | None = Field(description="null: not over, or never")

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a job as the handover shows it."""
        took = None
        if row.started_at is not None and row.ended_at is not None:
            took = (row.ended_at - row.started_at) / SECOND
        return cls(
            job=row.id,
            incident=row.incident_id,
            call=call_of(row.action, row.arguments),
            target=row.target,
            state=row.state,
            verdict=row.verdict,
            reason=row.reason,
            proposer=row.proposer,
            approval=row.approval_id or None,
            at=to_iso(row.started_at or row.planned_at) or "",
            took_seconds=took,
        )


class QuietView(BaseModel):
    """A mute that is on now."""

    id: int
    kind: str
    matchers: str
    author: str
    comment: str
    until: str | None = Field(description="until when it is on")

    @classmethod
    def of(cls, mute: Mute, matchers: str) -> Self:
        """Return a mute as the handover shows it."""
        return cls(
            id=mute.id,
            kind=mute.wish.kind.value,
            matchers=matchers,
            author=mute.wish.author,
            comment=mute.wish.comment,
            until=to_iso(mute.slot.until) if mute.slot else None,
        )


class HandoverView(BaseModel):
    """All that whoever comes in the morning has to know."""

    seq: int
    since: str
    until: str
    at: str = Field(description="when it was put together")
    counts: CountsView
    asked: AskedView
    who: list[ActorView] = Field(description="the first 100, busiest first")
    open: list[IncidentItem] = Field(description="the worst first")
    done: list[DoneView] = Field(description="newest first")
    said: list[EntryView] = Field(description="by people, newest first")
    changes: list[EntryView] = Field(
        description="of policy, brains, people, mutes, and pauses"
    )
    mutes: list[QuietView] = Field(description="that are on now")
    cut: list[str] = Field(description="lists of which there is more")


def show(
    night: Night, span: Span, now: int, quiet: Sequence[QuietView]
) -> HandoverView:
    """Return a night as the API shows it.

    Args:
        night: all that happened.
        span: when that was.
        now: when it was read.
        quiet: the mutes that the caller sees.
    """
    lists = {
        "open": night.open,
        "done": night.jobs,
        "said": night.said,
        "changes": night.changes,
    }
    return HandoverView(
        seq=night.seq,
        since=to_iso(span.since) or "",
        until=to_iso(span.until) or "",
        at=to_iso(now) or "",
        counts=_count(night),
        asked=_ask(night),
        who=list_actors(night.doings),
        open=[IncidentItem.of(row) for row in night.open.rows],
        done=[DoneView.of(row) for row in night.jobs.rows],
        said=[EntryView.of(row) for row in night.said.rows],
        changes=[EntryView.of(row) for row in night.changes.rows],
        mutes=list(quiet),
        cut=[name for name, some in lists.items() if some.has_more],
    )


def list_actors(doings: Sequence[Doing]) -> list[ActorView]:
    """Return what each did, people before all else, the busiest first."""
    found: dict[str, dict[str, int]] = {}
    for one in doings:
        found.setdefault(one.actor, {})[one.kind] = one.count
    views = [
        ActorView(
            actor=actor,
            is_person=actor.startswith(PEOPLE),
            lines=sum(kinds.values()),
            kinds=kinds,
        )
        for actor, kinds in found.items()
    ]
    views.sort(key=lambda one: (not one.is_person, -one.lines, one.actor))
    return views[:MOST_ACTORS]


def _count(night: Night) -> CountsView:
    """Return the night in numbers."""
    ends, verdicts = night.ends, night.verdicts
    jobs = sum(verdicts.values())
    known = {one.value: verdicts.get(one.value, 0) for one in Verdict}
    return CountsView(
        alerts=night.alerts,
        incidents=night.opened,
        resolved_by_machine=ends["fixed"],
        no_action=ends["no_action"],
        observed=ends["observed"],
        by_itself=ends["resolved"],
        suppressed=ends["suppressed"],
        merged=ends["merged"],
        escalated=ends["escalated"],
        jobs=jobs,
        fixed=known["fixed"],
        not_fixed=known["not_fixed"],
        unknown=known["unknown"],
        not_measured=jobs - sum(known.values()),
        still_open=night.living,
        needs_you=night.asking.waiting,
    )


def _ask(night: Night) -> AskedView:
    """Return what people were asked."""
    states, waits = night.asking.states, night.asking.waits
    return AskedView(
        asked=sum(states.values()),
        granted=states.get("granted", 0),
        refused=states.get("refused", 0),
        expired=states.get("expired", 0),
        withdrawn=states.get("withdrawn", 0),
        edited=states.get("edited", 0),
        waiting=states.get("asked", 0),
        median_seconds=None if waits is None else waits / SECOND,
    )
