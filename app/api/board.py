"""The board: who must act, in one answer about one moment."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Allow, Who
from app.api.acting_examples import APPROVAL, BRIEF, JOB
from app.api.board_views import BoardView, JobBrief, QuestionBrief
from app.api.examples import INCIDENT
from app.api.sharing import Answer, Answers
from app.api.tagged import TaggedRoute, known_tags, shown
from app.bootstrap import Product
from app.core.numbers import LAST_ID
from app.models.account import Role
from app.models.action import ActionSpec
from app.store.board import find_board

HOUR = 3_600_000_000
MINUTE = 60_000_000
ROW: dict[str, Any] = {
    **INCIDENT,
    "team": "shop",
    "owner": "",
    "acknowledged_by": "",
    "acknowledged_at": None,
    "mission": {**BRIEF, "stage": "awaiting_approval"},
    "call": APPROVAL["call"],
    "confidence": 0.93,
    "said": "The disk fills up, and old logs may go.",
    "stands": APPROVAL["reason"],
    "question": {
        name: {**APPROVAL, "risk": "destructive", "undo": ""}[name]
        for name in QuestionBrief.model_fields
    },
    "run": {
        name: {**JOB, "line": "removed 214 files, 18.2 GiB"}[name]
        for name in JobBrief.model_fields
    },
    "alerts": 3,
    "merged": 0,
    "apart": {"mountpoint": ["/var", "/var/log"]},
    "points": [93.0, 93.4],
}
EXAMPLE: dict[str, Any] = {
    "seq": 412,
    "at": "2026-11-21T03:12:09Z",
    "since": "2026-11-20T15:12:00Z",
    "needs_you": {"items": [ROW], "count": 1, "is_exact": True},
    "acting": {"items": [], "count": 0, "is_exact": True},
    "watching": {"items": [], "count": 0, "is_exact": True},
    "fixed": 17,
    "handed_over": 1,
    "suppressed": 5,
    "living": 1,
    "firing": 3,
}


class BoardQuery(BaseModel):
    """How much of the board."""

    model_config = ConfigDict(extra="forbid")

    hours: int = Field(
        12, ge=1, le=168, description="so far back is counted what is over"
    )
    limit: int = Field(50, ge=1, le=200, description="rows of each lane")
    after: int = Field(
        0,
        ge=0,
        le=LAST_ID,
        description="the last entry that the caller has heard of: an answer "
        "that knows it may be a second old",
    )


class Boards:
    """Makes boards; whoever asks for what another has just got shares it."""

    def __init__(self, product: Product) -> None:
        """Take where to read, and what actions there are."""
        self._product = product
        self._answers = Answers(product.clock)

    def find(self, query: BoardQuery, teams: tuple[str, ...]) -> Answer:
        """Return the board as somebody of some teams sees it."""
        key = (tuple(sorted(teams)), query.hours, query.limit)
        make = partial(self._make, query, teams)
        return self._answers.find(key, query.after, make)

    def _make(
        self, query: BoardQuery, teams: tuple[str, ...], now: int
    ) -> BoardView:
        """Return the board as it is now."""
        # To the minute, so that what did not change has the same tag.
        since = (now - query.hours * HOUR) // MINUTE * MINUTE
        board = self._product.reader.ask(
            partial(find_board, since=since, most=query.limit, teams=teams)
        )
        return BoardView.of(board, (since, now), self._spec)

    def _spec(self, name: str) -> ActionSpec | None:
        """Return what an action is declared as."""
        return self._product.catalogue.find(name)


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(Allow(product.gate, Role.VIEWER))
    router = APIRouter(
        prefix="/api/v1",
        dependencies=[access, Depends(known_tags)],
        tags=["read"],
        route_class=TaggedRoute,
    )
    boards = Boards(product)

    @router.get("/board", response_model=BoardView, responses=shown(EXAMPLE))
    def get_board(query: Annotated[BoardQuery, Query()], who: Who) -> Response:
        """Say who must act: people, the machine, or nobody for now."""
        return boards.find(query, who.teams).to(who)

    return router
