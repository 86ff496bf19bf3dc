"""The dry run: what another policy would have said."""

import pytest

from app.guard.guard import Guard
from app.guard.policy import default_policy
from app.guard.replay import MOST_CHANGES, Past, Quiet, replay
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


@pytest.mark.parametrize(
    ("asks", "says"),
    [
        ("people: 2", "2 people for 30 min, not one person for 30 min"),
        ("whom: [dba]", "one of dba for 30 min, not one person for 30 min"),
        ("for: 5m", "one person for 5 min, not one person for 30 min"),
        ("people: 1", ""),
    ],
)
def test_whom_it_asks_is_compared(asks: str, says: str) -> None:
    """To ask two is not the same as to ask one; nor others, nor for less."""
    usual = "trust: {otherwise: approve}\nask: {people: 1, for: 30m}"
    other = f"trust: {{otherwise: approve}}\nask: {{for: 30m, {asks}}}"
    if asks.startswith("for"):
        other = f"trust: {{otherwise: approve}}\nask: {{{asks}}}"
    before = Guard(make_policy(usual)).rule(make_motion(), Quiet())
    assert before.outcome == "ask"
    past = Past(1, make_motion(), "ask", before.rule, before.question)
    found = replay(Guard(make_policy(other)), [past])
    assert found.moves == ({"ask -> ask": 1} if says else {})
    assert found.same == (0 if says else 1)
    for change in found.changes:
        assert says in change.reason


WORKS = """
trust: {ladder: [], otherwise: auto}
rules: [{name: works, reason: Work goes on., outcome: ask,
  when: "maintenance != ''"}]
"""


@pytest.mark.parametrize(
    ("at_work", "now", "reason"),
    [
        ("", "allow", ""),
        ("maintenance 3: disks, by ana", "ask", "Work goes on."),
        (None, "ask", "Nobody can tell whether rule works forbids it"),
    ],
)
def test_what_was_on_then_counts(
    at_work: str | None, now: str, reason: str
) -> None:
    """What an older release kept does not say it: that is told."""
    past = [Past(1, make_motion(at_work=at_work), "allow", "trust:auto")]
    found = replay(Guard(make_policy(WORKS)), past)
    assert found.same == (now == "allow")
    for change in found.changes:
        assert (change.now, change.now_rule) == (now, "works")
        assert reason in change.reason


def test_what_nobody_looked_at_allows_nothing() -> None:
    """A rule that allows where nobody works does not match either."""
    allows = WORKS.replace("ask", "allow").replace("!=", "==")
    guard = Guard(make_policy(allows.replace("auto", "approve")))
    ruling = guard.rule(make_motion(at_work=None), Quiet())
    assert (ruling.outcome, ruling.rule) == ("ask", "trust:approve")
    assert any("works: cannot be told" in line for line in ruling.trail)


def test_what_was_asked_and_is_not_known_is_the_same() -> None:
    """A ruling of an older release does not say whom it asked."""
    guard = Guard(make_policy("trust: {otherwise: approve}\nask: {people: 2}"))
    past = Past(1, make_motion(), "ask", "trust:approve")
    assert replay(guard, [past]).same == 1


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
