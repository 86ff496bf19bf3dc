"""What the guard says: each step, their order, rules, ladder and grants."""

from typing import Any

import pytest

from app.guard.guard import Guard
from app.guard.policy import default_policy
from app.models.action import Budget, Risk
from app.models.ruling import Outcome, Precondition, Question
from tests.unit.guard.stage import (
    LEFT_TO_RULES,
    NOW,
    SECOND,
    Books,
    make_motion,
    make_policy,
    make_spec,
    rule_on,
)

ASKS = "rules: [{name: asks, reason: It asks., outcome: ask%s}]\n"
ASKS += f"trust: {LEFT_TO_RULES}\n"


def test_nothing_speaks_against_a_calm_motion() -> None:
    """With trust and without rules a motion is allowed."""
    ruling = rule_on(make_motion())
    assert (ruling.outcome, ruling.rule) == (Outcome.ALLOW, "trust:auto")
    assert ruling.mode == "auto"
    assert ruling.question is None
    assert ruling.policy == make_policy().version


STANDING: list[tuple[dict[str, Any], Outcome, str]] = [
    ({"halted": "ana: fire drill"}, Outcome.DENY, "halted"),
    ({"spec": None}, Outcome.ESCALATE, "ungrounded"),
    ({"ungrounded": "no such host"}, Outcome.ESCALATE, "ungrounded"),
    ({"state": "resolved"}, Outcome.DENY, "not-firing"),
    ({"state": "suppressed"}, Outcome.DENY, "not-firing"),
    ({"firing": 0}, Outcome.DENY, "not-firing"),
    ({"evidence_seconds": 901}, Outcome.ESCALATE, "stale-evidence"),
    (
        {"arguments": {"host": "web-1", "process": "sshd"}},
        Outcome.DENY,
        "protected",
    ),
    (
        {"preconditions": (Precondition("up", holds=False),)},
        Outcome.DENY,
        "precondition",
    ),
    (
        {"preconditions": (Precondition("up", holds=None),)},
        Outcome.ASK,
        "precondition",
    ),
    ({"has_backend": False}, Outcome.SUGGEST, "no-backend"),
    ({"is_flapping": True}, Outcome.ESCALATE, "flapping"),
    ({"maintenance": "mute 4"}, Outcome.DENY, "maintenance"),
    ({"asks": True}, Outcome.ASK, "brain-asks"),
    ({"confidence": None}, Outcome.ASK, "no-confidence"),
    ({"siblings": 10}, Outcome.ASK, "blast-radius"),
]


@pytest.mark.parametrize(("change", "outcome", "rule"), STANDING)
def test_each_step_names_itself(
    change: dict[str, Any], outcome: Outcome, rule: str
) -> None:
    """What speaks against a motion decides, and the ruling names it."""
    ruling = rule_on(make_motion(**change))
    assert (ruling.outcome, ruling.rule) == (outcome, rule)
    assert any(line.startswith(rule) for line in ruling.trail)
    assert (ruling.question is not None) == (
        outcome in (Outcome.ASK, Outcome.SUGGEST)
    )


def test_no_rule_lifts_a_mute() -> None:
    """Whatever it says of the maintenance that goes on there."""
    policy = make_policy(
        "rules: [{name: trust-me, reason: It is planned., outcome: allow,"
        " when: \"maintenance != ''\"}]"
    )
    motion = make_motion(maintenance="mute 4", at_work="maintenance 4: it")
    ruling = Guard(policy).rule(motion, Books())
    assert (ruling.outcome, ruling.rule) == (Outcome.DENY, "maintenance")
    assert not any("trust-me" in line for line in ruling.trail)


@pytest.mark.parametrize("proposer", ["person:ana", "code:evidence", "undo"])
def test_a_proposal_of_people_needs_no_confidence(proposer: str) -> None:
    """What people propose goes by rules and ladder, as all else does."""
    motion = make_motion(proposer=proposer, confidence=None)
    assert rule_on(motion).outcome is Outcome.ALLOW
    unsure = make_motion(proposer="brain:ollama", confidence=None)
    assert rule_on(unsure).outcome is Outcome.ASK


def test_evidence_counts_longer_once_people_granted_it() -> None:
    """A question may wait longer than what nobody was asked about."""
    version = make_policy().version
    granted = make_motion(evidence_seconds=1_800, approved=version)
    assert rule_on(granted).outcome is Outcome.ALLOW
    late = make_motion(evidence_seconds=3_601, approved=version)
    assert rule_on(late).rule == "stale-evidence"


def test_the_first_rule_that_matches_counts() -> None:
    """Rules are asked from the top to the bottom, by lists and condition."""
    text = f"""
trust: {LEFT_TO_RULES}
rules:
  - name: other-team
    reason: Not about this one.
    teams: [mail]
    outcome: deny
  - name: not-now
    reason: Not about this hour.
    when: now.hour < 6
    outcome: deny
  - name: asks-two
    reason: Two must look.
    severities: [error, critical]
    when: alert.labels.zone == 'north' && decision.confidence > 0.9
    outcome: ask
    people: 2
    whom: [ana, bo, cy]
    for: 10m
  - name: denies
    reason: Never reached.
    outcome: deny
"""
    ruling = rule_on(make_motion(), text)
    assert (ruling.outcome, ruling.rule) == (Outcome.ASK, "asks-two")
    assert ruling.reason == "Two must look."
    assert ruling.question == Question(
        whom=("ana", "bo", "cy"), people=2, seconds=600
    )
    assert "rule not-now: does not match" in ruling.trail


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("auto", Outcome.ALLOW),
        ("approve", Outcome.ASK),
        ("suggest", Outcome.SUGGEST),
        ("observe", Outcome.OBSERVE),
    ],
)
def test_a_rule_does_not_lift_the_ladder(mode: str, outcome: Outcome) -> None:
    """What a rule allows is held to how far the action is trusted."""
    text = f"""
trust: {{ladder: [], otherwise: {mode}}}
rules: [{{name: all, reason: All is fine., outcome: allow}}]
"""
    ruling = rule_on(make_motion(), text)
    assert ruling.outcome is outcome
    assert ruling.rule == ("all" if mode == "auto" else f"trust:{mode}")
    assert ruling.mode == mode


def test_the_ladder_does_not_lift_a_rule() -> None:
    """What a rule forbids stays so, however far an action is trusted."""
    text = f"""
trust: {LEFT_TO_RULES}
rules: [{{name: never, reason: Not here., outcome: deny}}]
"""
    assert rule_on(make_motion(), text).rule == "never"


@pytest.mark.parametrize("risk", list(Risk))
@pytest.mark.parametrize("environment", ["simulator", "production", ""])
def test_a_fresh_install_changes_the_simulator_only(
    risk: Risk, environment: str
) -> None:
    """What looks runs alone; what is mild on the simulator's targets only."""
    motion = make_motion(
        spec=make_spec(risk), environment=environment, labels={"env": "x"}
    )
    ruling = Guard(default_policy()).rule(motion, Books())
    is_mild = risk is Risk.REVERSIBLE and environment == "simulator"
    runs_alone = is_mild or risk is Risk.OBSERVE
    assert (ruling.outcome is Outcome.ALLOW) == runs_alone
    if not runs_alone:
        assert ruling.outcome is Outcome.ASK
        assert ruling.question is not None
        assert ruling.question.people == 1 + (risk is Risk.DESTRUCTIVE)


def test_an_alert_cannot_claim_an_environment() -> None:
    """A label is not where trust comes from."""
    spec = make_spec(Risk.REVERSIBLE)
    labels = {"environment": "simulator", "env": "simulator"}
    motion = make_motion(spec=spec, labels=labels, environment="")
    ruling = Guard(default_policy()).rule(motion, Books())
    assert ruling.outcome is Outcome.ASK


@pytest.mark.parametrize("outcome", ["ask", "deny", "escalate"])
def test_a_restriction_that_nobody_can_tell_asks(outcome: str) -> None:
    """A rule that cannot be evaluated is not as if it were not there."""
    text = f"""
trust: {LEFT_TO_RULES}
rules:
  - name: blind
    reason: Not in the south.
    when: alert.labels.region == 'south'
    outcome: {outcome}
"""
    ruling = rule_on(make_motion(), text)
    assert (ruling.outcome, ruling.rule) == (Outcome.ASK, "blind")
    assert "region" in ruling.reason
    known = make_motion(labels={"region": "north"})
    assert rule_on(known, text).outcome is Outcome.ALLOW


def test_a_permission_that_nobody_can_tell_is_none() -> None:
    """A rule that allows, and cannot be evaluated, does not match."""
    text = f"""
trust: {LEFT_TO_RULES}
rules:
  - name: blind
    reason: Fine in the south.
    when: alert.labels.region == 'south'
    outcome: allow
  - name: rest
    reason: All else is not.
    outcome: deny
"""
    ruling = rule_on(make_motion(), text)
    assert ruling.rule == "rest"
    assert any("blind: cannot be told" in line for line in ruling.trail)


def test_a_later_denial_counts_after_a_rule_that_cannot_be_told() -> None:
    """To ask is the least; the rule that matches may be more careful."""
    text = f"""
trust: {LEFT_TO_RULES}
rules:
  - name: blind
    reason: Not in the south.
    when: alert.labels.region == 'south'
    outcome: ask
  - name: rest
    reason: All else is not.
    outcome: deny
"""
    assert rule_on(make_motion(), text).rule == "rest"


@pytest.mark.parametrize(
    "change",
    [{"labels": {"zone": "\ud800"}}, {"labels": {"\udfff": "north"}}],
)
def test_what_no_rule_can_be_asked_about_is_handed_over(
    change: dict[str, Any],
) -> None:
    """A value that the language does not have starts nothing."""
    text = f"""
trust: {LEFT_TO_RULES}
rules:
  - name: near
    reason: Only there.
    when: "has(alert.labels.zone)"
    outcome: allow
"""
    assert rule_on(make_motion(), text).outcome is Outcome.ALLOW
    ruling = rule_on(make_motion(**change), text)
    assert (ruling.outcome, ruling.rule) == (Outcome.ESCALATE, "rules")


@pytest.mark.parametrize(
    "part",
    [
        "environments: [production]",
        "environments: [PRODUCTION, staging]",
        "teams: [SHOP]",
        "when: target.environment == 'production'",
        "when: \"target.role in ['WEB'] && target.team != 'ops'\"",
    ],
)
@pytest.mark.parametrize("environment", ["Production", "production"])
def test_a_place_is_the_same_in_capital_letters(
    part: str, environment: str
) -> None:
    """Another spelling in the inventory let through what a rule forbids."""
    text = f"""
trust: {LEFT_TO_RULES}
rules: [{{name: never, reason: Not here., outcome: deny, {part}}}]
"""
    motion = make_motion(environment=environment, team="Shop", role="Web")
    assert rule_on(motion, text).rule == "never"


def test_a_spelling_is_left_alone_where_conditions_have_two() -> None:
    """Whoever tells them apart means to."""
    text = f"""
trust: {LEFT_TO_RULES}
rules:
  - name: capital
    reason: That one.
    outcome: deny
    when: target.environment == 'Prod'
  - name: small
    reason: The other one.
    outcome: deny
    when: target.environment == 'prod'
"""
    for written, rule in (("Prod", "capital"), ("prod", "small")):
        assert rule_on(make_motion(environment=written), text).rule == rule


def test_the_ladder_knows_a_place_in_capital_letters() -> None:
    """Production was trusted as far as everything else is."""
    text = """
trust:
  ladder: [{environment: production, mode: suggest}]
  otherwise: auto
"""
    ruling = rule_on(make_motion(environment="Production"), text)
    assert (ruling.outcome, ruling.mode) == (Outcome.SUGGEST, "suggest")


def test_a_grant_answers_what_asks() -> None:
    """Under the same policy what was granted is allowed."""
    text = ASKS % ""
    version = make_policy(text).version
    ruling = rule_on(make_motion(approved=version), text)
    assert (ruling.outcome, ruling.rule) == (Outcome.ALLOW, "approved")


def test_a_grant_of_another_policy_is_asked_again() -> None:
    """What was granted under another policy is put to people once more."""
    ruling = rule_on(make_motion(approved="0123456789abcdef"), ASKS % "")
    assert (ruling.outcome, ruling.rule) == (Outcome.ASK, "policy-changed")
    assert ruling.question is not None


@pytest.mark.parametrize(
    ("granted", "rule"),
    [
        (None, "not-enough"),
        (Question(whom=(), people=1), "not-enough"),
        (Question(whom=(), people=2), "not-enough"),
        (Question(whom=("ana", "eve"), people=2), "not-enough"),
        (Question(whom=("ana",), people=1), "not-enough"),
        (Question(whom=("ana", "bo"), people=2), "approved"),
    ],
)
def test_a_grant_counts_for_what_asks_no_more(
    granted: Question | None, rule: str
) -> None:
    """One person's grant is none when two, or others, must grant it now."""
    text = ASKS % ", people: 2, whom: [ana, bo]"
    version = make_policy(text).version
    motion = make_motion(approved=version, granted=granted)
    assert rule_on(motion, text).rule == rule


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"halted": "stop"}, "halted"),
        ({"firing": 0}, "not-firing"),
        ({"has_backend": False}, "no-backend"),
        ({"is_flapping": True}, "flapping"),
    ],
)
def test_a_grant_lifts_nothing_but_a_question(
    change: dict[str, Any], rule: str
) -> None:
    """What denies, hands over or suggests does so in spite of a grant."""
    text = ASKS % ""
    version = make_policy(text).version
    ruling = rule_on(make_motion(approved=version, **change), text)
    assert ruling.rule == rule
    assert ruling.outcome is not Outcome.ALLOW


def test_a_busy_target_is_waited_for() -> None:
    """While a job works on a target, the next one comes later."""
    ruling = rule_on(make_motion(), tally=Books(jobs={"host:web-1": 5}))
    assert (ruling.outcome, ruling.rule) == (Outcome.WAIT, "target-busy")
    assert ruling.until == NOW + 5 * SECOND


def test_the_order_of_the_steps() -> None:
    """Of several reasons the one that matters most is named."""
    spec = make_spec(budget=Budget(runs=1))
    motion = make_motion(halted="stop", firing=0, spec=spec)
    assert rule_on(motion).rule == "halted"
    assert rule_on(make_motion(firing=0, asks=True)).rule == "not-firing"
