"""The policy: what is in force, what another would say, who earned trust."""

import threading
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from app.api import acting_examples as examples
from app.api.access import Allow
from app.api.policy_views import (
    DryRunBody,
    DryRunView,
    PolicyTextView,
    PolicyView,
    TrustView,
)
from app.api.queries import TrustQuery
from app.api.sight import OfTeams
from app.bootstrap import Product
from app.core.errors import TooBusy
from app.engine.hindsight import (
    DAY,
    choose_policy,
    find_trust,
    look_back,
    read_disk,
)
from app.models.account import Role
from app.store.teams import Teams

TEXT = {
    "file": "policy.yaml",
    "text": "trust: {otherwise: suggest}\n",
    "version": "41f2a8d06be19c35",
    "in_force": "8d0be1f0c2a94410",
    "wrong": "",
}
# A dry run computes: others must go on meanwhile.
MOST_RUNS = 2
REFUSALS: dict[int | str, dict[str, Any]] = {
    422: {"description": "It is no policy: it says all that is wrong."},
    503: {"description": "Others are trying policies already."},
}


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may_read = Depends(Allow(product.gate, Role.VIEWER))
    may_try = Depends(Allow(product.gate, Role.RESPONDER))
    router = APIRouter(prefix="/api/v1")
    reading = APIRouter(dependencies=[may_read])
    _add_reading(reading, product)
    router.include_router(reading)
    trying = APIRouter(dependencies=[may_try])
    _add_text(trying, product)
    _add_dry_run(trying, product)
    router.include_router(trying)
    return router


def _shown(example: Any) -> dict[int | str, dict[str, Any]]:
    """Return what the page of the API says about an answer."""
    return {200: {"content": {"application/json": {"example": example}}}}


def _add_reading(router: APIRouter, product: Product) -> None:
    """Add the routes that show the policy and trust."""

    @router.get("/policy", responses=_shown(examples.POLICY), tags=["act"])
    def get_policy() -> PolicyView:
        """Show what code allows, as it is in force, and its warnings."""
        guard = product.acting.guard
        return PolicyView.of(guard.policy, guard.known)

    @router.get("/trust", responses=_shown(examples.TRUST), tags=["act"])
    def get_trust(
        query: Annotated[TrustQuery, Query()], teams: OfTeams
    ) -> TrustView:
        """Say which actions have earned the next step of the ladder."""
        since = max(0, product.clock.now() - query.days * DAY)
        found = product.reader.ask(lambda one: find_trust(one, since, teams))
        return TrustView.of(found, since)


def _add_text(router: APIRouter, product: Product) -> None:
    """Add the route that gives the file to whoever may try another one."""

    @router.get("/policy/text", responses=_shown(TEXT), tags=["act"])
    def get_text() -> PolicyTextView:
        """Give the file as it is on disk now, to be changed and tried."""
        held = product.acting.guard.policy
        return PolicyTextView.of(held, read_disk(held))


def _add_dry_run(router: APIRouter, product: Product) -> None:
    """Add the route that tries a policy."""
    places = threading.BoundedSemaphore(MOST_RUNS)

    @router.post("/policy/dry-run", responses=REFUSALS, tags=["act"])
    def try_policy(body: DryRunBody, teams: OfTeams) -> DryRunView:
        """Put what was ruled before to another policy; nothing changes."""
        if not places.acquire(blocking=False):
            raise TooBusy(
                "policy",
                f"{MOST_RUNS} policies are tried already.",
                remedy="Wait for one to end.",
            )
        try:
            return dry_run(product, body, teams)
        finally:
            places.release()


def dry_run(
    product: Product, body: DryRunBody, teams: Teams = ()
) -> DryRunView:
    """Return what another policy would have said.

    Args:
        product: whose policy is in force.
        body: the other one.
        teams: only about their incidents; none: about all.

    Raises:
        Refused: it is none.
    """
    guard = product.acting.guard
    held = guard.policy
    policy = choose_policy(held, body.policy)
    since = max(0, product.clock.now() - body.days * DAY)
    seen = look_back(product.reader, policy, since, teams)
    return DryRunView.of(seen, policy, held, guard.known)
