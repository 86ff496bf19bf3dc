"""The policy: what is in force, what another would say, who earned trust."""

import threading
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from app.api import acting_examples as examples
from app.api.access import ReadAccess
from app.api.policy_views import (
    DryRunBody,
    DryRunView,
    PolicyView,
    TrustView,
)
from app.api.queries import TrustQuery
from app.bootstrap import Product
from app.core.errors import TooBusy
from app.engine.hindsight import DAY, choose_policy, find_trust, look_back

# A dry run computes: others must go on meanwhile.
MOST_RUNS = 2
REFUSALS: dict[int | str, dict[str, Any]] = {
    422: {"description": "It is no policy: it says all that is wrong."},
    503: {"description": "Others are trying policies already."},
}


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(ReadAccess(product.api_tokens))
    router = APIRouter(prefix="/api/v1", dependencies=[access])
    _add_reading(router, product)
    _add_dry_run(router, product)
    return router


def _shown(example: Any) -> dict[int | str, dict[str, Any]]:
    """Return what the page of the API says about an answer."""
    return {200: {"content": {"application/json": {"example": example}}}}


def _add_reading(router: APIRouter, product: Product) -> None:
    """Add the routes that show the policy and trust."""

    @router.get("/policy", responses=_shown(examples.POLICY), tags=["act"])
    def get_policy() -> PolicyView:
        """Show what code allows, as it is in force, and its warnings."""
        names = [spec.name for spec in product.catalogue.specs]
        return PolicyView.of(product.acting.guard.policy, names)

    @router.get("/trust", responses=_shown(examples.TRUST), tags=["act"])
    def get_trust(query: Annotated[TrustQuery, Query()]) -> TrustView:
        """Say which actions have earned the next step of the ladder."""
        since = max(0, product.clock.now() - query.days * DAY)
        found = product.reader.ask(lambda one: find_trust(one, since))
        return TrustView.of(found, since)


def _add_dry_run(router: APIRouter, product: Product) -> None:
    """Add the route that tries a policy."""
    places = threading.BoundedSemaphore(MOST_RUNS)

    @router.post("/policy/dry-run", responses=REFUSALS, tags=["act"])
    def try_policy(body: DryRunBody) -> DryRunView:
        """Put what was ruled before to another policy; nothing changes."""
        if not places.acquire(blocking=False):
            raise TooBusy(
                "policy",
                f"{MOST_RUNS} policies are tried already.",
                remedy="Wait for one to end.",
            )
        try:
            return dry_run(product, body)
        finally:
            places.release()


def dry_run(product: Product, body: DryRunBody) -> DryRunView:
    """Return what another policy would have said.

    Raises:
        Refused: it is none.
    """
    held = product.acting.guard.policy
    policy = choose_policy(held, body.policy)
    since = max(0, product.clock.now() - body.days * DAY)
    seen = look_back(product.reader, policy, since)
    names = [spec.name for spec in product.catalogue.specs]
    return DryRunView.of(seen, policy, held.version, names)
