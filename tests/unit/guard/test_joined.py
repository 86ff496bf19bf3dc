"""Whom several rules ask together, also where nobody can tell of one."""

import pytest

from app.guard.chronicle import Chronicle
from app.guard.guard import Guard
from app.guard.replay import Past, replay
from app.models.ruling import Outcome, Question, Ruling
from tests.unit.guard.stage import (
    LEFT_TO_RULES,
    make_motion,
    make_policy,
    rule_on,
)

NORTH = """
  - name: north
    reason: The north needs two of us.
    when: alert.labels.zone == 'north'
    outcome: ask
    whom: [ana, bo]
    people: 2
    for: 5m
"""
REGION = """
  - name: region
    reason: Not in the south.
    when: alert.labels.region == 'south'
    outcome: %s
"""
REST = """
  - name: rest
    reason: All else is asked.
    outcome: ask
    %s
"""


def rules(*some: str, usual: str = "{}") -> str:
    """Return a policy of some rules, and whom it asks as usual."""
    head = f"trust: {LEFT_TO_RULES}\nask: {usual}\n"
    return f"{head}rules:{''.join(some)}"


def blindly(text: str) -> Ruling:
    """Return what a policy says to a motion without labels."""
    return rule_on(make_motion(labels={}), text)


def test_a_rule_that_cannot_be_told_asks_whom_it_names() -> None:
    """Without the label it asks no fewer people than with it."""
    told = rule_on(make_motion(labels={"zone": "north"}), rules(NORTH))
    untold = blindly(rules(NORTH))
    assert (untold.outcome, untold.rule) == (Outcome.ASK, "north")
    assert untold.question == told.question
    assert told.question == Question(whom=("ana", "bo"), people=2, seconds=300)


def test_one_person_does_not_grant_what_cannot_be_told() -> None:
    """A grant of one counts for nothing where two are asked."""
    text = rules(NORTH)
    version = make_policy(text).version
    for granted, rule in (
        (Question(), "not-enough"),
        (Question(whom=("bo", "ana"), people=2), "approved"),
        (Question(whom=("BO", "Ana "), people=2), "approved"),
    ):
        motion = make_motion(labels={}, approved=version, granted=granted)
        assert rule_on(motion, text).rule == rule


@pytest.mark.parametrize("outcome", ["ask", "deny", "escalate"])
def test_what_may_be_forbidden_is_asked_as_usual_at_least(
    outcome: str,
) -> None:
    """A rule that says no more of people does not make it easier."""
    usual = "{whom: [ana, cy], people: 2, for: 10m}"
    alone = blindly(rules(REGION % outcome, usual=usual))
    assert alone.question == Question(
        whom=("ana", "cy"), people=2, seconds=600
    )
    easier = REST % "whom: []\n    people: 1\n    for: 1h"
    both = blindly(rules(REGION % outcome, easier, usual=usual))
    assert both.question == alone.question


@pytest.mark.parametrize(
    ("says", "question"),
    [
        (
            "whom: [ana]\n    people: 1",
            "Only ana is asked by all of north and rest, and 2 must grant it.",
        ),
        ("whom: [cy]", "Nobody is asked by all of north and rest."),
        (
            "whom: [cy, BO, Ana]\n    for: 2m",
            Question(whom=("ana", "bo"), people=2, seconds=120),
        ),
        (
            "whom: []\n    for: 1h",
            Question(whom=("ana", "bo"), people=2, seconds=300),
        ),
    ],
)
def test_of_several_that_ask_the_stricter_counts_in_each_part(
    says: str, question: Question | str
) -> None:
    """More people, of those whom all name, and the shorter time."""
    ruling = blindly(rules(NORTH, REST % says))
    if isinstance(question, Question):
        assert (ruling.outcome, ruling.rule) == (Outcome.ASK, "north")
        assert ruling.question == question
    else:
        assert ruling.outcome is Outcome.ESCALATE
        assert ruling.rule == "nobody-to-ask"
        assert ruling.reason.startswith(question)
        assert "rule north" in ruling.reason
        assert ruling.question is None
        assert ruling.trail[-1] == f"{ruling.rule}: {ruling.reason}"


def test_what_everybody_may_grant_is_no_smaller_circle() -> None:
    """Where no rule names anybody, anybody may answer."""
    ruling = blindly(rules(REGION % "ask", REST % "people: 2"))
    assert ruling.question == Question(people=2)


def test_one_rule_that_nobody_could_grant_is_handed_over() -> None:
    """Two are wanted of one: that is said, and not waited for."""
    alone = REST % "whom: [ana, Ana]\n    people: 2"
    ruling = rule_on(make_motion(), rules(alone))
    assert (ruling.outcome, ruling.rule) == (
        Outcome.ESCALATE,
        "nobody-to-ask",
    )
    assert ruling.reason == (
        "Only Ana is asked by rest, and 2 must grant it. All else is asked."
    )


def test_a_grant_does_not_answer_what_nobody_is_asked() -> None:
    """Right before the start two rules may be left without a circle."""
    text = rules(NORTH, REST % "whom: [cy]")
    granted = Question(whom=("cy",), people=2)
    motion = make_motion(
        labels={}, approved=make_policy(text).version, granted=granted
    )
    assert rule_on(motion, text).rule == "nobody-to-ask"


@pytest.mark.parametrize(
    "text",
    [
        rules(NORTH),
        rules(REGION % "deny", usual="{people: 2}"),
        rules(NORTH, REST % "whom: [bo, ana, cy]"),
        rules(NORTH, REST % "whom: [cy]"),
    ],
)
def test_a_dry_run_says_the_same(text: str) -> None:
    """It asks the same people as the ruling, and hands over the same."""
    guard = Guard(make_policy(text))
    motion = make_motion(labels={})
    said = guard.rule(motion, Chronicle())
    past = Past(1, motion, said.outcome, said.rule, said.question)
    assert replay(guard, [past], Chronicle()).changes == ()
    lax = Past(1, motion, Outcome.ASK, "north", Question())
    (change,) = replay(guard, [lax], Chronicle()).changes
    assert (change.now, change.now_rule) == (said.outcome, said.rule)


@pytest.mark.parametrize(
    ("proposer", "whom", "outcome"),
    [
        ("person:ana", "[ana]", Outcome.ESCALATE),
        ("person:Ana", "[ana, bo]\n    people: 2", Outcome.ESCALATE),
        ("person:ana", "[ana, bo]", Outcome.ASK),
        ("brain:ana", "[ana]", Outcome.ASK),
    ],
)
def test_who_proposes_is_none_of_those_who_can_grant(
    proposer: str, whom: str, outcome: Outcome
) -> None:
    """Nobody waits for the one who must not answer."""
    motion = make_motion(proposer=proposer)
    ruling = rule_on(motion, rules(REST % f"whom: {whom}"))
    assert ruling.outcome is outcome
