"""The dry run: what another policy would have said."""

import pytest
from msgspec.structs import replace

from app.guard.chronicle import Asked, Chronicle, History, Ran
from app.guard.guard import Guard
from app.guard.policy import default_policy
from app.guard.replay import MOST_CHANGES, Past, Replayed, replay
from app.models.ruling import Motion
from tests.unit.guard.stage import (
    LEFT_TO_RULES,
    NOW,
    SECOND,
    make_motion,
    make_policy,
    make_spec,
)

STRICT = f"""
trust: {LEFT_TO_RULES}
rules: [{{name: never, reason: Not zabbix., sources: [zabbix], outcome: deny}}]
"""


def put(
    text: str, past: list[Past], history: History | None = None
) -> Replayed:
    """Return what a policy says to the past; nothing else had run."""
    guard = Guard(make_policy(text) if text else default_policy())
    known = History() if history is None else history
    return replay(guard, past, Chronicle(known))


def test_what_would_change_is_named() -> None:
    """Each motion that is ruled otherwise is shown with both rules."""
    past = [
        Past(1, make_motion(), "allow", "trust:auto"),
        Past(2, make_motion(source="grafana"), "allow", "trust:auto"),
        Past(3, make_motion(firing=0), "deny", "not-firing"),
    ]
    found = put(STRICT, past)
    assert (found.looked_at, found.same) == (3, 2)
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
    motions = [make_motion(), make_motion(siblings=99), make_motion(firing=0)]
    motions.append(make_motion(approved="another-version"))
    past = [
        Past(0, motions[0], "ask", "trust:approve"),
        Past(1, motions[1], "ask", "blast-radius"),
        Past(2, motions[2], "deny", "not-firing"),
        Past(3, motions[3], "allow", "approved"),
    ]
    found = put("", past)
    assert found.changes == ()
    assert (found.looked_at, found.same) == (4, 4)


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
    before = Guard(make_policy(usual)).rule(make_motion(), Chronicle())
    assert before.outcome == "ask"
    past = Past(1, make_motion(), "ask", before.rule, before.question)
    found = put(other, [past])
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
    found = put(WORKS, past)
    assert found.same == (now == "allow")
    for change in found.changes:
        assert (change.now, change.now_rule) == (now, "works")
        assert reason in change.reason


def test_what_nobody_looked_at_allows_nothing() -> None:
    """A rule that allows where nobody works does not match either."""
    allows = WORKS.replace("ask", "allow").replace("!=", "==")
    guard = Guard(make_policy(allows.replace("auto", "approve")))
    ruling = guard.rule(make_motion(at_work=None), Chronicle())
    assert (ruling.outcome, ruling.rule) == ("ask", "trust:approve")
    assert any("works: cannot be told" in line for line in ruling.trail)


def test_what_was_asked_and_is_not_known_is_the_same() -> None:
    """A ruling of an older release does not say whom it asked."""
    past = Past(1, make_motion(), "ask", "trust:approve")
    text = "trust: {otherwise: approve}\nask: {people: 2}"
    assert put(text, [past]).same == 1


TIGHT = f"""
trust: {LEFT_TO_RULES}
budgets: [{{name: once, per: [action], runs: 1, window: 1h}}]
"""
LOOSE = f"trust: {LEFT_TO_RULES}\nbudgets: []\n"


def at(minute: int, decision: int, **changes: object) -> Motion:
    """Return a motion of its own target, so many minutes later."""
    return make_motion(
        decision=decision,
        target=f"host:web-{decision}",
        now=NOW + minute * 60 * SECOND,
        **changes,
    )


def make_ran(motion: Motion, verdict: str = "fixed") -> Ran:
    """Return the job of a motion, as it was allowed, ran and was judged."""
    return Ran(
        job=motion.decision,
        decision=motion.decision,
        action=motion.action,
        target=motion.target,
        team=motion.team,
        environment=motion.environment,
        risk="disruptive",
        state="succeeded",
        verdict=verdict,
        planned_at=motion.now,
        started_at=motion.now,
        ended_at=motion.now + 30 * SECOND,
        until=motion.now + 300 * SECOND,
    )


def test_a_tighter_budget_shows_what_it_would_hold_back() -> None:
    """What it allows counts for what comes after, within its window."""
    motions = [at(0, 1), at(10, 2), at(50, 3), at(61, 4)]
    past = [Past(one.decision, one, "allow", "trust:auto") for one in motions]
    runs = [make_ran(one) for one in motions]
    history = History(runs, (), {1, 2, 3, 4}, NOW)
    found = put(TIGHT, past, history)
    assert found.moves == {"allow -> escalate": 2}
    assert [one.id for one in found.changes] == [2, 3]
    assert {one.now_rule for one in found.changes} == {"budget:once"}


def test_a_looser_budget_shows_what_it_would_let_pass() -> None:
    """What was handed over for the counts of then is ruled on again."""
    motions = [at(0, 1), at(10, 2)]
    past = [
        Past(1, motions[0], "allow", "trust:auto"),
        Past(2, motions[1], "escalate", "budget:once"),
    ]
    history = History([make_ran(motions[0])], (), {1, 2}, NOW)
    assert put(LOOSE, past, history).moves == {"escalate -> allow": 1}
    assert put(TIGHT, past, history).moves == {}


def test_what_is_held_back_spends_nothing() -> None:
    """A run that the other policy forbids is not counted by it."""
    forbids = (
        TIGHT + "rules: [{name: never, reason: No., outcome: deny,"
        " when: \"target.name == 'host:web-1'\"}]"
    )
    motions = [at(0, 1), at(10, 2)]
    past = [Past(one.decision, one, "allow", "trust:auto") for one in motions]
    runs = [make_ran(one) for one in motions]
    found = put(forbids, past, History(runs, (), {1, 2}, NOW))
    assert found.moves == {"allow -> deny": 1}


def test_what_never_ran_is_counted_once_it_is_allowed() -> None:
    """People refused it; the other policy would not have asked them."""
    motions = [at(0, 1), at(10, 2)]
    past = [Past(one.decision, one, "ask", "trust:approve") for one in motions]
    found = put(TIGHT, past, History((), (), {1, 2}, NOW))
    assert found.moves == {"ask -> allow": 1, "ask -> escalate": 1}


def test_what_other_rulings_led_to_counts_as_it_was() -> None:
    """Jobs from before it, and those of rulings that are not shown."""
    motion = at(30, 3)
    past = [Past(3, motion, "allow", "trust:auto")]
    older = make_ran(at(-20, 1))
    foreign = make_ran(at(10, 2))
    for run in (older, foreign):
        history = History([run], (), {3}, motion.now)
        assert put(TIGHT, past, history).moves == {"allow -> escalate": 1}
    later = make_ran(at(31, 4))
    long_ago = make_ran(at(-31, 5))
    history = History([later, long_ago], (), {3}, motion.now)
    assert put(TIGHT, past, history).moves == {}


def test_a_breaker_is_opened_by_what_did_not_help() -> None:
    """Once it was known; a lower rate would have stopped the rest."""
    text = f"""
trust: {LEFT_TO_RULES}
budgets: []
breaker: {{runs: 2, rate: 0.5, window: 1h}}
"""
    motions = [at(0, 1), at(10, 2), at(20, 3)]
    past = [Past(one.decision, one, "allow", "trust:auto") for one in motions]
    bad = [make_ran(one, verdict="not_fixed") for one in motions]
    found = put(text, past, History(bad, (), {1, 2, 3}, NOW))
    assert [one.id for one in found.changes] == [3]
    assert found.changes[0].now_rule == "breaker"


def test_one_question_for_one_cause_is_asked_once() -> None:
    """While it is open, others of the same cause are handed over."""
    motions = [at(0, 1, siblings=99), at(5, 2, siblings=99)]
    past = [
        Past(1, motions[0], "ask", "blast-radius"),
        Past(2, motions[1], "escalate", "blast-radius"),
    ]
    asked = Asked(7, 1, "restart_service", NOW, NOW + 600 * SECOND)
    history = History((), [asked], {1, 2}, NOW)
    assert put(LOOSE, past, history).moves == {}
    answered = Asked(7, 1, "restart_service", NOW, NOW + 200 * SECOND)
    history = History((), [answered], {1, 2}, NOW)
    assert put(LOOSE, past, history).moves == {"escalate -> ask": 1}


def test_what_is_asked_twice_is_open_twice() -> None:
    """Its grant was not enough, and it was asked about once more."""
    first, again = at(0, 1, siblings=99), at(20, 1, siblings=99)
    other = at(25, 2, siblings=99)
    past = [
        Past(1, first, "ask", "blast-radius"),
        Past(2, again, "ask", "blast-radius"),
        Past(3, other, "escalate", "blast-radius"),
    ]
    minute = 60 * SECOND
    name = "restart_service"
    asked = [
        Asked(7, 1, name, NOW, NOW + 10 * minute),
        Asked(8, 1, name, NOW + 20 * minute, NOW + 30 * minute),
    ]
    history = History((), asked, {1, 2}, NOW)
    assert put(LOOSE, past, history).moves == {}


def test_what_waits_for_its_target_counts_when_it_runs() -> None:
    """The run before it is moved, and it would have started after that."""
    here = {"target": "host:web-1"}
    motions = [
        make_motion(decision=number, now=NOW + number * SECOND, **here)
        for number in (1, 2)
    ]
    last = at(10, 3)
    past = [
        Past(1, motions[0], "allow", "trust:auto"),
        Past(2, motions[1], "allow", "trust:auto"),
        Past(3, last, "allow", "trust:auto"),
    ]
    runs = [make_ran(one) for one in (*motions, last)]
    twice = TIGHT.replace("runs: 1", "runs: 2")
    spec = make_spec(cooldown_seconds=0)
    past = [
        Past(one.id, replace(one.motion, spec=spec), one.outcome, one.rule)
        for one in past
    ]
    found = put(twice, past, History(runs, (), {1, 2, 3}, NOW))
    assert found.moves == {"allow -> wait": 1, "allow -> escalate": 1}


def test_the_changes_that_are_listed_are_bounded() -> None:
    """All are counted, and the first are listed."""
    past = [Past(n, make_motion(), "allow", "x") for n in range(1_100)]
    found = put(STRICT, past)
    assert found.moves == {"allow -> deny": 1_100}
    assert len(found.changes) == MOST_CHANGES
