"""What counts: cool-down, budgets, blast radius and the breaker."""

from typing import Any

import pytest

from app.guard.guard import Guard
from app.guard.policy import default_policy
from app.models.action import Budget, Risk
from app.models.ruling import Outcome, Ruling, Runs
from tests.unit.guard.stage import (
    LEFT_TO_RULES,
    NOW,
    SECOND,
    Books,
    make_motion,
    make_spec,
    rule_on,
)

HERE = {"action": "restart_service", "target": "host:web-1"}
CHANGES = ("reversible", "disruptive", "destructive")


def limited(*runs: tuple[dict[str, Any], Runs], **change: Any) -> Ruling:
    """Return what is said when so much had run before."""
    return rule_on(make_motion(**change), tally=Books(runs=list(runs)))


@pytest.mark.parametrize(
    ("seconds", "rule"), [(1, "cool-down"), (600, "cool-down")]
)
def test_an_action_rests_after_a_run(seconds: int, rule: str) -> None:
    """After a run the same action on the same target is handed over."""
    last = Runs(last_at=NOW - seconds * SECOND)
    ruling = limited((HERE, last))
    assert (ruling.outcome, ruling.rule) == (Outcome.ESCALATE, rule)


def test_the_rest_ends() -> None:
    """Afterwards, or without a rest, it may run again."""
    past = Runs(last_at=NOW - 601 * SECOND)
    assert limited((HERE, past)).outcome is Outcome.ALLOW
    spec = make_spec(cooldown_seconds=0)
    now = Runs(last_at=NOW)
    assert limited((HERE, now), spec=spec).outcome is Outcome.ALLOW


def test_the_declared_budget_is_kept() -> None:
    """An action runs on a target as often as it declares, and no more."""
    spec = make_spec(budget=Budget(runs=3, window_seconds=7_200))
    at = {**HERE, "since": NOW - 7_200 * SECOND}
    spent = limited((at, Runs(started=3)), spec=spec)
    assert spent.rule == "budget:declared"
    left = limited((at, Runs(started=2)), spec=spec)
    assert left.outcome is Outcome.ALLOW


def wide(action: str, target: str = "") -> dict[str, Any]:
    """Return the scope of what changes something, of a budget."""
    return {"action": action, "target": target, "risks": CHANGES}


@pytest.mark.parametrize(
    ("scope", "ran", "window", "name"),
    [
        (wide("restart_service", "host:web-1"), 2, 1_800, "again"),
        (wide("restart_service"), 10, 3_600, "action-hour"),
        ({**wide(""), "team": "shop"}, 20, 3_600, "team-hour"),
        ({**wide(""), "team": ""}, 30, 3_600, "hour"),
        ({**wide(""), "team": ""}, 100, 86_400, "day"),
    ],
)
def test_the_budgets_of_a_fresh_install(
    scope: dict[str, Any], ran: int, window: int, name: str
) -> None:
    """Each budget has its number and its window, and is named."""
    scope = {**scope, "since": NOW - window * SECOND}
    spent = limited((scope, Runs(started=ran)))
    assert (spent.outcome, spent.rule) == (Outcome.ESCALATE, f"budget:{name}")
    assert str(ran) in spent.reason
    assert limited((scope, Runs(started=ran - 1))).outcome is Outcome.ALLOW


def test_what_only_looks_has_a_budget_of_its_own() -> None:
    """The budgets of what changes something do not hold what looks."""
    spec = make_spec(Risk.OBSERVE, check=None)
    busy = ({"risks": CHANGES}, Runs(started=1_000))
    assert limited(busy, spec=spec).outcome is Outcome.ALLOW
    looking = ({"risks": ("observe",)}, Runs(started=300))
    assert limited(looking, spec=spec).rule == "budget:looking"
    assert limited(looking).outcome is Outcome.ALLOW


def test_what_has_no_team_is_not_held_to_the_budget_of_all() -> None:
    """A team's budget does not count for targets without a team."""
    at = {"since": NOW - 3_600 * SECOND, "action": "", "risks": CHANGES}
    ruling = limited((at, Runs(started=25)), team="")
    assert ruling.outcome is Outcome.ALLOW
    assert limited((at, Runs(started=25)), team="x").rule == "budget:team-hour"


def test_a_budget_may_be_for_some_actions_only() -> None:
    """A budget that names actions holds no others."""
    text = f"""
trust: {LEFT_TO_RULES}
rules: []
budgets:
  - name: one
    per: [action, environment]
    actions: [%s]
    runs: 1
    window: 2h
"""
    at = {"environment": "production", "since": NOW - 7_200 * SECOND}
    tally = Books(runs=[(at, Runs(started=1))])
    held = rule_on(make_motion(), text % "restart_service", tally)
    assert held.rule == "budget:one"
    free = rule_on(make_motion(), text % "free_memory", tally)
    assert free.outcome is Outcome.ALLOW


def test_what_takes_back_is_not_held_to_the_target() -> None:
    """An undo follows at once; the wider budgets hold it all the same."""
    here = (HERE, Runs(started=9, last_at=NOW))
    assert limited(here, proposer="undo").outcome is Outcome.ALLOW
    everywhere = ({"action": "", "risks": CHANGES}, Runs(started=500))
    ruling = limited(everywhere, proposer="undo")
    assert ruling.rule == "budget:team-hour"


def test_an_undo_is_held_to_the_ladder() -> None:
    """What takes something back is trusted no further than all else."""
    motion = make_motion(proposer="undo", confidence=None)
    ruling = Guard(default_policy()).rule(motion, Books())
    assert (ruling.outcome, ruling.rule) == (Outcome.ASK, "trust:approve")


OF_ACTION = {"action": "restart_service", "target": "", "risks": ()}


def test_an_action_touches_so_many_targets_and_no_more() -> None:
    """The sixth new target in an hour is handed over."""
    five = (OF_ACTION, Runs(started=5, targets=5))
    ruling = limited(five)
    assert (ruling.outcome, ruling.rule) == (
        Outcome.ESCALATE,
        "blast-radius",
    )
    known = (HERE, Runs(started=1))
    assert limited(known, five).outcome is Outcome.ALLOW
    four = (OF_ACTION, Runs(started=4, targets=4))
    assert limited(four).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("size", "touched", "is_held"),
    [
        (4, 1, False),
        (4, 2, True),
        (60, 2, False),
        (60, 3, True),
        (500, 4, False),
        (0, 4, False),
    ],
)
def test_an_action_touches_a_share_of_a_group(
    size: int, touched: int, is_held: bool
) -> None:
    """Of a small group fewer targets may be touched."""
    within = {**OF_ACTION, "environment": "production"}
    ruling = limited((within, Runs(targets=touched)), group_size=size)
    assert (ruling.rule == "blast-radius") == is_held


def test_what_only_looks_is_no_blast() -> None:
    """The evidence of a mass incident is wanted from each of its hosts."""
    looks = make_spec(Risk.OBSERVE, check=None)
    tally = (OF_ACTION, Runs(started=50, targets=50))
    ruling = limited(tally, spec=looks, siblings=500, group_size=4)
    assert ruling.outcome is Outcome.ALLOW
    assert limited(tally).rule == "blast-radius"


def test_many_of_one_cause_are_asked_about_once() -> None:
    """The first of many siblings asks; the others are handed over."""
    motion = make_motion(siblings=500)
    assert rule_on(motion).outcome is Outcome.ASK
    ruling = rule_on(motion, tally=Books(question=31))
    assert (ruling.outcome, ruling.rule) == (
        Outcome.ESCALATE,
        "blast-radius",
    )
    assert "31" in ruling.reason


def test_the_grant_of_one_is_used_while_others_ask() -> None:
    """Who was granted is not held by another open question."""
    motion = make_motion(siblings=500)
    first = rule_on(motion)
    granted = make_motion(siblings=500, approved=first.policy)
    ruling = rule_on(granted, tally=Books(question=31))
    assert ruling.rule == "approved"


@pytest.mark.parametrize(
    ("judged", "failed", "is_open"),
    [(10, 3, False), (10, 4, True), (9, 9, False), (0, 10, True)],
)
def test_the_breaker_opens_when_too_much_fails(
    judged: int, failed: int, is_open: bool
) -> None:
    """Over 30 % of ten or more runs stop all that changes anything."""
    lately = {"action": "", "team": "", "since": NOW - 3_600 * SECOND}
    runs = (lately, Runs(judged=judged, failed=failed))
    assert (limited(runs).rule == "breaker") == is_open
    spec = make_spec(Risk.OBSERVE, check=None)
    assert limited(runs, spec=spec).outcome is Outcome.ALLOW


def test_each_question_is_put_to_the_store_once() -> None:
    """A turn does not count the same twice."""
    text = f"""
trust: {LEFT_TO_RULES}
rules:
  - name: much
    reason: Too much lately.
    when: recent.not_fixed > 0 || runs.hour > 3 || targets > 3
    outcome: deny
"""
    tally = Books()
    rule_on(make_motion(), text, tally)
    assert len(tally.scopes) == len(set(tally.scopes))


def test_conditions_see_what_ran_lately() -> None:
    """A rule can look at verdicts, runs and targets of the past."""
    text = f"""
trust: {LEFT_TO_RULES}
budgets: []
rules:
  - name: much
    reason: Too much lately.
    when: %s
    outcome: deny
"""
    day = {**HERE, "since": NOW - 86_400 * SECOND}
    hour = {**OF_ACTION, "since": NOW - 3_600 * SECOND}
    tally = Books(
        runs=[
            (day, Runs(started=1, verdicts={"not_fixed": 2})),
            (hour, Runs(targets=4)),
        ]
    )
    for when in ("recent.not_fixed == 2", "runs.day == 1", "targets == 4"):
        assert rule_on(make_motion(), text % when, tally).rule == "much"
