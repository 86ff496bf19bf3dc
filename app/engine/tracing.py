"""A decision as spans, by the conventions of OpenTelemetry for GenAI.

Neither prompts nor answers are in them: names, counts, times and hashes.
"""

from collections.abc import Iterator

from app.core.spans import Attribute, Span, new_span, new_trace
from app.models.choice import Call, Decision, Why
from app.models.record import Record

AGENT = "smokejumper"


def spans_of(record: Record, number: int) -> list[Span]:
    """Return the spans of a decision: the whole, and each call of it.

    Args:
        record: the decision with what it took.
        number: its number in the store.
    """
    decision, took = record.decision, record.cost.milliseconds
    is_shadow = record.agrees is not None
    whole = Span(
        name=f"invoke_agent {AGENT}",
        begins_at=record.at - int(took * 1_000),
        milliseconds=took,
        trace=new_trace(),
        own=new_span(),
        error=_error(decision),
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": AGENT,
            "smokejumper.incident": record.standpoint.incident,
            "smokejumper.decision": number,
            "smokejumper.brain": decision.brain,
            "smokejumper.action": decision.action,
            "smokejumper.why": str(decision.why),
            "smokejumper.asks": decision.asks,
            "smokejumper.is_shadow": is_shadow,
            "smokejumper.is_shared": not record.cost.calls,
            "smokejumper.case_digest": decision.case_digest,
            "smokejumper.catalogue_digest": decision.catalogue_digest,
            "smokejumper.settings_digest": decision.settings_digest,
            **_confidence(decision),
        },
    )
    # What was shared was asked, and told, by somebody else.
    calls = decision.calls if record.cost.calls else ()
    return [whole, *_calls(calls, whole)]


def _calls(calls: tuple[Call, ...], whole: Span) -> Iterator[Span]:
    """Yield a span for each call, one after the other."""
    begins_at = whole.begins_at
    for call in calls:
        took = _took(call)
        asks = bool(call.tokens_in or call.tokens_out)
        operation = "chat" if asks else "decide"
        name = call.model or call.brain
        attributes: dict[str, Attribute] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": call.brain,
            "smokejumper.prompt_hash": call.prompt_hash,
            "smokejumper.repairs": len(call.repairs),
        }
        if call.model:
            attributes["gen_ai.request.model"] = call.model
            attributes["gen_ai.response.model"] = call.model
        if asks:
            attributes["gen_ai.usage.input_tokens"] = call.tokens_in
            attributes["gen_ai.usage.output_tokens"] = call.tokens_out
        if call.model_digest:
            attributes["smokejumper.model_digest"] = call.model_digest
        if call.has_failed:
            attributes["error.type"] = "brain_failed"
        yield Span(
            name=f"{operation} {name}",
            begins_at=begins_at,
            milliseconds=took,
            trace=whole.trace,
            own=new_span(),
            parent=whole.own,
            is_call=asks,
            error="brain_failed" if call.has_failed else "",
            attributes=attributes,
        )
        begins_at += int(took * 1_000)


def _took(call: Call) -> float:
    """Return how long a call took in all."""
    parts = call.milliseconds
    return float(parts.get("total", sum(parts.values())))


def _error(decision: Decision) -> str:
    """Return what kind of failure a decision stands for, or nothing."""
    return str(decision.why) if decision.why == Why.UNAVAILABLE else ""


def _confidence(decision: Decision) -> dict[str, Attribute]:
    """Return how sure it is, when anybody can say."""
    if decision.confidence is None:
        return {}
    return {"smokejumper.confidence": decision.confidence}
