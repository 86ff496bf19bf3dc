"""A night on call, for tests and pictures: every kind of incident, live.

The brains are the product's own, what runs is written in scripts, and all
of it comes in as it does in life: through webhooks and the API.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.flow.acting import ActingService
from tests.service import OPEN
from tests.ui.plot import ALERTS, HOSTS, JOBS, POLICY, Story

SCRIPTED = "scripted"
RUN = {
    "restart_service": "restart",
    "restart_container": "rollout",
    "free_disk_space": "clean",
    "restart_pod": "restart",
    "collect_diagnostics": "look",
}
# What helps is seen within seconds, but for the one that is being measured.
CHANGE = {
    "restart_service": {
        "hold_seconds": 1,
        "within_seconds": 60,
        "every_seconds": 1,
        "cooldown_seconds": 0,
    },
    "restart_pod": {
        "hold_seconds": 3_000,
        "within_seconds": 3_300,
        "every_seconds": 10,
    },
    "free_disk_space": {
        "hold_seconds": 1,
        "within_seconds": 2,
        "every_seconds": 1,
    },
}


class NightService(ActingService):
    """A service as a site runs it, with one night's work before it."""

    entry = ("main.py",)

    def __init__(self, folder: Path, **more: Any) -> None:
        inventory = folder / "inventory.yaml"
        inventory.write_text(yaml.safe_dump({"hosts": HOSTS}))
        policy = folder / "rules-of-the-night.yaml"
        policy.write_text(yaml.safe_dump(POLICY))
        ledger = folder / "ledger.jsonl"
        settings: dict[str, Any] = {
            "sources": {"alertmanager": OPEN, "zabbix": OPEN},
            "inventory": {"file": str(inventory)},
            "incidents": {
                "hold_down": [
                    {"matchers": ['alertname="MailQueueSlow"'], "seconds": 900}
                ],
                "flapping": {"changes": 6, "calm_seconds": 3600},
            },
            "decide": {
                "brain": "cascade",
                "settle_seconds": 0.2,
                "rest_seconds": 0,
            },
            "act": {
                "poll_seconds": 0.2,
                "collect_evidence": True,
                "run": {
                    name: {"backend": SCRIPTED, "job": job}
                    for name, job in RUN.items()
                },
                "change": CHANGE,
            },
            "backends": {
                "local": {"enabled": False},
                SCRIPTED: {"ledger": str(ledger), "jobs": JOBS},
            },
            "policy": {
                "file": str(policy),
                "halt_file": str(folder / "HALT"),
            },
        }
        super().__init__(folder, **{**settings, **more})

    def tell(self, *stories: Story, status: str = "firing") -> None:
        """Deliver the alerts of some stories."""
        found = [alert for one in stories for alert in one.alerts(status)]
        self.deliver(found)

    def deliver(self, alerts: list[dict[str, Any]]) -> None:
        """Deliver alerts as Alertmanager does."""
        answer = httpx.post(
            f"{self.url}/webhooks/alertmanager",
            content=json.dumps({"version": "4", "alerts": alerts}),
            headers={"content-type": "application/json"},
            timeout=60,
        )
        assert answer.status_code == 202, answer.text

    def number_of(self, story: Story) -> int:
        """Return the newest incident of a story, as soon as there is one."""
        query = {"target_name": story.target, "limit": 1}
        self.wait_for(lambda: self.get("/incidents", **query)["items"])
        return int(self.get("/incidents", **query)["items"][0]["id"])

    def must(self, path: str, **body: Any) -> Any:
        """Have something done that cannot be refused."""
        answer = self.post(path, body)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()


Night = Mapping[str, int]


def fill_night(service: NightService) -> Night:
    """Let the night happen; return the incident of each story by its name.

    What must be before others is waited for, nothing else: some stories
    are at their end when this returns, some go on for as long as the
    service runs.
    """
    _mute(service)
    _flap(service, ALERTS["flapping"])
    service.tell(*ALERTS.values())
    numbers = {
        name: service.number_of(story) for name, story in ALERTS.items()
    }
    for name in ("fixed", "fixed_too"):
        service.wait_for_stage(numbers[name], "verifying")
        service.tell(ALERTS[name], status="resolved")
    _speak(service, numbers)
    for name, stages in STAGES.items():
        service.wait_for_stage(numbers[name], *stages)
    service.wait_for(partial(_state_is, service, numbers["flapping"]))
    return numbers


# Where the mission of each story comes to stand, by the names of the plot.
STAGES: Mapping[str, tuple[str, ...]] = {
    "asked": ("awaiting_approval",),
    "asked_too": ("awaiting_approval",),
    "running": ("acting",),
    "verifying": ("verifying",),
    "fixed": ("closed",),
    "fixed_too": ("closed",),
    "not_fixed": ("escalated",),
    "denied": ("escalated",),
    "unknown": ("escalated",),
    "nothing": ("closed",),
}


def _state_is(service: NightService, number: int) -> bool:
    """Tell whether an incident is held back by now."""
    return bool(service.get(f"/incidents/{number}")["state"] == "suppressed")


def _mute(service: NightService) -> None:
    """Mute one host, as somebody who works on it does."""
    now = datetime.now(UTC)
    service.must(
        "/mutes",
        **{
            "matchers": ['instance=~"lab-.*"'],
            "from": now.isoformat(),
            "until": (now + timedelta(hours=6)).isoformat(),
            "author": "kim",
            "comment": "new disks for lab-01",
            "kind": "maintenance",
        },
    )


def _flap(service: NightService, story: Story) -> None:
    """Let one problem come and go until it counts as flapping."""
    alerts = []
    for minutes in (8, 6, 4):
        alerts += story.alerts("resolved", minutes)
        alerts += story.alerts("firing", minutes - 2)
    service.deliver(alerts)


def _speak(service: NightService, numbers: Night) -> None:
    """Say what people say at night."""
    asked, lost = numbers["asked"], numbers["not_fixed"]
    service.must(
        f"/incidents/{asked}/notes",
        author="ana",
        text="The shop still answers, only slowly.",
    )
    service.must(f"/incidents/{lost}/owner", author="bo", owner="bo")
    service.must(
        f"/incidents/{numbers['acknowledged']}/acknowledge",
        author="ana",
        text="I look at it.",
    )
    service.must(
        f"/incidents/{numbers['nothing']}/corrections",
        author="ana",
        about="action",
        correct="collect_diagnostics",
        text="It was worth a look.",
    )
    service.must(
        f"/incidents/{numbers['sibling']}/merge",
        author="bo",
        into=numbers["storm"],
        text="One switch, one cause.",
    )
