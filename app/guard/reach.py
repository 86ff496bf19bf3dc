"""Which rules can never match, because an earlier one always does first.

What is named here is certain; a rule that is not named may still never
match, for reasons that only the meaning of its condition could tell.
"""

from collections.abc import Sequence

import msgspec

from app.guard.conditions import Condition
from app.guard.policyfile import LadderPart, RulePart

LISTS = (
    "actions",
    "risks",
    "environments",
    "teams",
    "sources",
    "severities",
)
TRUE = "true"
FALSE = "false"


class Rule(msgspec.Struct, frozen=True):
    """A rule of the policy, ready to be asked.

    Attributes:
        says: what is written.
        condition: its ``when``.
    """

    says: RulePart
    condition: Condition


def find_unreachable(rules: Sequence[Rule]) -> list[tuple[int, str]]:
    """Return the places of rules that never match, each with why."""
    found = []
    for index, rule in enumerate(rules):
        if FALSE in rule.condition.parts:
            found.append((index, "its condition is never true"))
            continue
        for earlier in rules[:index]:
            if _covers(earlier, rule):
                why = f"{earlier.says.name!r} before it always matches first"
                found.append((index, why))
                break
    return found


def _covers(earlier: Rule, later: Rule) -> bool:
    """Tell whether one rule matches whatever another one matches."""
    for name in LISTS:
        wide = set(getattr(earlier.says, name))
        narrow = set(getattr(later.says, name))
        if wide and (not narrow or not narrow <= wide):
            return False
    needed = set(earlier.condition.parts) - {TRUE}
    return needed <= set(later.condition.parts)


def find_idle_steps(ladder: Sequence[LadderPart]) -> list[tuple[int, str]]:
    """Return the places of lines of the ladder that are never used."""
    found = []
    for index, line in enumerate(ladder):
        for at, earlier in enumerate(ladder[:index]):
            wide = (earlier.action, earlier.risk, earlier.environment)
            narrow = (line.action, line.risk, line.environment)
            pairs = zip(wide, narrow, strict=True)
            if all(not one or one == other for one, other in pairs):
                why = f"line {at + 1} before it always fits first"
                found.append((index, why))
                break
    return found
