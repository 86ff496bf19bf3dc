"""What holds for every policy and every motion."""

from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.guard.finding import CARE
from app.guard.guard import Guard
from app.guard.judging import CEILINGS
from app.guard.policy import parse_policy
from app.models.action import Catalogue, Risk
from app.models.ruling import (
    Mode,
    Motion,
    Outcome,
    Precondition,
    Question,
    from_stored,
    to_stored,
)
from tests.unit.guard.stage import Books, make_motion, make_spec

WHENS = (
    "true",
    "alert.labels.zone == 'north'",
    "alert.labels.gone == 'x'",
    "now.hour > 12",
    "decision.confidence > 0.5",
)
some_rules = st.lists(
    st.fixed_dictionaries(
        {
            "reason": st.just("It is so."),
            "outcome": st.sampled_from(["allow", "ask", "deny", "escalate"]),
            "when": st.sampled_from(WHENS),
        },
        optional={
            "risks": st.lists(st.sampled_from([r.value for r in Risk])),
            "teams": st.lists(st.sampled_from(["shop", "mail"])),
        },
    ),
    max_size=4,
)
some_ladders = st.lists(
    st.fixed_dictionaries(
        {"mode": st.sampled_from([m.value for m in Mode])},
        optional={
            "risk": st.sampled_from([r.value for r in Risk]),
            "environment": st.sampled_from(["production", "simulator"]),
        },
    ),
    max_size=4,
)
some_motions = st.fixed_dictionaries(
    {},
    optional={
        "confidence": st.sampled_from([None, 0.1, 0.99]),
        "environment": st.sampled_from(["", "production", "simulator"]),
        "proposer": st.sampled_from(["person:ana", "brain:x", "undo"]),
        "asks": st.booleans(),
        "siblings": st.sampled_from([0, 50]),
        "spec": st.sampled_from([make_spec(risk) for risk in Risk]),
        "team": st.sampled_from(["", "shop"]),
    },
)


def make_guard(rules: list[dict[str, Any]], trust: dict[str, Any]) -> Guard:
    """Return a guard of a made-up policy."""
    named = [{**rule, "name": f"rule-{at}"} for at, rule in enumerate(rules)]
    tree = {"rules": named, "trust": trust}
    return Guard(parse_policy(yaml.safe_dump(tree)))


FORBIDDEN: list[dict[str, Any]] = [
    {"halted": "stop"},
    {"firing": 0},
    {"state": "merged"},
    {"arguments": {"host": "web-1", "process": "systemd"}},
    {"ungrounded": "no such host"},
    {"maintenance": "mute 4"},
    {"is_flapping": True},
    {"preconditions": (Precondition("up", holds=False),)},
    {"evidence_seconds": 100_000},
]


@given(some_rules, some_ladders, some_motions, st.sampled_from(FORBIDDEN))
def test_no_policy_allows_what_is_forbidden(
    rules: list[dict[str, Any]],
    ladder: list[dict[str, Any]],
    motion: dict[str, Any],
    forbidden: dict[str, Any],
) -> None:
    """Whatever rules, trust and people say, these are never started."""
    guard = make_guard(rules, {"ladder": ladder, "otherwise": "auto"})
    changed = {**motion, **forbidden, "approved": guard.version}
    granted = Question(people=2)
    ruling = guard.rule(make_motion(**changed, granted=granted), Books())
    assert ruling.outcome in (Outcome.DENY, Outcome.ESCALATE)


@given(some_rules, some_ladders, some_motions, st.booleans())
def test_the_ladder_is_a_ceiling(
    rules: list[dict[str, Any]],
    ladder: list[dict[str, Any]],
    motion: dict[str, Any],
    has_grant: bool,
) -> None:
    """A ruling is never less careful than the ladder, grants aside."""
    guard = make_guard(rules, {"ladder": ladder, "otherwise": "approve"})
    approved = guard.version if has_grant else ""
    put = make_motion(**motion, approved=approved)
    ruling = guard.rule(put, Books())
    highest = CEILINGS[Mode(ruling.mode)]
    if has_grant and highest is Outcome.ASK:
        highest = Outcome.ALLOW
    assert CARE.index(ruling.outcome) >= CARE.index(highest)


@given(some_rules, some_ladders, some_motions)
def test_a_grant_turns_only_questions(
    rules: list[dict[str, Any]],
    ladder: list[dict[str, Any]],
    motion: dict[str, Any],
) -> None:
    """With a grant the same is said, but where people were asked."""
    guard = make_guard(rules, {"ladder": ladder, "otherwise": "auto"})
    plain = guard.rule(make_motion(**motion), Books())
    asked = make_motion(
        **motion, approved=guard.version, granted=plain.question
    )
    granted = guard.rule(asked, Books())
    if plain.outcome is Outcome.ASK:
        assert granted.outcome is Outcome.ALLOW
    else:
        assert granted.outcome is plain.outcome


@given(some_motions)
def test_a_motion_is_stored_and_read_again(motion: dict[str, Any]) -> None:
    """What is replayed is what was asked, its action from the catalogue."""
    catalogue = Catalogue(
        (
            make_spec(Risk.REVERSIBLE),
            *(
                make_spec(Risk.OBSERVE, name=name, parameters={})
                for name in ("escalate", "no_action")
            ),
        )
    )
    spec = catalogue.get("restart_service")
    put = make_motion(
        **{**motion, "spec": spec},
        preconditions=(Precondition("up", holds=None, says="?"),),
        granted=Question(whom=("ana",), people=1),
    )
    raw = msgspec.json.encode(to_stored(put))
    assert b"when_to_use" not in raw
    assert from_stored(msgspec.json.decode(raw), catalogue) == put


def test_a_stored_motion_outlives_its_action() -> None:
    """What the catalogue has no more is read without it."""
    catalogue = Catalogue(
        tuple(
            make_spec(Risk.OBSERVE, name=name, parameters={})
            for name in ("escalate", "no_action")
        )
    )
    read = from_stored(to_stored(make_motion()), catalogue)
    assert isinstance(read, Motion)
    assert read.spec is None
    with pytest.raises(msgspec.ValidationError):
        from_stored({"action": 3}, catalogue)
