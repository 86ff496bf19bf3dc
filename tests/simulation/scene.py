"""The scene: what may be done, by which policy, and on which hosts.

It is made once: no history changes anything of it.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from app.act import actions
from app.act.catalogue import make_catalogue
from app.act.settings import ActSettings
from app.core.registry import scan
from app.decide.knowledge import Knowledge, read_knowledge
from app.decide.reins import DecideSettings
from app.fold.rules import FoldSettings, Rules, make_rules
from app.guard.guard import Guard
from app.guard.policy import parse_policy
from app.models.action import ActionSpec, Catalogue
from app.models.inventory import Inventory, Thing

LIMIT = 50.0
BRAIN = "sim"
HANDS, OFF_HANDS = "hands", "elsewhere"
PROTECTED = "db-1"
# Few of each, so that a habit soon comes to where they end (habits.py).
POLICY = f"""
protected: {{targets: [{PROTECTED}]}}
evidence: {{decided: 2m, granted: 5m}}
ask: {{for: 60s}}
budgets:
  - {{name: again, per: [action, target], runs: 2, window: 30m}}
  - {{name: all, runs: 9, window: 20m}}
blast: {{targets: 3, share: 0.5, least: 1, window: 20m, siblings: 5}}
breaker: {{rate: 0.6, runs: 5, window: 20m}}
rules:
  - name: two-for-wiping
    reason: What cannot be taken back needs two people.
    risks: [destructive]
    outcome: ask
    people: 2
    for: 90s
  - name: never-twice
    reason: What did not help here is not done again.
    when: recent.not_fixed > 1
    outcome: escalate
trust:
  ladder:
    - {{environment: lab, mode: observe}}
    - {{environment: hint, mode: suggest}}
    - {{risk: observe, environment: auto, mode: auto}}
    - {{risk: reversible, environment: auto, mode: auto}}
  otherwise: approve
"""
HOST = {
    "host": {
        "purpose": "the host",
        "shape": "host",
        "labels": ["instance"],
    }
}
CHECK = {
    "name": "health",
    "hold_seconds": 4,
    "within_seconds": 20,
    "every_seconds": 4,
}
HOSTS = {
    "web-1": "auto",
    "web-2": "auto",
    "web-3": "auto",
    "web-4": "auto",
    "app-1": "prod",
    "app-2": "prod",
    "lab-1": "lab",
    "tip-1": "hint",
    PROTECTED: "auto",
}
# Who tells of this calls each host by another name of it.
ALIASED, DOMAIN = "Slow", ".sim.example"
# Hosts of one role and one environment are a group.
ROLES = {"app-1": "app", "app-2": "app"}


def lead(name: object) -> str:
    """Return the name of a host that leads."""
    return str(name).removesuffix(DOMAIN)


class Scene(msgspec.Struct, frozen=True):
    """All that stays as it is."""

    catalogue: Catalogue
    knowledge: Knowledge
    inventory: Inventory
    turned: Inventory
    guard: Guard
    rules: Rules
    act: ActSettings
    decide: DecideSettings


def declare(name: str, risk: str = "reversible", **more: Any) -> ActionSpec:
    """Return the declaration of an action on a host."""
    run = {
        "backend": HANDS,
        "job": name,
        "timeout_seconds": 30,
        **more.pop("run", {}),
    }
    values = {
        "name": name,
        "purpose": f"to {name} it",
        "when_to_use": "in a simulation",
        "when_not_to_use": "elsewhere",
        "parameters": HOST,
        "risk": risk,
        "run": run,
        "check": CHECK,
        "cooldown_seconds": 0,
        "budget": {"runs": 3, "window_seconds": 1_200},
        **more,
    }
    return ActionSpec.model_validate(values)


def the_actions() -> tuple[ActionSpec, ...]:
    """Return what may be done besides nothing and handing over."""
    return (
        declare("clean"),
        declare("rest", cooldown_seconds=120, preconditions=["reachable"]),
        declare("tune", undo="untune"),
        declare("untune"),
        declare("sync", run={"is_idempotent": True}),
        declare("stop", run={"when_resolved": "abort"}),
        declare("wipe", "destructive"),
        declare("look", "observe", check=None),
        declare("watch", "observe"),
        declare("carry", run={"backend": OFF_HANDS}),
    )


def turn(things: Sequence[Thing]) -> Inventory:
    """Return hosts as another node may know them: the other name leads."""
    return Inventory(
        tuple(
            replace(one, name=one.aliases[0], aliases=(one.name,))
            for one in things
        )
    )


@cache
def the_scene() -> Scene:
    """Return the one scene."""
    always = make_catalogue(scan(actions), [])
    specs = (always.get("escalate"), always.get("no_action"))
    things = tuple(
        Thing(
            kind="host",
            name=name,
            aliases=(f"{name}{DOMAIN}",),
            environment=place,
            team="ops",
            role=ROLES.get(name, ""),
        )
        for name, place in HOSTS.items()
    )
    fold = FoldSettings.model_validate(
        {
            "again_seconds": 60,
            "together_seconds": 60,
            "stale_seconds": 0,
            "flapping": {
                "changes": 6,
                "within_seconds": 120,
                "calm_seconds": 60,
            },
            "hold_down": [{"matchers": ["alertname=Slow"], "seconds": 20}],
        }
    )
    return Scene(
        catalogue=Catalogue((*specs, *the_actions())),
        knowledge=read_knowledge(),
        inventory=Inventory(things),
        turned=turn(things),
        guard=Guard(parse_policy(POLICY, Path("policy.yaml"))),
        rules=make_rules(fold),
        act=ActSettings.model_validate(
            {
                "deadline_seconds": 240,
                "deciding_seconds": 60,
                "concurrency": 3,
            }
        ),
        decide=DecideSettings.model_validate(
            {"brain": BRAIN, "settle_seconds": 0, "rest_seconds": 5}
        ),
    )
