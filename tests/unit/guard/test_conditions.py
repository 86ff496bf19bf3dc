"""Conditions: what is refused when they are read, and what they tell."""

import json
import threading

import pytest

from app.guard.conditions import Untold, read_condition, show
from app.guard.counting import Books as Counting
from app.guard.judging import make_view
from app.guard.policy import parse_policy
from tests.unit.guard.stage import Books, make_motion

CALENDARS = ("freeze",)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("false && nope", "no variable 'nope'"),
        ("true || alert.nope == ''", "alert has no 'nope'"),
        ("false && alert.name.matches('(')", "not a valid regex"),
        ("targets > 3 && alert.source == 1", "never alike"),
        ("alert.labels.zone != 3", "never alike"),
        ("now.hour == '3'", "never alike"),
        ("alert.labels.zone > 3", "cannot be evaluated"),
        ("now.hour > 3 || now.hour", "neither true nor false"),
        ("alert.labels.exists(now, now == 'x')", "hides the variable"),
        (
            "[1].all(a, [1].all(b, [1].all(c, [1].all(d, a < d))))",
            "more than 3 loops",
        ),
        ("true // really", "comments"),
        ("(true", "no CEL expression"),
        ("targets", "neither true nor false"),
    ],
)
def test_what_is_wrong_is_found_when_it_is_read(text: str, what: str) -> None:
    """A mistake is found in whichever part of a condition it is."""
    with pytest.raises(ValueError, match=what):
        read_condition(text, CALENDARS)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("true", True),
        ("alert.labels.zone == 'north'", True),
        ("has(alert.labels.row) && alert.labels.row == 'x'", False),
        ("'zone' in alert.labels", True),
        ("alert.labels.exists(k, k == 'zone')", True),
        ("alert.name.matches('^nginx is (down|up)$')", True),
        ("alert.name.startsWith('nginx') && targets == 0", True),
        ("alert.severity in ['error', 'critical']", True),
        ("action.name == 'restart_service'", True),
        ("action.risk == 'disruptive'", True),
        ("action.arguments.service == 'nginx'", True),
        ("action.arguments.size() == 2", True),
        ("decision.confidence >= 0.97", True),
        ("decision.proposer.startsWith('brain:')", True),
        ("now.weekday == 'fri' && now.hour == 14 && now.minute == 30", True),
        ("now.date == '2026-11-20'", True),
        ("now.in_calendar.freeze", True),
        ("!now.in_calendar['freeze']", False),
        ("maintenance == ''", True),
        ("recent.fixed + recent.not_fixed > 0", False),
        ("runs.hour == 0", True),
        ("incident.firing == 1 && !incident.is_flapping", True),
        ("target.role == 'web' && target.name == 'host:web-1'", True),
        ("alert.problem.contains('a && b') || alert.source == 'zabbix'", True),
        ("(now.hour > 8 ? targets : 1) == 0", True),
    ],
)
def test_a_condition_sees_the_motion(text: str, holds: bool) -> None:
    """Everything that the page names can be looked at."""
    policy = parse_policy(
        "calendars: {freeze: [2026-11-20]}\n"
        "rules: [{name: aa, reason: For its names., outcome: deny,"
        f" when: {json.dumps(text)}}}]\n"
    )
    view = make_view(policy, Counting(make_motion(), Books()))
    assert policy.rules[0].condition.holds(show(view)) is holds


@pytest.mark.parametrize(
    ("text", "at_work", "holds"),
    [
        ("maintenance != ''", "", False),
        ("maintenance != ''", "maintenance 3: kernel", True),
        ("maintenance.contains('kernel')", "maintenance 3: kernel", True),
        ("size(maintenance) > 0", "", False),
    ],
)
def test_a_condition_sees_who_works_there(
    text: str, at_work: str, holds: bool
) -> None:
    """It is no mute: what is muted is denied before any rule is asked."""
    policy = parse_policy(
        "rules: [{name: aa, reason: For its work., outcome: ask,"
        f" when: {json.dumps(text)}}}]\n"
    )
    motion = make_motion(at_work=at_work)
    view = make_view(policy, Counting(motion, Books()))
    assert policy.rules[0].condition.holds(show(view)) is holds


def test_what_nobody_can_tell_is_said() -> None:
    """A label that is missing is neither true nor false."""
    condition = read_condition("alert.labels.row == 'x'", ())
    with pytest.raises(Untold, match="there is no 'row'"):
        condition.holds(show({"alert": {"labels": {}}}))
    odd = read_condition("now.hour > 2 ? true : targets", ())
    with pytest.raises(Untold, match="neither true nor false"):
        odd.holds(show({"now": {"hour": 1}, "targets": 2}))


def test_a_pattern_takes_no_time() -> None:
    """A pattern that would try all ways elsewhere is matched in one go."""
    condition = read_condition("alert.name.matches('^(a+)+b$')", ())
    seen = show({"alert": {"name": "a" * 100_000}})
    assert condition.holds(seen) is False


def test_conditions_are_asked_on_any_thread() -> None:
    """A dry run on one thread does not disturb the guard on another."""
    condition = read_condition("targets > 3", ())
    found: list[bool] = []

    def ask() -> None:
        """Ask it as another thread."""
        found.extend(condition.holds(show({"targets": n})) for n in range(8))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count(True) == found.count(False) == 16
