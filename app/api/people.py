"""People: who may come in, what they may do, and where they are signed in."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from app.access import accounts
from app.access.accounts import By
from app.access.setup import to_link
from app.api.access import Allow, Who
from app.api.people_views import (
    AccountView,
    ChangeBody,
    EndedView,
    InvitedView,
    PeoplePage,
    PersonBody,
    SessionPage,
    SessionView,
)
from app.api.speech import RowId
from app.api.turns import Match, write
from app.bootstrap import Product
from app.models.account import Caller, Role
from app.store.accounts import invited, list_accounts
from app.store.ledger import Connection
from app.store.sessions import count_sessions, list_sessions

REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such account."},
    409: {
        "description": "Somebody else was first, the name is taken, or no "
        "admin would be left."
    },
}


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may = Depends(Allow(product.gate, Role.ADMIN))
    router = APIRouter(
        prefix="/api/v1/people",
        dependencies=[may],
        tags=["people"],
        responses=REFUSALS,
    )
    _add_accounts(router, product)
    _add_change(router, product)
    _add_ways(router, product)
    _add_endings(router, product)
    return router


def find_people(connection: Connection, now: int) -> PeoplePage:
    """Return all accounts as the API shows them."""
    return PeoplePage.of(
        list_accounts(connection),
        count_sessions(connection, now),
        invited(connection, now),
    )


def _base(product: Product, request: Request) -> str:
    """Return where people find this service."""
    url = product.gate.settings.public_url
    return url or f"{request.url.scheme}://{request.url.netloc}"


def _by(product: Product, who: Caller) -> By:
    """Return who does it, and when."""
    return By.of(who, product.clock.now())


def _add_accounts(router: APIRouter, product: Product) -> None:
    """Add the routes that list and make accounts."""

    @router.get("")
    def list_people() -> PeoplePage:
        """List who may come in."""
        find = partial(find_people, now=product.clock.now())
        return product.reader.ask(find)

    @router.post("", status_code=201)
    async def add_person(
        body: PersonBody, who: Who, request: Request, response: Response
    ) -> InvitedView:
        """Make an account; a person gets a link that holds once."""
        by = _by(product, who)
        work = partial(accounts.add, wish=body.to_wish(), by=by)
        account, secret = await write(product, work)
        response.headers["cache-control"] = "no-store"
        return InvitedView(
            account=AccountView.of(account, is_invited=bool(secret)),
            link=to_link(_base(product, request), secret),
        )


def _add_change(router: APIRouter, product: Product) -> None:
    """Add the route that changes an account."""

    @router.patch("/{account_id}")
    async def change_person(
        account_id: RowId,
        body: ChangeBody,
        match: Match,
        who: Who,
        response: Response,
    ) -> AccountView:
        """Change what somebody may do and see, or shut them out."""
        work = partial(
            accounts.change,
            number=account_id,
            wanted=body.to_change(match.version),
            by=_by(product, who),
            issuer=product.gate.settings.issuer,
        )
        account = await write(product, work)
        product.gate.forget()
        response.headers["etag"] = f'"{account.version}"'
        return AccountView.of(account)


def _add_ways(router: APIRouter, product: Product) -> None:
    """Add the routes about the ways in: a link, and where it led."""

    @router.post("/{account_id}/invite", status_code=201)
    async def invite(
        account_id: RowId, who: Who, request: Request, response: Response
    ) -> InvitedView:
        """Make a link that sets a password once; an earlier one is void."""

        def work(connection: Connection) -> InvitedView:
            """Make it, and read whose it is."""
            by = _by(product, who)
            secret = accounts.invite(connection, account_id, by)
            account = accounts.must_find(connection, account_id)
            return InvitedView(
                account=AccountView.of(account, is_invited=True),
                link=to_link(_base(product, request), secret),
            )

        response.headers["cache-control"] = "no-store"
        return await write(product, work)

    @router.get("/{account_id}/sessions")
    def get_sessions(account_id: RowId) -> SessionPage:
        """List where somebody is signed in."""

        def question(connection: Connection) -> SessionPage:
            """Find them, or refuse who is not there."""
            accounts.must_find(connection, account_id)
            now = product.clock.now()
            found = list_sessions(connection, account_id, now)
            return SessionPage(items=[SessionView.of(one) for one in found])

        return product.reader.ask(question)


def _add_endings(router: APIRouter, product: Product) -> None:
    """Add the routes that sign somebody out."""

    @router.delete("/{account_id}/sessions")
    async def end_sessions(account_id: RowId, who: Who) -> EndedView:
        """Sign somebody out everywhere; it holds within two seconds."""
        by = _by(product, who)
        work = partial(accounts.sign_out, number=account_id, by=by)
        ended = await write(product, work)
        product.gate.forget()
        return EndedView(ended=ended)

    @router.delete("/{account_id}/sessions/{session_id}")
    async def end_session(
        account_id: RowId, session_id: RowId, who: Who
    ) -> EndedView:
        """Sign somebody out in one browser; it holds within two seconds."""
        work = partial(
            accounts.sign_out,
            number=account_id,
            by=_by(product, who),
            session=session_id,
        )
        ended = await write(product, work)
        product.gate.forget()
        return EndedView(ended=ended)
