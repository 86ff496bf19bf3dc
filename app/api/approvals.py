"""Approvals: questions to people, and what they answer; never by GET."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api import acting_examples as examples
from app.api.access import Allow, Who, signed
from app.api.approval_views import (
    AnswerBody,
    ApprovalDetail,
    ApprovalPage,
    ApprovalView,
    EditBody,
)
from app.api.paging import RowId, find_page, must_find, show
from app.api.queries import ApprovalQuery
from app.api.tagged import TaggedRoute, known_tags, shown
from app.api.turns import Match, write
from app.bootstrap import Product
from app.models.account import Role
from app.models.approval import Answer
from app.store.approvals import APPROVALS, find_approval, find_votes
from app.store.decisions import find_decision
from app.store.ledger import Connection

REFUSALS: dict[int | str, dict[str, Any]] = {
    403: {"description": "This person is not asked, or proposed it."},
    404: {"description": "There is no such approval."},
    409: {
        "description": "It was answered, has expired or has started already: "
        "it says so, and nothing was changed."
    },
}


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    may_read = Depends(Allow(product.gate, Role.VIEWER))
    may_answer = Depends(Allow(product.gate, Role.APPROVER))
    router = APIRouter(prefix="/api/v1")
    reading = APIRouter(
        dependencies=[may_read, Depends(known_tags)],
        tags=["read"],
        route_class=TaggedRoute,
    )
    _add_lists(reading, product)
    router.include_router(reading)
    answering = APIRouter(
        dependencies=[may_answer], tags=["act"], responses=REFUSALS
    )
    _add_answers(answering, product)
    _add_edit(answering, product)
    router.include_router(answering)
    return router


def find_whole(connection: Connection, number: int) -> ApprovalDetail | None:
    """Return a question with its answers, None when there is none."""
    asked = find_approval(connection, number)
    if asked is None:
        return None
    votes = find_votes(connection, number)
    decision = find_decision(connection, asked.decision_id)
    return ApprovalDetail.whole(asked, votes, decision)


def _add_lists(router: APIRouter, product: Product) -> None:
    """Add the routes that show approvals."""
    reader = product.reader

    @router.get("/approvals", responses=shown(examples.APPROVALS))
    def list_approvals(
        request: Request, query: Annotated[ApprovalQuery, Query()]
    ) -> ApprovalPage:
        """List what people were asked, newest first."""
        page = find_page(reader, APPROVALS, query, request)
        return ApprovalPage(**show(page, ApprovalView.of))

    @router.get(
        "/approvals/{approval_id}", responses=shown(examples.APPROVAL_DETAIL)
    )
    def get_approval(approval_id: RowId) -> ApprovalDetail:
        """Show one question with its answers, and where to look."""
        found = reader.ask(lambda one: find_whole(one, approval_id))
        return must_find(found, "approval", "approvals", approval_id)


class Look:
    """Who looked at which version of what; a FastAPI dependency."""

    def __init__(self, approval_id: RowId, match: Match, who: Who) -> None:
        """Take it as it came."""
        self.number = approval_id
        self.version = match.version
        self.who = who


Looked = Annotated[Look, Depends()]


class Answering:
    """Takes answers to the keeper."""

    def __init__(self, product: Product) -> None:
        """Take whom to ask."""
        self._product = product

    async def take(
        self,
        seen: Look,
        answer: Answer,
        body: AnswerBody,
        response: Response,
    ) -> ApprovalView:
        """Have an answer taken; return what became of the question.

        Args:
            seen: the approval, its version that was looked at, by whom.
            answer: what is answered.
            body: who answers, and why.
            response: gets the new version.
        """
        body = signed(body, seen.who)
        reply = body.to_reply(seen.number, answer, seen.version)
        work = partial(self._product.acting.approving.take, reply=reply)
        view = ApprovalView.of(await write(self._product, work))
        response.headers["etag"] = f'"{view.version}"'
        return view


def _add_answers(router: APIRouter, product: Product) -> None:
    """Add the routes by which people answer."""
    answering = Answering(product)

    @router.post("/approvals/{approval_id}/grant")
    async def grant(
        seen: Looked, body: AnswerBody, response: Response
    ) -> ApprovalView:
        """Let it be done; the guard rules once more before it starts."""
        return await answering.take(seen, Answer.GRANT, body, response)

    @router.post("/approvals/{approval_id}/refuse")
    async def refuse(
        seen: Looked, body: AnswerBody, response: Response
    ) -> ApprovalView:
        """Say no; people get the incident, and nothing is done."""
        return await answering.take(seen, Answer.REFUSE, body, response)

    @router.post("/approvals/{approval_id}/withdraw")
    async def withdraw(
        seen: Looked, body: AnswerBody, response: Response
    ) -> ApprovalView:
        """Take a grant back, as long as nothing has started."""
        return await answering.take(seen, Answer.WITHDRAW, body, response)


def _add_edit(router: APIRouter, product: Product) -> None:
    """Add the route by which people want something else."""
    answering = Answering(product)

    @router.post("/approvals/{approval_id}/edit")
    async def edit(
        seen: Looked, body: EditBody, response: Response
    ) -> ApprovalView:
        """Want other arguments: another decision, which is ruled on anew."""
        return await answering.take(seen, Answer.EDIT, body, response)
