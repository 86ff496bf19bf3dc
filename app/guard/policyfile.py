"""What the policy file says, with the default of each part.

A part that is left out is as it is here; config/policy.yaml spells it all
out, and a test holds that both mean the same.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.guard.calendars import Window
from app.guard.durations import Seconds
from app.models.action import Risk
from app.models.alert import Severity
from app.models.approval import known_as
from app.models.ruling import Mode
from app.models.timetable import find_zone

NAME = r"^[a-z][a-z0-9_-]{1,47}$"
Name = Annotated[str, Field(pattern=NAME)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,47}$")]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Reason = Annotated[str, Field(min_length=3, max_length=400)]
Words = Annotated[tuple[Word, ...], Field(max_length=200)]
Day = Annotated[Seconds, Field(le=86_400)]
CHANGING = (Risk.REVERSIBLE, Risk.DISRUPTIVE, Risk.DESTRUCTIVE)
Per = Literal["action", "target", "team", "environment"]


class Part(BaseModel):
    """Base of every part: frozen, and nothing unknown in it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )


class AskPart(Part):
    """Whom to ask, and how.

    Attributes:
        whom: names of people; none for anybody who may answer.
        people: how many must grant it.
        for_: how long the question waits.
    """

    whom: Words = ()
    people: Literal[1, 2] = 1
    for_: Day = Field(900, alias="for")

    @model_validator(mode="after")
    def _is_answerable(self) -> Self:
        """Refuse a question that nobody could ever grant."""
        if self.whom and len({*map(known_as, self.whom)}) < self.people:
            raise ValueError("asks for more people than it names")
        return self


class RulePart(Part):
    """One rule; what is left out of it fits everything."""

    name: Name
    reason: Reason
    actions: Words = ()
    risks: tuple[Risk, ...] = ()
    environments: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    sources: Words = ()
    severities: tuple[Severity, ...] = ()
    when: Annotated[str, Field(min_length=1, max_length=2_000)] = "true"
    outcome: Literal["allow", "ask", "deny", "escalate"]
    whom: Words | None = None
    people: Literal[1, 2] | None = None
    for_: Day | None = Field(None, alias="for")

    @model_validator(mode="after")
    def _asks_or_not(self) -> Self:
        """Refuse a rule that says whom to ask, and does not ask."""
        says = (self.whom, self.people, self.for_)
        if self.outcome != "ask" and any(one is not None for one in says):
            raise ValueError("whom, people and for belong to outcome ask")
        return self


class LadderPart(Part):
    """How far an action, or a risk, is trusted in an environment.

    Attributes:
        action: the action; empty: each.
        risk: of which risk; none: of any.
        environment: where; empty: anywhere.
        mode: how far.
        unsure: whether that holds, too, where the brain wants a person or
            does not say how sure it is.
    """

    action: str = ""
    risk: Risk | None = None
    environment: str = ""
    mode: Mode
    unsure: Literal["ask", "run"] = "ask"

    @model_validator(mode="after")
    def _is_narrow(self) -> Self:
        """Refuse to run what is unsure everywhere, or by a grant anyhow."""
        if self.unsure == "run" and not (
            self.mode is Mode.AUTO and self.environment
        ):
            raise ValueError("unsure: run needs mode auto and an environment")
        return self


class TrustPart(Part):
    """The ladder: the first line that fits says how far trust goes."""

    ladder: tuple[LadderPart, ...] = (
        # What only looks harms nobody, and people start with the evidence.
        LadderPart(risk=Risk.OBSERVE, mode=Mode.AUTO),
        LadderPart(
            risk=Risk.REVERSIBLE, environment="simulator", mode=Mode.AUTO
        ),
    )
    otherwise: Mode = Mode.APPROVE


class BudgetPart(Part):
    """How often something may run in a window.

    Attributes:
        name: of the budget.
        per: what has a budget of its own; nothing: all share one.
        runs: how often.
        window: in which time.
        risks: which risks are counted and limited; none: all.
        actions: which actions; only with per action.
    """

    name: Name
    per: tuple[Per, ...] = ()
    runs: Annotated[int, Field(ge=1, le=100_000)]
    window: Seconds
    risks: tuple[Risk, ...] = CHANGING
    actions: Words = ()

    @model_validator(mode="after")
    def _counts_what_it_limits(self) -> Self:
        """Refuse a budget that would count what it does not limit."""
        if self.actions and "action" not in self.per:
            raise ValueError("actions needs per: [action]")
        return self


BUDGETS = (
    BudgetPart(name="again", per=("action", "target"), runs=2, window=1_800),
    BudgetPart(name="action-hour", per=("action",), runs=10, window=3_600),
    BudgetPart(name="team-hour", per=("team",), runs=20, window=3_600),
    BudgetPart(name="hour", runs=30, window=3_600),
    BudgetPart(name="day", runs=100, window=86_400),
    BudgetPart(name="looking", runs=300, window=3_600, risks=(Risk.OBSERVE,)),
)


class BlastPart(Part):
    """How many targets one action may touch.

    Attributes:
        targets: so many in a window.
        share: or this share of the hosts of one role and environment ...
        least: ... but so many in any case.
        window: the window.
        siblings: from so many incidents with one problem, people are asked.
    """

    targets: Annotated[int, Field(ge=1, le=100_000)] = 5
    share: Annotated[float, Field(gt=0, le=1)] = 0.05
    least: Annotated[int, Field(ge=1, le=100_000)] = 2
    window: Seconds = 3_600
    siblings: Annotated[int, Field(ge=2, le=100_000)] = 10


class BreakerPart(Part):
    """When nothing runs any more, because too much of it did not help."""

    rate: Annotated[float, Field(gt=0, le=1)] = 0.3
    runs: Annotated[int, Field(ge=2, le=100_000)] = 10
    window: Seconds = 3_600


class ProtectedPart(Part):
    """What nothing unlocks; names with ``*`` and ``?``."""

    targets: Words = ()
    services: Words = ()
    processes: Words = ()


class EvidencePart(Part):
    """How old what a decision rests on may be.

    Attributes:
        decided: when nobody was asked.
        granted: when people granted it.
    """

    decided: Seconds = 900
    granted: Seconds = 3_600


RULES = (
    RulePart(
        name="destructive-needs-two",
        reason="What cannot be taken back needs two people.",
        risks=(Risk.DESTRUCTIVE,),
        outcome="ask",
        people=2,
    ),
)


class PolicyFile(Part):
    """All of it."""

    zone: str = "UTC"
    # Named so that a condition can say now.in_calendar.NAME.
    calendars: dict[Identifier, tuple[Window, ...]] = {}
    protected: ProtectedPart = ProtectedPart()
    evidence: EvidencePart = EvidencePart()
    ask: AskPart = AskPart()
    budgets: Annotated[tuple[BudgetPart, ...], Field(max_length=50)] = BUDGETS
    blast: BlastPart = BlastPart()
    breaker: BreakerPart = BreakerPart()
    rules: Annotated[tuple[RulePart, ...], Field(max_length=200)] = RULES
    trust: TrustPart = TrustPart()

    @model_validator(mode="after")
    def _zone_is_known(self) -> Self:
        """Refuse a time zone that there is not."""
        find_zone(self.zone)
        return self

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        """Refuse two rules, or two budgets, of one name."""
        for some in (self.rules, self.budgets):
            names = [one.name for one in some]
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"named twice: {', '.join(sorted(twice))}")
        return self
