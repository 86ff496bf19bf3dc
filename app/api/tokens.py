"""The tokens of programs: make, list, revoke."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Allow, Who
from app.api.speech import RowId
from app.api.token_views import MadeView, TokenBody, TokenPage, TokenView
from app.api.turns import write
from app.bootstrap import Product
from app.core.numbers import LAST_ID
from app.models.account import Role
from app.store.tokens import Named, find_page

MOST_ON_A_PAGE = 200
REFUSALS: dict[int | str, dict[str, Any]] = {
    403: {"description": "It would do more than you may."},
    404: {"description": "There is no such account or token."},
    409: {"description": "There are too many."},
}


class PageQuery(BaseModel):
    """Which part of a list is wanted."""

    model_config = ConfigDict(extra="forbid")

    before: int | None = Field(
        None, ge=1, le=LAST_ID, description="only ids below this one"
    )
    limit: int = Field(50, ge=1, le=MOST_ON_A_PAGE)


class TokenQuery(PageQuery):
    """What the list takes."""

    account: int | None = Field(
        None, ge=1, le=LAST_ID, description="only those of one account"
    )


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may = Depends(Allow(product.gate, Role.ADMIN))
    router = APIRouter(
        prefix="/api/v1/tokens", dependencies=[may], tags=["people"]
    )
    _add_reading(router, product)
    _add_writing(router, product)
    return router


def _add_reading(router: APIRouter, product: Product) -> None:
    """Add the list."""

    @router.get("")
    def list_tokens(
        request: Request, query: Annotated[TokenQuery, Query()]
    ) -> TokenPage:
        """List tokens, newest first; what they are is not shown again."""
        return show_page(product, request, query, query.account)


def _add_writing(router: APIRouter, product: Product) -> None:
    """Add the routes that make and revoke."""
    keys = product.access.keys

    @router.post("", status_code=201, responses=REFUSALS)
    async def post_token(
        body: TokenBody, who: Who, response: Response
    ) -> MadeView:
        """Make a token; the answer is the only one that shows it."""
        work = partial(keys.tokens.make, order=body.to_order(), caller=who)
        made = await write(product, work)
        await keys.locksmith.look()
        response.headers["cache-control"] = "no-store"
        view = TokenView.of(made.token, made.owner)
        return MadeView(token=view, secret=made.secret)

    @router.delete("/{token_id}", responses=REFUSALS)
    async def delete_token(token_id: RowId, who: Who) -> TokenView:
        """Revoke a token; it opens nothing more, on any node, in seconds."""
        work = partial(keys.tokens.revoke, number=token_id, caller=who)
        revoked = await write(product, work)
        await keys.locksmith.look()
        return TokenView.of(revoked.token, revoked.owner)


def show_page(
    product: Product, request: Request, query: PageQuery, account: int | None
) -> TokenPage:
    """Return a page of the tokens of an account, or of all."""
    question = partial(
        find_page,
        account=account,
        before=query.before,
        limit=query.limit + 1,
    )
    found: list[Named] = product.reader.ask(question)
    following = None
    if len(found) > query.limit:
        last = found[query.limit - 1].token.id
        url = request.url.include_query_params(before=last)
        following = f"{url.path}?{url.query}"
    return TokenPage(
        items=[
            TokenView.of(one.token, one.owner) for one in found[: query.limit]
        ],
        next=following,
    )
