"""Where an incident stands, what that changes, and what the log says."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from app.models.alert import Severity
from app.models.brevity import clip
from app.models.entry import Note
from app.models.episode import Episode
from app.models.incident import (
    Health,
    Incident,
    Standing,
    State,
    ahead,
    judge,
)
from app.models.strand import RANKS
from app.store.incidents import StrandRecord, Tally

RESOLVED_BY = "source"
UNHEARD = "stale: nothing more was heard, and nobody said it was over"
HEALED = "healed itself while it was held down"
KINDS = {
    State.OPEN: "incident.reopened",
    State.RESOLVED: "incident.resolved",
    State.SUPPRESSED: "incident.suppressed",
    State.WAITING: "incident.held",
}


class Muted(msgspec.Struct, frozen=True):
    """Until when every episode that goes on is muted, and by what."""

    until: int
    why: str


def open_incident(
    number: int, first: Episode, strand: StrandRecord, now: int
) -> Incident:
    """Return a new incident; where it stands is settled afterwards."""
    return Incident(
        id=number,
        state=State.OPEN.value,
        target=strand.target,
        target_kind=strand.target_kind,
        target_name=strand.target_name,
        problem=first.problem,
        source=first.source,
        severity=first.severity,
        title=clip(first.summary or first.name),
        opened_at=now,
        changed_at=now,
        begins_at=first.begins_at,
    )


def labels_of(strand: StrandRecord, episode: Episode) -> dict[str, str]:
    """Return what a matcher may ask about an episode."""
    return strand.labels | {
        "alertname": strand.labels.get("alertname", strand.name),
        "source": strand.source,
        "severity": episode.severity,
        "target": strand.target_name,
        "target_kind": strand.target_kind,
        "problem": strand.problem,
    }


def settle(
    incident: Incident,
    tally: Tally,
    firing: Mapping[str, int],
    muted: Muted | None,
    now: int,
) -> Incident:
    """Return an incident as it should be.

    Args:
        incident: as it was.
        tally: what its episodes add up to.
        firing: how many of them go on, by severity.
        muted: what mutes it, if anything does.
        now: the present.
    """
    worst = worst_of(firing or (one.severity for one in tally.last))
    count = sum(firing.values())
    if not firing and not tally.last:
        worst = Severity(incident.severity)
    health = Health(
        firing=count,
        worst=worst,
        muted_until=muted.until if muted else None,
        mute=muted.why if muted else "",
        held_until=incident.held_until,
        flapping_until=incident.flapping_until,
    )
    standing = judge(health, now)
    if standing.state is State.RESOLVED and tally.stale:
        standing = Standing(State.RESOLVED, UNHEARD)
    ends_at = None
    if not firing:
        last = (episode.until for episode in tally.last)
        ends_at = max(last, default=incident.ends_at)
    return msgspec.structs.replace(
        incident,
        state=standing.state.value,
        reason=standing.reason,
        due_at=standing.due_at,
        severity=worst.value,
        begins_at=tally.begins_at,
        ends_at=ends_at,
        episodes=tally.episodes,
        firing=count,
        # What is past does not come back when our clock is set back.
        held_until=ahead(incident.held_until, now),
        flapping_until=ahead(incident.flapping_until, now),
        merged_into=0,
    )


def worst_of(severities: Iterable[str]) -> Severity:
    """Return the worst of some severities."""
    return max(
        map(Severity, severities),
        key=RANKS.__getitem__,
        default=Severity.UNKNOWN,
    )


def tell_change(
    before: Incident | None, after: Incident, actor: str
) -> list[Note]:
    """Return what the log says about an incident that was settled."""
    notes = []
    if before is None:
        notes.append(_note(after, "incident.opened", actor, after.title))
    old_state = before.state if before else State.OPEN.value
    if after.state != old_state or _has_new_reason(before, after):
        kind = KINDS[State(after.state)]
        if old_state in (State.SUPPRESSED, State.WAITING):
            kind = kind.replace("reopened", "released")
        healed = _has_healed(before, after)
        what = f"{after.title}: {HEALED}" if healed else _say(after)
        notes.append(_note(after, kind, actor, what))
    if before is not None and before.severity != after.severity:
        what = f"severity {before.severity} -> {after.severity}"
        kind = "incident.severity_changed"
        notes.append(_note(after, kind, actor, what))
    return notes


def note_about(incident: Incident, kind: str, actor: str, **more: Any) -> Note:
    """Return a note about an incident with a summary and a body."""
    note = _note(incident, kind, actor, more["summary"])
    return msgspec.structs.replace(note, body=more.get("body", {}))


def _note(incident: Incident, kind: str, actor: str, summary: str) -> Note:
    """Return a note that carries the incident's own columns."""
    return Note(
        kind=kind,
        incident=incident.id,
        target=incident.target_name,
        problem=incident.problem,
        severity=incident.severity,
        status=incident.state,
        actor=actor,
        summary=summary,
        body={"begins_at": incident.begins_at, "firing": incident.firing},
    )


def _has_new_reason(before: Incident | None, after: Incident) -> bool:
    """Tell whether an incident stays suppressed, but by something else."""
    if before is None or after.state != State.SUPPRESSED:
        return False
    return before.reason != after.reason


def _has_healed(before: Incident | None, after: Incident) -> bool:
    """Tell whether an incident ended before its hold-down did."""
    if after.state != State.RESOLVED or after.reason:
        return False
    if before is None:
        return after.held_until is not None
    return before.state == State.WAITING


def _say(incident: Incident) -> str:
    """Return where an incident stands, for people."""
    standing = Standing(State(incident.state), incident.reason)
    if standing.reason:
        return f"{incident.title}: {standing.reason}"
    return f"{incident.title}: {standing.state.value}"
