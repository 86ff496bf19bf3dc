"""A decision as spans: each hop is one, and only failures look like one."""

from app.core.spans import Span
from app.engine.tracing import spans_of
from app.models.case import Case
from app.models.choice import NO_RULE, Call, Decision
from app.models.record import Cost
from tests.records import make_record


def hops(*calls: Call) -> list[Span]:
    """Return the spans of the calls of a decision."""
    decision = Decision(action="escalate", calls=calls)
    case = Case(source="x", name="y")
    cost = Cost(calls=1, milliseconds=5.0)
    record = make_record(1, case, decision, cost=cost)
    whole, *found = spans_of(record, 1)
    assert all(one.parent == whole.own for one in found)
    return found


def test_rules_that_match_nothing_are_no_failure() -> None:
    """They are a hop; an error would be one of nearly every decision."""
    (rules, gate) = hops(
        Call(brain="rules", error=NO_RULE), Call(brain="reflex")
    )
    assert (rules.name, gate.name) == ("decide rules", "decide reflex")
    for one in (rules, gate):
        assert not one.error
        assert "error.type" not in one.attributes


def test_a_voice_that_failed_is_one() -> None:
    """Whoever watches sees which."""
    (voice,) = hops(Call(brain="ollama", error="no server"))
    assert voice.name == "decide ollama"
    assert voice.error == "brain_failed"
    assert voice.attributes["error.type"] == "brain_failed"


def test_what_was_shared_was_told_by_another() -> None:
    """Its calls are not told twice."""
    decision = Decision(action="escalate", calls=(Call(brain="reflex"),))
    record = make_record(1, Case(source="x", name="y"), decision)
    assert len(spans_of(record, 1)) == 1
