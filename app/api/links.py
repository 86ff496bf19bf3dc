"""Looking closer at one line: its link of the chain, its ruling today."""

from typing import Any, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from app.api.access import Allow
from app.api.paging import RowId, must_find
from app.bootstrap import Product
from app.core.errors import Refused
from app.engine.hindsight import rule_again
from app.models.account import Role
from app.store.chaining import Link, find_link
from app.store.rulings import PastRuling, find_ruling

LINK: dict[str, Any] = {
    "entry": 17,
    "hash": "9f0c" * 16,
    "before": "41d2" * 16,
    "sealed": "9f0c" * 16,
    "fits_before": True,
    "fits_after": True,
    "holds": True,
    "says": "It fits the entry before it, and the next one fits it.",
}
TODAY: dict[str, Any] = {
    "ruling": 5,
    "policy": "3f9a1c0b",
    "was": "ask",
    "was_rule": "prod-restart",
    "was_policy": "b01d77aa",
    "now": "allow",
    "now_rule": "trust:auto",
    "reason": "Nothing speaks against it.",
    "is_same": False,
}


class LinkView(BaseModel):
    """One entry between its neighbours in the chain."""

    entry: int
    hash: str
    before: str = Field(description="the hash before it; empty: cut off")
    sealed: str = Field(description="the hash that its words have now")
    fits_before: bool | None = Field(description="null: it cannot be told")
    fits_after: bool | None = Field(description="null: it is the last one")
    holds: bool = Field(description="whether nothing speaks against it")
    says: str

    @classmethod
    def of(cls, link: Link) -> Self:
        """Return a link as the API shows it."""
        return cls(
            entry=link.entry,
            hash=link.hash,
            before=link.before,
            sealed=link.sealed,
            fits_before=link.fits_before,
            fits_after=link.fits_after,
            holds=link.holds,
            says=_say(link),
        )


class TodayView(BaseModel):
    """What the policy in force would say to a motion of the past."""

    ruling: int
    policy: str = Field(description="the version in force")
    was: str
    was_rule: str
    was_policy: str
    now: str = Field(description="the same as was when is_same")
    now_rule: str = Field(description="empty when is_same")
    reason: str
    is_same: bool


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(prefix="/api/v1", dependencies=[access])

    @router.get("/log/{entry_id}/chain", responses=_shown(LINK), tags=["read"])
    def get_link(entry_id: RowId) -> LinkView:
        """Say whether one line of the log fits those beside it."""
        found = product.reader.ask(lambda one: find_link(one, entry_id))
        return LinkView.of(must_find(found, "entry", "log", entry_id))

    @router.get(
        "/rulings/{ruling_id}/today", responses=_shown(TODAY), tags=["act"]
    )
    def get_today(ruling_id: RowId) -> TodayView:
        """Put the motion of a ruling to the policy in force; nothing runs."""
        found = product.reader.ask(lambda one: find_ruling(one, ruling_id))
        past = must_find(found, "ruling", "log", ruling_id)
        return rule_today(product, past)

    return router


def rule_today(product: Product, past: PastRuling) -> TodayView:
    """Return what the policy in force says to a motion of the past.

    Raises:
        Refused: this release cannot read the motion any more.
    """
    if past.body is None:
        raise Refused(
            409,
            "unreadable",
            f"Ruling {past.id} was written by another release.",
            field="ruling_id",
            remedy="Read its entry of the log: it says what was ruled.",
        )
    found = rule_again(product.reader, product.acting.guard, past)
    change = next(iter(found.changes), None)
    return TodayView(
        ruling=past.id,
        policy=found.policy,
        was=past.outcome,
        was_rule=past.rule,
        was_policy=past.policy,
        now=change.now if change else past.outcome,
        now_rule=change.now_rule if change else "",
        reason=change.reason if change else "",
        is_same=change is None,
    )


def _say(link: Link) -> str:
    """Return what was found, in a sentence."""
    if link.fits_before is False:
        return "It is NOT what was written: its words have another hash."
    if link.fits_after is False:
        return (
            "It fits the entry before it, but the next one does NOT fit it:"
            " that one was changed, or this hash."
        )
    if link.fits_before is None:
        return "What was before it is cut off by age; its hash is not known."
    if link.fits_after is None:
        return "It fits the entry before it; it is the last one."
    return "It fits the entry before it, and the next one fits it."


def _shown(example: Any) -> dict[int | str, dict[str, Any]]:
    """Return what the page of the API says about an answer."""
    return {200: {"content": {"application/json": {"example": example}}}}
