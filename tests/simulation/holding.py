"""Holding: how often which limit held something back in a history.

A law about a limit that nothing ever comes to would say nothing.
"""

import re
from collections import Counter

from tests.simulation.sim import Simulation

BUDGET, GROUP, TARGETS = "budget", "group", "targets"
COOL_DOWN, BREAKER, PROTECTED = "cool-down", "breaker", "protected"
RULES = {"cool-down": COOL_DOWN, "breaker": BREAKER, "protected": PROTECTED}
# How many targets were touched, in the words of the guard.
TOUCHED = re.compile(r"touched (\d+) targets")
# So many one action may touch anywhere; a group less.
MOST = 3


def count_held(sim: Simulation) -> Counter[str]:
    """Return how often which limit held something back."""
    rows = sim.stage.audit.all_rows("SELECT rule, reason FROM ruling")
    names = (name_limit(row["rule"], row["reason"]) for row in rows)
    return Counter(name for name in names if name)


def name_limit(rule: str, reason: str) -> str:
    """Return which limit a ruling is about, or nothing."""
    if rule.startswith("budget:"):
        return BUDGET
    touched = TOUCHED.search(reason) if rule == "blast-radius" else None
    if touched is not None:
        return TARGETS if int(touched[1]) >= MOST else GROUP
    return RULES.get(rule, "")
