"""One example of each answer about messages, for the page of the API."""

from typing import Any

from app.api.examples import AT, LATER, page_of

MESSAGE: dict[str, Any] = {
    "id": 7,
    "at": AT,
    "kind": "escalated",
    "incident": 5,
    "mission": 9,
    "severity": "high",
    "entry": 41,
}
MESSAGES = page_of(MESSAGE, "messages")
DISPATCH: dict[str, Any] = {
    "id": 12,
    "message": 7,
    "incident": 5,
    "kind": "escalated",
    "channel": "ops-chat",
    "level": 1,
    "state": "sent",
    "reason": "",
    "tries": 1,
    "due_at": None,
    "created_at": AT,
    "ended_at": LATER,
    "reference": "1732155242.000100",
}
DISPATCHES = page_of(DISPATCH, "dispatches")
MESSAGE_DETAIL: dict[str, Any] = {
    **MESSAGE,
    "title": "[high] Yours now: disk is full on web-01 (incident 5)",
    "text": "escalated: the disk is still 96 % full\n",
    "labels": {"kind": "escalated", "severity": "high", "team": "shop"},
    "facts": {
        "kind": "escalated",
        "at": 1795226042000000,
        "incident": 5,
        "title": "disk is full on web-01",
        "call": "free_disk_space(host=web-01, path=/var)",
        "verdict": "not_fixed",
    },
    "dispatches": [DISPATCH],
}
CHANNELS: list[dict[str, Any]] = [
    {
        "name": "ops-chat",
        "kind": "apprise",
        "waiting": 1,
        "gathering": 0,
        "dead": 0,
    }
]
BY_PATH: dict[str, Any] = {
    "/api/v1/messages": MESSAGES,
    "/api/v1/messages/{message_id}": MESSAGE_DETAIL,
    "/api/v1/dispatches": DISPATCHES,
    "/api/v1/channels": CHANNELS,
}
