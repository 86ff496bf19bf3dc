"""Random rules, tried on every motion of a small world by the real guard.

What is called unreachable must decide nothing in any of them: it never
matches first, and it never is the one because of which a person is asked.
"""

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.clock import to_moment
from app.guard.counting import Books as Counting
from app.guard.judging import judge
from app.guard.known import Known
from app.guard.policy import parse_policy
from app.models.action import Risk
from app.models.alert import Severity
from app.models.ruling import Runs
from tests.unit.guard.stage import Books, make_motion, make_spec

# So many sets of rules are tried; a soak asks for more.
EXAMPLES = int(100 * float(os.environ.get("CHAOS_SCALE", "1")))
DEEDS = {
    "restart_service": Risk.DISRUPTIVE,
    "free_memory": Risk.REVERSIBLE,
    "read_log": Risk.OBSERVE,
    "drop_disk": Risk.DESTRUCTIVE,
}
# The catalogue that is known lacks one: there may be more tomorrow.
KNOWN = Known(risks={name: DEEDS[name] for name in list(DEEDS)[:3]})
MOMENTS = [
    to_moment(datetime(2026, 11, day, hour, tzinfo=UTC))
    for day, hour in ((20, 0), (20, 5), (21, 6), (22, 7), (23, 23))
]
# For each side of the world: what may be, and what rules may say of it.
SIDES: dict[str, tuple[Sequence[Any], Sequence[str]]] = {
    "severity": (
        [one.value for one in Severity],
        [
            "alert.severity == 'critical'",
            "alert.severity != 'error'",
            "alert.severity in ['critical', 'warning']",
            "alert.severity in ['error', 'info', 'unknown']",
            "alert.severity.startsWith('c')",
        ],
    ),
    "deed": (
        list(DEEDS),
        [
            "action.name == 'read_log'",
            "action.name in ['free_memory', 'restart_service']",
            "action.risk == 'observe'",
            "action.risk != 'disruptive'",
            "action.risk in ['reversible', 'destructive']",
            "action.name.contains('_')",
        ],
    ),
    "zone": (
        [None, "a", "b", "c"],
        [
            "alert.labels.zone == 'a'",
            "alert.labels['zone'] != 'b'",
            "alert.labels.zone in ['a', 'b']",
            "has(alert.labels.zone)",
            "'zone' in alert.labels",
            "size(alert.labels) > 0",
        ],
    ),
    "moment": (
        MOMENTS,
        [
            "now.hour < 6",
            "5 < now.hour",
            "now.hour in [5, 6, 7]",
            "now.hour >= 6.5",
            "now.weekday in ['sat', 'sun']",
            "now.date <= '2026-11-21'",
            "now.date == '2026-11-20'",
            "now.in_calendar.rest",
        ],
    ),
    "confidence": (
        [None, 0.0, 0.3, 0.5, 0.7, 1.0],
        [
            "decision.confidence < 0.5",
            "decision.confidence <= 0.5",
            "decision.confidence >= 0",
            "decision.confidence == 0.5",
            "0.3 != decision.confidence",
        ],
    ),
    "asks": (
        [True, False],
        [
            "decision.asks",
            "!decision.asks",
            "decision.asks == false",
            "(decision.asks ? targets : 1) > 1",
        ],
    ),
    "targets": (
        [0, 1, 2, 3],
        [
            "targets > 1",
            "targets >= 2",
            "targets != 3",
            "targets * 2 > 3",
            "3 / targets > 1",
        ],
    ),
}
LISTS = {
    "severity": ("severities", [one.value for one in Severity]),
    "deed": ("actions", list(KNOWN.risks)),
    "asks": ("risks", [one.value for one in Risk]),
}


@st.composite
def rule_sets(draw: st.DrawFn) -> tuple[list[str], list[dict[str, Any]]]:
    """Return some sides of the world, and rules that speak of them."""
    sides = draw(
        st.lists(
            st.sampled_from(list(SIDES)), max_size=3, min_size=1, unique=True
        )
    )
    atoms = [atom for side in sides for atom in SIDES[side][1]]
    whens = st.recursive(
        st.sampled_from([*atoms, "true", "false"]), _combine, max_leaves=4
    )
    rules = []
    for at in range(draw(st.integers(2, 5))):
        rule: dict[str, Any] = {
            "name": f"rule-{at}",
            "reason": "For its test.",
            "outcome": draw(st.sampled_from(["deny", "allow", "ask"])),
            "when": draw(whens),
        }
        for name, words in (LISTS[one] for one in sides if one in LISTS):
            rule[name] = draw(
                st.lists(st.sampled_from(words), unique=True, max_size=4)
            )
        rules.append(rule)
    return sides, rules


def _combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return expressions of expressions."""
    pairs = st.tuples(inner, st.sampled_from(["&&", "||"]), inner)
    return pairs.map(" ".join).map("({})".format) | inner.map("!({})".format)


def _worlds(sides: Sequence[str]) -> Iterator[Counting]:
    """Yield every motion of the world of some sides."""
    for values in product(*(SIDES[side][0] for side in sides)):
        said = dict(zip(sides, values, strict=True))
        name = said.get("deed", "restart_service")
        zone = said.get("zone")
        motion = make_motion(
            action=name,
            spec=make_spec(DEEDS[name], name=name),
            severity=said.get("severity", "error"),
            labels={"zone": zone} if zone else {},
            now=said.get("moment", MOMENTS[0]),
            confidence=said.get("confidence"),
            asks=said.get("asks", False),
        )
        ran = Runs(targets=said.get("targets", 0))
        yield Counting(motion, Books(runs=[({}, ran)]))


@settings(max_examples=EXAMPLES, deadline=None)
@given(rule_sets())
def test_what_is_called_unreachable_never_decides(
    drawn: tuple[list[str], list[dict[str, Any]]],
) -> None:
    """The guard itself is asked about every motion of the world."""
    sides, rules = drawn
    head = "calendars: {rest: [2026-11-21]}\nrules:\n"
    text = head + "".join(f"  - {json.dumps(one)}\n" for one in rules)
    policy = parse_policy(text)
    dead = {
        rules[int(one.setting.split(".")[1])]["name"]
        for one in policy.warnings(KNOWN)
        if "can never matter" in one.what
    }
    for books in _worlds(sides) if dead else ():
        judged = judge(policy, books)
        asking = judged.findings[0].rule if judged.findings else ""
        assert asking not in dead, text
        for name in dead:
            assert f"rule {name}: matches" not in judged.trail, text
