"""Where the brain's doubts do not hold an action back, and where they do."""

from typing import Any

import pytest

from app.core.errors import ConfigError
from app.models.action import Risk
from app.models.ruling import Outcome, Precondition
from tests.unit.guard.stage import (
    make_motion,
    make_policy,
    make_spec,
    rule_on,
)

UNSURE = """
rules: [{name: two, reason: Two., risks: [destructive], outcome: ask}]
trust: {ladder: [{environment: lab, mode: auto, unsure: run}]}
"""


@pytest.mark.parametrize("change", [{"asks": True}, {"confidence": None}])
def test_where_mistakes_cost_nothing_doubts_do_not_hold(
    change: dict[str, Any],
) -> None:
    """The ladder may run what the brain would ask about; the trail says so."""
    ruling = rule_on(make_motion(environment="lab", **change), UNSURE)
    assert (ruling.outcome, ruling.rule) == (Outcome.ALLOW, "trust:auto")
    assert any("It runs here." in line for line in ruling.trail)
    elsewhere = rule_on(make_motion(environment="shop", **change), UNSURE)
    assert elsewhere.outcome is Outcome.ASK


def test_a_rule_asks_in_spite_of_it() -> None:
    """What lifts a doubt lifts no rule and no precondition."""
    spec = make_spec(Risk.DESTRUCTIVE)
    motion = make_motion(environment="lab", asks=True, spec=spec)
    assert rule_on(motion, UNSURE).rule == "two"
    untold = (Precondition("up", holds=None),)
    motion = make_motion(environment="lab", asks=True, preconditions=untold)
    assert rule_on(motion, UNSURE).rule == "precondition"


@pytest.mark.parametrize(
    "line", ["{mode: auto}", "{environment: lab, mode: approve}"]
)
def test_doubts_are_not_lifted_everywhere(line: str) -> None:
    """It needs an environment, and the step that it is about."""
    text = f"trust: {{ladder: [{line[:-1]}, unsure: run}}]}}"
    with pytest.raises(ConfigError, match="needs mode auto and an"):
        make_policy(text)
