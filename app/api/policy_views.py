"""What the API shows of the policy, of a dry run, and of trust."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from app.core.clock import to_iso
from app.core.errors import ConfigProblem
from app.engine.hindsight import TRUST_ASSUMED, Hindsight, OnDisk
from app.guard.known import Known
from app.guard.policy import MOST_BYTES, Policy
from app.guard.trust import Standing

MOST_DAYS = 90
MOST_CHANGES = 200


class WarningView(BaseModel):
    """What is no error, and a mistake most likely."""

    where: str = Field(description="the file and its line")
    setting: str
    what: str
    remedy: str

    @classmethod
    def of(cls, problem: ConfigProblem) -> Self:
        """Return a problem without the folder of the file."""
        return cls(
            where=Path(problem.where).name,
            setting=problem.setting,
            what=problem.what,
            remedy=problem.remedy,
        )


class PolicyView(BaseModel):
    """What code allows, as it is in force."""

    version: str = Field(description="a digest of what it means")
    file: str = Field(description="the name of its file")
    zone: str = Field(description="of its hours and calendars")
    rules: list[dict[str, Any]] = Field(description="from top to bottom")
    trust: dict[str, Any] = Field(description="the ladder, and otherwise")
    budgets: list[dict[str, Any]]
    blast: dict[str, Any]
    breaker: dict[str, Any]
    protected: dict[str, Any]
    evidence: dict[str, Any]
    ask: dict[str, Any] = Field(description="whom, when a rule does not say")
    calendars: dict[str, Any]
    warnings: list[WarningView]

    @classmethod
    def of(cls, policy: Policy, known: Known) -> Self:
        """Return a policy as the API shows it.

        Args:
            policy: the policy.
            known: what there is to name.
        """
        says = policy.says.model_dump(mode="json", by_alias=True)
        return cls(
            version=policy.version,
            file=policy.source.path.name,
            warnings=[WarningView.of(w) for w in policy.warnings(known)],
            **says,
        )


class PolicyTextView(BaseModel):
    """The file of the policy as it is on disk now."""

    file: str = Field(description="its name; without one all is built in")
    text: str
    version: str = Field(description="of the file; empty: it is no policy")
    in_force: str = Field(description="the version that this node follows")
    wrong: str = Field(description="why it is no policy, or empty")

    @classmethod
    def of(cls, held: Policy, disk: OnDisk) -> Self:
        """Return the file beside the policy in force."""
        return cls(
            file=held.source.path.name,
            text=disk.text,
            version=disk.version,
            in_force=held.version,
            wrong=disk.wrong,
        )


class DryRunBody(BaseModel):
    """Which policy is tried, and on how many days."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"policy": "trust:\n  otherwise: suggest\n", "days": 7}
            ]
        },
    )

    policy: str = Field(
        "",
        max_length=MOST_BYTES,
        description="YAML; empty: the file as it is on disk now",
    )
    days: int = Field(7, ge=1, le=MOST_DAYS)


class ChangeView(BaseModel):
    """One motion that would be ruled otherwise."""

    ruling: int = Field(description="its number")
    incident: int
    action: str
    target: str
    was: str
    was_rule: str
    now: str
    now_rule: str
    reason: str


class DryRunView(BaseModel):
    """What another policy would have said; nothing was changed."""

    dry_run: bool = True
    policy: str = Field(description="the version of the other policy")
    in_force: str = Field(description="that of the one in force")
    since: str
    looked_at: int = Field(description="how many rulings were put to it")
    unread: int = Field(description="those of another release")
    is_cut: bool = Field(description="whether there were more: the newest")
    same: int
    moves: dict[str, int] = Field(description="how often: ask -> allow")
    changes: list[ChangeView] = Field(description="the first 200")
    warnings: list[WarningView]
    assumed: list[str] = Field(description="what it takes for granted")

    @classmethod
    def of(
        cls,
        seen: Hindsight,
        policy: Policy,
        held: Policy,
        known: Known,
    ) -> Self:
        """Return a dry run as the API shows it."""
        found = seen.replayed
        changes = [
            ChangeView(ruling=one.id, **_without_id(one))
            for one in found.changes[:MOST_CHANGES]
        ]
        return cls(
            policy=found.policy,
            in_force=held.version,
            since=to_iso(seen.since) or "",
            looked_at=found.looked_at,
            unread=seen.unread,
            is_cut=seen.is_cut,
            same=found.same,
            moves=found.moves,
            changes=changes,
            warnings=[WarningView.of(w) for w in policy.warnings(known)],
            assumed=seen.assumed,
        )


class StandingView(BaseModel):
    """How far one action may be trusted in one environment."""

    action: str
    environment: str
    mode: str = Field(description="how far it is trusted")
    answers: int = Field(description="how often people agreed or did not")
    agreed: int
    rate: float | None
    low: float = Field(description="of the interval of 95 %")
    high: float
    fixed: int = Field(description="how many runs helped")
    not_fixed: int
    unknown: int
    earned: str = Field(description="the next step, or empty")
    why: str


class TrustView(BaseModel):
    """Which actions have earned the next step."""

    since: str
    items: list[StandingView]
    assumed: list[str] = Field(description="what it takes for granted")

    @classmethod
    def of(cls, standings: Sequence[Standing], since: int) -> Self:
        """Return a report as the API shows it."""
        return cls(
            since=to_iso(since) or "",
            items=[
                StandingView(**msgspec.structs.asdict(one))
                for one in standings
            ],
            assumed=list(TRUST_ASSUMED),
        )


def _without_id(change: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a change but its number."""
    fields = msgspec.structs.asdict(change)
    return {name: one for name, one in fields.items() if name != "id"}
