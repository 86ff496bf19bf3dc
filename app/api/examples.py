"""One example of each answer, for the page of the API."""

from typing import Any

AT = "2026-11-21T02:14:02.118000Z"
LATER = "2026-11-21T02:31:40.004000Z"
DELIVERY: dict[str, Any] = {
    "id": 17,
    "source": "alertmanager",
    "received_at": AT,
    "peer": "10.0.4.7",
    "outcome": "parsed",
    "reason": "",
    "field": "",
    "accepted": 1,
    "repeated": 0,
    "rejected": 0,
    "unparsed": 0,
    "truncated": 0,
    "alerts": [33],
    "repeats": 0,
    "last_seen_at": AT,
}
ALERT: dict[str, Any] = {
    "id": 33,
    "delivery_id": 17,
    "incident_id": 5,
    "source": "alertmanager",
    "fingerprint": "c2d1f8f0a9e34b55",
    "occurrence": "2026-11-21T02:14:00Z",
    "status": "firing",
    "name": "DiskWillFill",
    "severity": "critical",
    "summary": "/var on web-01 is full in 40 minutes",
    "labels": {"alertname": "DiskWillFill", "instance": "web-01:9100"},
    "annotations": {"runbook": "clean /var/log first"},
    "received_at": AT,
    "starts_at": "2026-11-21T02:14:00Z",
    "ends_at": None,
    "url": "http://prometheus:9090/graph?g0.expr=node_filesystem_free",
    "repeats": 2,
    "last_seen_at": LATER,
}
INCIDENT: dict[str, Any] = {
    "id": 5,
    "version": 3,
    "state": "open",
    "reason": "",
    "due_at": None,
    "target": "host::web-01",
    "target_kind": "host",
    "target_name": "web-01",
    "problem": "DiskWillFill",
    "source": "alertmanager",
    "severity": "critical",
    "title": "/var on web-01 is full in 40 minutes",
    "opened_at": AT,
    "changed_at": LATER,
    "begins_at": "2026-11-21T02:14:00Z",
    "ends_at": None,
    "episodes": 1,
    "firing": 1,
    "held_until": None,
    "flapping_until": None,
    "merged_into": None,
    "owner": "ana",
    "acknowledged_by": "ana",
    "acknowledged_at": LATER,
    "team": "storage",
}
DECISION: dict[str, Any] = {
    "id": 12,
    "incident": 5,
    "at": AT,
    "target": "host::web-01",
    "problem": "DiskWillFill",
    "problems": ["DiskWillFill"],
    "severity": "critical",
    "seq": 41,
    "action": "free_disk_space",
    "arguments": {"host": "web-01", "path": "/var"},
    "call": "free_disk_space(host=web-01, path=/var)",
    "reason": "The disk fills up, and old logs may go.",
    "confidence": 0.93,
    "asks": False,
    "why": "chosen",
    "brain": "cascade",
    "case_digest": "5be1" * 8,
    "menu_digest": "90ac" * 4,
    "catalogue_digest": "17d2" * 4,
    "settings_digest": "c0ff" * 4,
    "shadow": False,
    "beside": None,
    "agrees": None,
    "tokens": 0,
    "calls": 1,
    "milliseconds": 4.8,
    "verdict": "",
    "note": "",
}
DECISION_DETAIL: dict[str, Any] = {
    **DECISION,
    "case": {"incident": 5, "name": "DiskWillFill", "target": "web-01"},
    "menu": {"free_disk_space": {"host": ["web-01"], "path": ["/var"]}},
    "left_out": {"restart_service": "service: no label names it"},
    "options": [
        {
            "action": "free_disk_space",
            "arguments": {"host": "web-01", "path": "/var"},
            "probability": 0.93,
        }
    ],
    "grounding": [
        {
            "argument": "host",
            "value": "web-01",
            "source": "labels.instance",
            "said": "web-01:9100",
        }
    ],
    "all_calls": [
        {
            "brain": "ollama",
            "model": "llama3.2",
            "asked": [{"role": "user", "text": "Alert: DiskWillFill ..."}],
        }
    ],
}
AGREEMENT: dict[str, Any] = {
    "since": None,
    "decisions": 40,
    "agreed": 36,
    "share": 0.9,
    "by_action": [
        {
            "brain": "ollama",
            "action": "escalate",
            "decisions": 40,
            "agreed": 36,
            "share": 0.9,
        }
    ],
}
DOSSIER: dict[str, Any] = {
    **INCIDENT,
    "all_episodes": [
        {
            "id": 8,
            "because": "",
            "is_pinned": False,
            "source": "alertmanager",
            "fingerprint": "c2d1f8f0a9e34b55",
            "problem": "DiskWillFill",
            "name": "DiskWillFill",
            "severity": "critical",
            "summary": "/var on web-01 is full in 40 minutes",
            "begins_at": "2026-11-21T02:14:00Z",
            "ended_at": None,
            "ended": "",
            "first_alert": 33,
            "last_alert": 33,
            "alerts": 1,
            "seen_at": AT,
        }
    ],
    "siblings": [6],
    "merged": [],
    "words": [
        {
            "id": 2,
            "incident": 5,
            "at": LATER,
            "author": "ana",
            "kind": "acknowledge",
            "text": "I am on it",
            "alert": None,
            "details": {},
            "version": 3,
        }
    ],
    "decisions": [DECISION],
    "log": "/api/v1/log?incident_id=5",
}
ENTRY: dict[str, Any] = {
    "id": 41,
    "at": AT,
    "kind": "incident.opened",
    "incident_id": 5,
    "target": "web-01",
    "problem": "DiskWillFill",
    "severity": "critical",
    "status": "open",
    "actor": "rule:folding",
    "action": "",
    "summary": "/var on web-01 is full in 40 minutes",
    "body": {"begins_at": 1795227240000000, "firing": 1},
    "hash": "9f1c" * 16,
}
SOURCES: list[dict[str, Any]] = [
    {
        "name": "alertmanager",
        "type": "alertmanager",
        "paths": ["/webhooks/alertmanager"],
        "setup": "Add a receiver with a webhook_config of this address.",
    }
]


def page_of(item: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the example of a page with one item."""
    return {
        "seq": 41,
        "items": [item],
        "next": f"/api/v1/{path}?limit=1&before={item['id']}",
        "count": {"value": 118, "kind": "estimated"},
    }


BY_PATH: dict[str, Any] = {
    "/api/v1/incidents": page_of(INCIDENT, "incidents"),
    "/api/v1/incidents/{incident_id}": DOSSIER,
    "/api/v1/log": page_of(ENTRY, "log"),
    "/api/v1/log/{entry_id}": ENTRY,
    "/api/v1/alerts": page_of({**ALERT, "cut": []}, "alerts"),
    "/api/v1/alerts/{alert_id}": ALERT,
    "/api/v1/deliveries": page_of(DELIVERY, "deliveries"),
    "/api/v1/deliveries/{delivery_id}": DELIVERY,
    "/api/v1/sources": SOURCES,
    "/api/v1/decisions": page_of(DECISION, "decisions"),
    "/api/v1/decisions/agreement": AGREEMENT,
    "/api/v1/decisions/{decision_id}": DECISION_DETAIL,
}
