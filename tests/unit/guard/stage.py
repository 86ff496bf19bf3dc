"""What the tests of the guard share: motions, policies and tallies."""

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from app.core.clock import to_moment
from app.guard.guard import Guard
from app.guard.policy import Policy, parse_policy
from app.models.action import ActionSpec, Check, Parameter, Risk, Run
from app.models.ruling import Motion, Ruling, Runs, Scope

SECOND = 1_000_000
NOW = to_moment(datetime(2026, 11, 20, 14, 30, tzinfo=UTC))  # a Friday
LEFT_TO_RULES = "{ladder: [], otherwise: auto}"


def make_spec(risk: Risk = Risk.DISRUPTIVE, **changes: Any) -> ActionSpec:
    """Return an action that works on a service of a host."""
    said: dict[str, Any] = {
        "name": "restart_service",
        "purpose": "Restart one service.",
        "when_to_use": "It does not answer.",
        "when_not_to_use": "It is a database.",
        "parameters": {
            "host": Parameter(
                purpose="the host", shape="host", labels=("host",)
            ),
            "service": Parameter(
                purpose="the unit", shape="service", labels=("unit",)
            ),
            "process": Parameter(
                purpose="the program",
                shape="program",
                labels=("exe",),
                required=False,
            ),
        },
        "risk": risk,
        "run": Run(backend="local", job="restart"),
        "check": Check(name="service_is_active"),
    }
    return ActionSpec(**{**said, **changes})


def make_motion(**changes: Any) -> Motion:
    """Return a motion that nothing speaks against."""
    calm: dict[str, Any] = {
        "incident": 7,
        "decision": 9,
        "spec": make_spec(),
        "action": "restart_service",
        "arguments": {"host": "web-1", "service": "nginx"},
        "target": "host:web-1",
        "proposer": "brain:cascade",
        "confidence": 0.97,
        "source": "zabbix",
        "labels": {"host": "web-1", "zone": "north"},
        "name": "nginx is down",
        "problem": "nginx is down",
        "severity": "error",
        "environment": "production",
        "team": "shop",
        "role": "web",
        "at_work": "",
        "now": NOW,
    }
    return Motion(**{**calm, **changes})


class Books:
    """A tally that says what the test tells it, and what it was asked."""

    def __init__(self, **known: Any) -> None:
        """Take runs by what a scope must name, and running jobs."""
        self.runs: list[tuple[dict[str, Any], Runs]] = known.get("runs", [])
        self.jobs: dict[str, int] = known.get("jobs", {})
        self.question: int = known.get("question", 0)
        self.scopes: list[Scope] = []
        self.expected: list[Scope] = []

    def count(self, scope: Scope) -> Runs:
        """Return the first runs whose wishes the scope fulfils."""
        self.scopes.append(scope)
        said = msgspec.structs.asdict(scope)
        for wishes, runs in self.runs:
            if all(said[name] == value for name, value in wishes.items()):
                return runs
        return Runs()

    def expect(self, scopes: Collection[Scope]) -> None:
        """Note what will be counted."""
        self.expected.extend(scopes)

    def running(self, places: Collection[str], _now: int) -> int:
        """Return the job on a target."""
        return max((self.jobs.get(one, 0) for one in places), default=0)

    def asking(self, _action: str) -> int:
        """Return an open question."""
        return self.question


def make_policy(text: str = f"trust: {LEFT_TO_RULES}\nrules: []\n") -> Policy:
    """Return a policy; left alone, one that leaves all to other steps."""
    return parse_policy(text, Path("policy.yaml"))


def rule_on(
    motion: Motion, text: str = "", tally: Books | None = None
) -> Ruling:
    """Return what a policy says to a motion."""
    policy = make_policy(text) if text else make_policy()
    return Guard(policy).rule(motion, tally or Books())
