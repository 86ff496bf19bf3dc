"""The dry run: what another policy would have said."""

from app.guard.guard import Guard
from app.guard.policy import default_policy
from app.guard.replay import MOST_CHANGES, Past, replay
from tests.unit.guard.stage import LEFT_TO_RULES, make_motion, make_policy

STRICT = f"""
trust: {LEFT_TO_RULES}
rules: [{{name: never, reason: Not zabbix., sources: [zabbix], outcome: deny}}]
"""


def test_what_would_change_is_named() -> None:
    """Each motion that is ruled otherwise is shown with both rules."""
    past = [
        Past(1, make_motion(), "allow", "trust:auto"),
        Past(2, make_motion(source="grafana"), "allow", "trust:auto"),
        Past(3, make_motion(firing=0), "deny", "not-firing"),
    ]
    found = replay(Guard(make_policy(STRICT)), past)
    assert (found.looked_at, found.left_out, found.same) == (3, 0, 2)
    assert found.moves == {"allow -> deny": 1}
    (change,) = found.changes
    assert (change.id, change.was_rule, change.now_rule) == (
        1,
        "trust:auto",
        "never",
    )
    assert change.reason == "Not zabbix."


def test_the_same_policy_changes_nothing() -> None:
    """What was asked and granted is the same again."""
    guard = Guard(default_policy())
    motions = [make_motion(), make_motion(siblings=99), make_motion(firing=0)]
    motions.append(make_motion(approved="another-version"))
    past = [
        Past(0, motions[0], "ask", "trust:approve"),
        Past(1, motions[1], "ask", "blast-radius"),
        Past(2, motions[2], "deny", "not-firing"),
        Past(3, motions[3], "allow", "approved"),
    ]
    found = replay(guard, past)
    assert found.changes == ()
    assert (found.looked_at, found.left_out) == (3, 1)


def test_what_was_ruled_by_counts_is_left_out() -> None:
    """What ran back then cannot be counted again."""
    rules = ("budget:hour", "cool-down", "target-busy", "breaker")
    past = [Past(1, make_motion(), "escalate", rule) for rule in rules]
    found = replay(Guard(make_policy()), past)
    assert (found.looked_at, found.left_out) == (0, 4)


def test_the_changes_that_are_listed_are_bounded() -> None:
    """All are counted, and the first are listed."""
    past = [Past(n, make_motion(), "allow", "x") for n in range(1_100)]
    found = replay(Guard(make_policy(STRICT)), past)
    assert found.moves == {"allow -> deny": 1_100}
    assert len(found.changes) == MOST_CHANGES
