"""Fact finding: all that a message can say about an entry of the log.

Everything is read in the turn that makes the message, so that it says what
was true when it was written; what is missing by age is left out.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from app.decide.casing import keep_labels, tidy
from app.engine.casework import Casework
from app.engine.measuring import readings_of
from app.engine.moves import call_of
from app.models.approval import OPEN, Approval
from app.models.brevity import clip
from app.models.evidence import read_stands_out
from app.models.incident import Incident
from app.models.inventory import Inventory
from app.models.job import Job
from app.models.message import URGENT, Facts, Kind, Message
from app.models.verdict import Reading
from app.store.approvals import find_approval
from app.store.casefile import Lead, find_lead
from app.store.decisions import find_decision
from app.store.incidents import find_incidents
from app.store.jobs import find_job
from app.store.ledger import Connection
from app.store.messages import find_last_output, find_last_ruling
from app.store.missions import find_mission
from app.store.outputs import read_output

COLLECT = "collect_diagnostics"
# What stands out of evidence is said at its beginning.
EVIDENCE_BYTES = 32_768
RUNBOOK_CHARS = 600
LINE_CHARS = 300
LONGEST_LINK = 2_000
MOST_AFTER = 3
RUNBOOK_URL = "runbook_url"
encode = msgspec.json.Encoder(order="deterministic").encode
decode = msgspec.json.decode


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry is about, as far as it is still there.

    Attributes:
        entry: the entry.
        body: its details.
        incident: the incident, or None.
        lead: what the incident is known by, or None.
        decision: the row of the decision, or None.
        job: the job that was run for it, or None.
    """

    entry: Any
    body: Mapping[str, Any]
    incident: Incident | None = None
    lead: Lead | None = None
    decision: Any = None
    job: Job | None = None


class FactFinder:
    """Makes messages of entries."""

    def __init__(
        self,
        casework: Casework,
        inventory: Callable[[], Inventory],
        base_url: str,
    ) -> None:
        """Take who knows runbooks, what there is, and where we are.

        Args:
            casework: finds runbooks.
            inventory: what there is, now.
            base_url: where people reach this service, or empty.
        """
        self._casework = casework
        self._inventory = inventory
        self._base_url = base_url

    def make(self, connection: Connection, entry: Any, kind: Kind) -> Message:
        """Return the message of an entry, which has no number yet.

        Args:
            connection: a turn's transaction.
            entry: the row of the entry.
            kind: why people are told.
        """
        about = _look_up(connection, entry)
        labels = self._labels(about, kind)
        return Message(
            entry_id=entry.id,
            at=entry.at,
            kind=kind.value,
            incident_id=entry.incident_id,
            mission_id=int(about.body.get("mission") or 0),
            severity=_severity(about),
            labels=encode(labels).decode(),
            facts=encode(self._facts(connection, about, kind)).decode(),
        )

    def _facts(
        self, connection: Connection, about: About, kind: Kind
    ) -> Facts:
        """Return all that can be said."""
        entry, decision, job = about.entry, about.decision, about.job
        asked = _find_question(connection, about, kind)
        return Facts(
            kind=kind.value,
            at=entry.at,
            incident=entry.incident_id,
            title=_title(about),
            severity=_severity(about),
            source=about.incident.source if about.incident else "",
            happened=tidy(entry.summary),
            call=_call(about),
            why=tidy(decision.reason) if decision else "",
            confidence=decision.confidence if decision else None,
            brain=decision.brain if decision else "",
            ruling=_ruling(connection, about),
            verdict=job.verdict if job else "",
            before=_lines(job.before, 1) if job else (),
            after=_lines(job.after, MOST_AFTER) if job else (),
            evidence=_find_evidence(connection, about),
            runbook=self._runbook(about),
            approval=asked.id if asked else 0,
            expires_at=asked.expires_at if asked else None,
            links=tuple(self._links(about)),
        )

    def _runbook(self, about: About) -> str:
        """Return the beginning of the runbook that fits, or nothing."""
        if about.lead is None:
            return ""
        found = self._casework.find_runbook(_labels_of(about.lead))
        return clip(found, RUNBOOK_CHARS)

    def _links(self, about: About) -> Iterator[tuple[str, str]]:
        """Yield where to look; what a stranger wrote is only a text."""
        number, base = about.entry.incident_id, self._base_url
        if number:
            # People read a page; what programs read comes after it.
            yield "console", f"{base}/console/incidents/{number}"
            yield "api", f"{base}/api/v1/incidents/{number}"
        alert = about.lead.alert if about.lead else None
        if alert is None:
            return
        notes: dict[str, str] = decode(alert.annotations)
        for name, address in (
            ("runbook", notes.get(RUNBOOK_URL, "")),
            ("source", alert.url),
        ):
            if is_web(address):
                yield name, address

    def _labels(self, about: About, kind: Kind) -> dict[str, str]:
        """Return what routes match on; an alert cannot take our names."""
        labels = dict(_labels_of(about.lead)) if about.lead else {}
        incident, job = about.incident, about.job
        thing = None
        if incident is not None:
            thing = self._inventory().find_host(incident.target_name)
        decision = about.decision
        return labels | {
            "kind": kind.value,
            "severity": _severity(about),
            "source": incident.source if incident else "",
            "target": incident.target_name if incident else "",
            "problem": incident.problem if incident else "",
            "environment": thing.environment if thing else "",
            "team": thing.team if thing else "",
            "role": thing.role if thing else "",
            "action": decision.action if decision else "",
            "risk": job.risk if job else "",
        }


def make_bare(entry: Any, kind: Kind) -> Message:
    """Return a message that says what an entry says, and nothing else."""
    facts = Facts(
        kind=kind.value,
        at=entry.at,
        incident=entry.incident_id,
        title=tidy(entry.summary, LINE_CHARS),
        severity=entry.severity,
        happened=tidy(entry.summary),
        call=entry.action,
    )
    labels = {
        "kind": kind.value,
        "severity": entry.severity,
        "target": entry.target,
        "problem": entry.problem,
    }
    return Message(
        entry_id=entry.id,
        at=entry.at,
        kind=kind.value,
        incident_id=entry.incident_id,
        severity=entry.severity,
        labels=encode(labels).decode(),
        facts=encode(facts).decode(),
    )


def is_web(address: str) -> bool:
    """Tell whether an address is one that people may be shown."""
    if len(address) > LONGEST_LINK or not address.isprintable():
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    has_place = bool(parts.hostname) and " " not in address
    return parts.scheme in ("http", "https") and has_place


def _look_up(connection: Connection, entry: Any) -> About:
    """Return what an entry is about."""
    body: dict[str, Any] = decode(entry.body)
    number = entry.incident_id
    if not number:
        return About(entry=entry, body=body)
    incident = find_incidents(connection, [number]).get(number)
    mission = find_mission(connection, int(body.get("mission") or 0))
    decision_id = body.get("decision") or (
        mission.decision_id if mission else 0
    )
    job_id = body.get("job") or (mission.job_id if mission else 0)
    return About(
        entry=entry,
        body=body,
        incident=incident,
        lead=find_lead(connection, number),
        decision=find_decision(connection, int(decision_id)),
        job=find_job(connection, int(job_id)) if job_id else None,
    )


def _severity(about: About) -> str:
    """Return how bad it is."""
    incident = about.incident
    return incident.severity if incident else str(about.entry.severity)


def _title(about: About) -> str:
    """Return the incident in a few words: its problem and its target."""
    incident = about.incident
    if incident is None:
        return tidy(about.entry.summary, LINE_CHARS)
    title = tidy(incident.title or incident.problem, LINE_CHARS)
    name = tidy(incident.target_name, LINE_CHARS)
    return title if name in title else f"{title} on {name}"


def _call(about: About) -> str:
    """Return the exact call, or nothing."""
    if about.decision is None:
        return str(about.entry.action)
    return tidy(call_of(about.decision.action, about.decision.arguments))


def _ruling(connection: Connection, about: About) -> str:
    """Return what code ruled on the decision, with the rule's name."""
    if about.decision is None:
        return ""
    number = about.entry.incident_id
    found = find_last_ruling(connection, number, about.decision.id)
    if found is None:
        return ""
    outcome, rule, reason = found
    return tidy(f"{outcome} by {rule}: {reason}")


def _lines(written: str, most: int) -> tuple[str, ...]:
    """Return the last readings, a line each."""
    return tuple(_line(one) for one in readings_of(written)[-most:])


def _line(reading: Reading) -> str:
    """Return a reading in one line: what it is, its figure, its limit."""
    figure = "not measured"
    if reading.value is not None:
        figure = f"{reading.value:g}{reading.unit and ' ' + reading.unit}"
        if reading.limit is not None:
            side = "at least" if reading.is_floor else "at most"
            figure += f" (should be {side} {reading.limit:g})"
    says = f": {reading.says}" if reading.says else ""
    return tidy(f"{reading.check}: {figure}{says}", LINE_CHARS)


def _find_question(
    connection: Connection, about: About, kind: Kind
) -> Approval | None:
    """Return what people can answer, or None.

    What is suggested goes with the incident that people get.
    """
    if kind not in URGENT:
        return None
    asked = find_approval(connection, int(about.body.get("approval") or 0))
    # Whoever was asked knows which question it was, also when it is answered
    # by now: right before it is sent that decides whether it goes.
    is_open = asked is not None and asked.state == OPEN
    return asked if is_open or kind is Kind.ASKED else None


def _find_evidence(connection: Connection, about: About) -> tuple[str, ...]:
    """Return what stands out of what was collected for this mission.

    What was seen the time before is old, and would pass for new.
    """
    number = about.entry.incident_id
    mission = find_mission(connection, int(about.body.get("mission") or 0))
    job = find_last_output(connection, number, COLLECT) if mission else None
    if job is None or mission is None or job.planned_at < mission.opened_at:
        return ()
    text, _ = read_output(connection, job.id, 0, EVIDENCE_BYTES)
    return tuple(tidy(one, LINE_CHARS) for one in read_stands_out(text))


def _labels_of(lead: Lead) -> dict[str, str]:
    """Return what the main alert is labelled with."""
    if lead.alert is None:
        return keep_labels(lead.strand.labels)
    return keep_labels(decode(lead.alert.labels))
