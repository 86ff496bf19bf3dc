"""What the API shows of decisions, and of a trial."""

from typing import Any, Self

import msgspec
from pydantic import BaseModel, Field

from app.api.views import CountView
from app.core.clock import to_iso
from app.decide.deciding import Decided
from app.models.record import clean, evidence, tokens_of

SAME = (
    "id",
    "target",
    "problem",
    "severity",
    "seq",
    "action",
    "reason",
    "confidence",
    "why",
    "brain",
    "case_digest",
    "menu_digest",
    "catalogue_digest",
    "settings_digest",
    "tokens",
    "calls",
    "milliseconds",
    "verdict",
    "note",
)
Arguments = dict[str, str | int]


class DecisionView(BaseModel):
    """One decision; the mission of its incident says what came of it."""

    id: int
    incident: int
    at: str
    target: str = Field(description="the key of the target then")
    problem: str
    problems: list[str] = Field(description="every class that went on")
    severity: str
    seq: int = Field(description="the last entry of the log then")
    action: str
    arguments: Arguments
    call: str = Field(description="the action with its arguments")
    reason: str
    confidence: float | None = Field(description="null: nobody can say")
    asks: bool = Field(description="whether a person must confirm it first")
    why: str = Field(
        description="chosen, unsure, ungrounded, unavailable, budget or "
        "resolved"
    )
    brain: str
    case_digest: str
    menu_digest: str
    catalogue_digest: str
    settings_digest: str
    shadow: bool = Field(description="whether it was beside another one")
    beside: int | None = Field(description="the decision that it was beside")
    agrees: bool | None = Field(description="whether it says the same")
    tokens: int
    calls: int = Field(description="0 when the answer was shared")
    milliseconds: float
    verdict: str = Field(
        description="fixed, not_fixed, unknown; empty: nothing was measured"
    )
    note: str = Field(description="what became of the incident meanwhile")

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a row as the API shows it."""
        return cls(**_columns(row))


class DecisionDetail(DecisionView):
    """One decision with all that it rests on."""

    case: dict[str, Any] = Field(description="what the brain was shown")
    menu: dict[str, Any] = Field(description="what it could choose from")
    left_out: dict[str, str] = Field(description="and why nothing else")
    options: list[dict[str, Any]] = Field(description="the best candidates")
    grounding: list[dict[str, Any]] = Field(
        description="where each argument came from"
    )
    all_calls: list[dict[str, Any]] = Field(description="each call on the way")

    @classmethod
    def whole(cls, row: Any) -> Self:
        """Return a row with its evidence as the API shows it."""
        record = msgspec.json.decode(row.record)
        record["all_calls"] = record.pop("calls")
        case = msgspec.json.decode(row.casefile)
        return cls(**_columns(row), **record, case=case)


class DecisionPage(BaseModel):
    """Some decisions, newest first."""

    seq: int = Field(description="the last entry of the log at this moment")
    items: list[DecisionView]
    next: str | None = Field(description="the address of the next page")
    count: CountView | None


class AgreementRow(BaseModel):
    """How often one shadow agreed with one action."""

    brain: str = Field(description="the shadow")
    action: str = Field(description="what the live brain decided")
    decisions: int = Field(description="how often both had an answer")
    agreed: int
    share: float


class AgreementView(BaseModel):
    """How often shadows agreed."""

    since: str | None
    decisions: int
    agreed: int
    share: float | None = Field(description="null: no shadow has decided")
    by_action: list[AgreementRow]

    @classmethod
    def of(
        cls, rows: list[tuple[str, str, int, int]], since: int | None
    ) -> Self:
        """Return counts as the API shows them."""
        many, same = sum(r[2] for r in rows), sum(r[3] for r in rows)
        return cls(
            since=to_iso(since),
            decisions=many,
            agreed=same,
            share=same / many if many else None,
            by_action=[
                AgreementRow(
                    brain=brain,
                    action=action,
                    decisions=count,
                    agreed=agreed,
                    share=agreed / count,
                )
                for brain, action, count, agreed in rows
            ],
        )


class TrialView(BaseModel):
    """What would be decided; nothing was written and nothing runs."""

    dry_run: bool = True
    action: str
    arguments: Arguments
    call: str
    reason: str
    confidence: float | None
    asks: bool
    why: str
    brain: str
    case_digest: str
    catalogue_digest: str
    settings_digest: str
    tokens: int
    milliseconds: float
    case: dict[str, Any]
    menu: dict[str, Any]
    left_out: dict[str, str]
    options: list[dict[str, Any]]
    grounding: list[dict[str, Any]]
    calls: list[dict[str, Any]]

    @classmethod
    def of(cls, decided: Decided) -> Self:
        """Return a decision as the API shows it."""
        decision = decided.decision
        return cls(
            action=decision.action,
            arguments=clean(decision.arguments),
            call=clean(decision.call_text),
            reason=clean(decision.reason),
            confidence=decision.confidence,
            asks=decision.asks,
            why=str(decision.why),
            brain=decision.brain,
            case_digest=decision.case_digest,
            catalogue_digest=decision.catalogue_digest,
            settings_digest=decision.settings_digest,
            tokens=tokens_of(decision),
            milliseconds=decided.milliseconds,
            case=clean(msgspec.to_builtins(decided.case)),
            **clean(evidence(decision, decided.menu)),
        )


class TrialPage(BaseModel):
    """What would be decided on each alert that was given."""

    items: list[TrialView]


def _columns(row: Any) -> dict[str, Any]:
    """Return the columns of a decision as the API shows them."""
    arguments = msgspec.json.decode(row.arguments)
    inside = ", ".join(f"{name}={value}" for name, value in arguments.items())
    return {
        **{name: getattr(row, name) for name in SAME},
        "incident": row.incident_id,
        "at": to_iso(row.at) or "",
        "problems": msgspec.json.decode(row.problems),
        "arguments": arguments,
        "call": f"{row.action}({inside})",
        "asks": bool(row.asks),
        "shadow": bool(row.is_shadow),
        "beside": row.beside or None,
        "agrees": None if row.agrees is None else bool(row.agrees),
    }
