"""What happens in the jobs of the fake AWX: the results of their tasks."""

import json
from typing import Any

from app.models.evidence import Evidence

EVENT_FIELDS = (
    "id", "event", "counter", "failed", "changed", "host_name", "task",
    "start_line", "stdout",
)  # fmt: skip
EVIDENCE = str(
    Evidence(
        topic="memory",
        host="web-01",
        at="2026-11-21T19:14:08Z",
        stands_out=("memory 97 %", "swap 80 %"),
    )
)
TASKS = 130
# A list of events cuts the output that it shows of each.
SHOWN_CHARS = 1_024


def events_of(number: int, mode: str) -> list[dict[str, Any]]:
    """Return the events of a job as AWX lists them."""
    return [
        {
            "id": 1_000 * number + counter,
            "counter": counter,
            "event": event,
            "failed": event == "runner_on_failed",
            "changed": False,
            "host_name": "web-01",
            "task": "" if result is None else "a task",
            "start_line": counter,
            "stdout": json.dumps(result)[:SHOWN_CHARS],
            "event_data": {} if result is None else {"res": result},
        }
        for counter, (event, result) in enumerate(happenings(mode), 1)
    ]


def happenings(mode: str) -> list[tuple[str, dict[str, Any] | None]]:
    """Return the events of a job, each with the result of its task."""
    ends: dict[str, list[tuple[str, dict[str, Any] | None]]] = {
        "looking": [
            ("runner_on_ok", {"stdout": EVIDENCE.replace("\n", "\r\n")})
        ],
        "failing": [
            ("runner_on_ok", {"stdout": "line 1"}),
            ("runner_on_failed", {"stderr": "oh", "msg": "it is broken"}),
        ],
        "chatty": [
            ("runner_on_ok", {"stdout": f"task {number}"})
            for number in range(TASKS)
        ],
    }
    usual: list[tuple[str, dict[str, Any] | None]] = [
        ("runner_on_ok", {"stdout": "line 1", "stdout_lines": ["line 1"]}),
        ("runner_on_ok", {"changed": False, "ping": "pong"}),
        ("runner_on_ok", {"stdout": ["no", "text"]}),
    ]
    return [
        ("playbook_on_start", None),
        ("runner_on_start", {"stdout": "not yet"}),
        *ends.get(mode, usual),
        ("playbook_on_stats", None),
    ]
