"""What a grant does not cover, since whoever gave it could not know it."""

import pytest

from app.models.ruling import Outcome, Precondition, Question
from tests.unit.guard.stage import make_motion, make_policy, rule_on

ASKS = """
trust: {ladder: [], otherwise: auto}
rules: [{name: ask, reason: Ask., outcome: ask}]
"""


@pytest.mark.parametrize(
    ("asked_by", "rule"),
    [
        ("trust:approve", "precondition-changed"),
        ("", "precondition-changed"),
        ("precondition", "approved"),
    ],
)
def test_a_grant_covers_no_doubt_that_came_later(
    asked_by: str, rule: str
) -> None:
    """Whoever granted it was told that all that must hold does."""
    version = make_policy(ASKS).version
    motion = make_motion(
        approved=version,
        granted=Question(rule=asked_by),
        preconditions=(Precondition("up", holds=None),),
    )
    ruling = rule_on(motion, ASKS)
    assert ruling.rule == rule
    assert (ruling.outcome is Outcome.ALLOW) == (rule == "approved")
