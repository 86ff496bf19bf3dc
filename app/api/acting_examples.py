"""One example of each answer about acting, for the page of the API."""

from typing import Any

from app.api.examples import AT, DOSSIER, INCIDENT, LATER, page_of

BRIEF: dict[str, Any] = {
    "id": 9,
    "stage": "acting",
    "end": "",
    "reason": "approved: Granted by ana.",
    "round": 1,
    "decision": 12,
    "approval": 4,
    "job": 3,
}
MISSION: dict[str, Any] = {
    **BRIEF,
    "incident": 5,
    "version": 6,
    "target": "host::web-01",
    "undoes": None,
    "due_at": LATER,
    "deadline_at": "2026-11-21T03:14:02Z",
    "holder": "node-1:5f3a",
    "opened_at": AT,
    "changed_at": LATER,
}
MISSIONS = page_of(MISSION, "missions")
RULING: dict[str, Any] = {
    "id": 21,
    "at": AT,
    "incident": 5,
    "mission": 9,
    "decision": 12,
    "action": "free_disk_space",
    "target": "host:web-01",
    "environment": "production",
    "outcome": "ask",
    "rule": "trust:approve",
    "reason": "free_disk_space is trusted as far as approve here.",
    "policy": "8d0be1f0c2a94410",
    "mode": "approve",
}
RULINGS = page_of(RULING, "rulings")
RULING_DETAIL: dict[str, Any] = {
    **RULING,
    "motion": {
        "incident": 5,
        "decision": 12,
        "action": "free_disk_space",
        "arguments": {"host": "web-01", "path": "/var"},
        "target": "host:web-01",
        "proposer": "brain:cascade",
        "confidence": 0.93,
    },
    "trail": ["halted: passed", "ungrounded: passed", "budgets: passed"],
}
JOB: dict[str, Any] = {
    "id": 3,
    "incident": 5,
    "mission": 9,
    "decision": 12,
    "action": "free_disk_space",
    "arguments": {"host": "web-01", "path": "/var"},
    "call": "free_disk_space(host=web-01, path=/var)",
    "target": "host:web-01",
    "environment": "production",
    "team": "shop",
    "risk": "reversible",
    "backend": "webhook",
    "name": "free-disk-space",
    "key": "sj-12-0a1b2c3d4e5f60718293",
    "is_idempotent": False,
    "proposer": "brain:cascade",
    "approval": 4,
    "state": "succeeded",
    "reference": "https://runner.example.com/jobs/81",
    "reason": "",
    "planned_at": AT,
    "started_at": AT,
    "until": LATER,
    "ended_at": LATER,
    "output_bytes": 31,
    "is_cut": False,
    "verdict": "fixed",
    "abort": "",
    "told": "",
}
JOBS = page_of(JOB, "jobs")
READING: dict[str, Any] = {
    "check": "disk-usage",
    "at": LATER,
    "value": 61.5,
    "unit": "%",
    "limit": 80.0,
    "is_floor": False,
    "of": 1,
    "says": "/var is 61.5 % full",
    "judgement": "good",
}
JOB_DETAIL: dict[str, Any] = {
    **JOB,
    "before": [
        {
            **READING,
            "at": AT,
            "value": 97.0,
            "says": "/var is 97 % full",
            "judgement": "bad",
        }
    ],
    "after": [READING],
    "output": "/api/v1/jobs/3/output",
}
OUTPUT: dict[str, Any] = {
    "job": 3,
    "offset": 0,
    "text": "removed 14 old logs, 4.1 GB\ndone\n",
    "next_offset": 33,
    "output_bytes": 33,
    "is_cut": False,
    "has_ended": True,
}
FOLLOWED = (
    'id: 33\nevent: output\ndata: {"job":3,"offset":0,"text":"..."'
    ',"next_offset":33}\n\nid: 33\nevent: end\ndata: {"job":3'
    ',"has_ended":true}\n\n'
)
APPROVAL: dict[str, Any] = {
    "id": 4,
    "version": 2,
    "incident": 5,
    "mission": 9,
    "decision": 12,
    "action": "free_disk_space",
    "arguments": {"host": "web-01", "path": "/var"},
    "call": "free_disk_space(host=web-01, path=/var)",
    "target": "host:web-01",
    "environment": "production",
    "team": "shop",
    "policy": "8d0be1f0c2a94410",
    "rule": "trust:approve",
    "reason": "free_disk_space is trusted as far as approve here.",
    "mode": "approve",
    "whom": [],
    "people": 1,
    "proposer": "brain:cascade",
    "state": "granted",
    "says": "granted by ana",
    "asked_at": AT,
    "expires_at": "2026-11-21T02:44:02Z",
    "ended_at": LATER,
}
APPROVALS = page_of(APPROVAL, "approvals")
APPROVAL_DETAIL: dict[str, Any] = {
    **APPROVAL,
    "votes": [
        {"person": "ana", "answer": "grant", "comment": "yes", "at": LATER}
    ],
    "evidence": {
        "decision": "/api/v1/decisions/12",
        "incident": "/api/v1/incidents/5",
        "log": "/api/v1/log?incident_id=5",
        "seq": 41,
        "reason": "The disk fills up, and old logs may go.",
        "confidence": 0.93,
        "brain": "cascade",
        "case_digest": "5be1" * 8,
        "catalogue_digest": "17d2" * 4,
        "settings_digest": "c0ff" * 4,
    },
}
HALT: dict[str, Any] = {
    "halted": True,
    "switch": True,
    "reason": "it restarts the wrong hosts",
    "by": "ana",
    "at": AT,
    "version": 3,
    "file": "",
}
POLICY: dict[str, Any] = {
    "version": "8d0be1f0c2a94410",
    "file": "policy.yaml",
    "zone": "UTC",
    "rules": [
        {
            "name": "destructive-needs-two",
            "reason": "What cannot be taken back needs two people.",
            "risks": ["destructive"],
            "when": "true",
            "outcome": "ask",
            "people": 2,
        }
    ],
    "trust": {
        "ladder": [
            {"risk": "observe", "environment": "simulator", "mode": "auto"}
        ],
        "otherwise": "approve",
    },
    "budgets": [{"name": "hour", "runs": 30, "window": 3600}],
    "blast": {"targets": 5, "share": 0.05, "least": 2, "window": 3600},
    "breaker": {"rate": 0.3, "runs": 10, "window": 3600},
    "protected": {"targets": [], "services": ["vault"], "processes": []},
    "evidence": {"decided": 900, "granted": 3600},
    "ask": {"whom": [], "people": 1, "for": 900},
    "calendars": {},
    "warnings": [],
}
TRUST: dict[str, Any] = {
    "since": "2026-10-22T02:14:02Z",
    "items": [
        {
            "action": "restart_service",
            "environment": "production",
            "mode": "approve",
            "answers": 60,
            "agreed": 60,
            "rate": 1.0,
            "low": 0.94,
            "high": 1.0,
            "fixed": 55,
            "not_fixed": 1,
            "unknown": 4,
            "earned": "auto",
            "why": "people agree with at least 94%",
        }
    ],
    "assumed": ["A step is earned by the lower end of the interval."],
}
ITEM: dict[str, Any] = {**INCIDENT, "mission": BRIEF}
WHOLE: dict[str, Any] = {**DOSSIER, "mission": BRIEF}
BY_PATH: dict[str, Any] = {
    "/api/v1/incidents": page_of(ITEM, "incidents"),
    "/api/v1/incidents/{incident_id}": WHOLE,
    "/api/v1/missions": MISSIONS,
    "/api/v1/missions/{mission_id}": MISSION,
    "/api/v1/rulings": RULINGS,
    "/api/v1/rulings/{ruling_id}": RULING_DETAIL,
    "/api/v1/jobs": JOBS,
    "/api/v1/jobs/{job_id}": JOB_DETAIL,
    "/api/v1/approvals": APPROVALS,
    "/api/v1/approvals/{approval_id}": APPROVAL_DETAIL,
    "/api/v1/halt": HALT,
    "/api/v1/policy": POLICY,
    "/api/v1/trust": TRUST,
}
LADDER: dict[str, Any] = {
    "policy": "8d0be1f0c2a94410",
    "environments": ["production", "simulator", ""],
    "items": [
        {
            "action": "free_disk_space",
            "environment": "simulator",
            "mode": "auto",
            "unsure": "ask",
            "line": 2,
        }
    ],
}
