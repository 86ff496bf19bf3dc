"""Tokens as the API takes and shows them."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.access.tokens import DEFAULT_DAYS, MOST_DAYS, Order
from app.api.speech import Id, Name
from app.core.clock import to_iso
from app.models.account import Role, Token

MOST_NAMED = 100
Names = Annotated[list[Name], Field(max_length=MOST_NAMED)]
EXAMPLE: JsonDict = {
    "account": 3,
    "label": "Alertmanager of the lab",
    "sources": ["alertmanager"],
    "days": 90,
}


class TokenBody(BaseModel):
    """The token that somebody wants."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [EXAMPLE]}
    )

    account: Id = Field(description="whose it is to be")
    label: Name = Field(description="what it is for")
    role: Role = Field(Role.VIEWER, description="what it may do at most")
    teams: Names = Field(
        [], description="whose incidents it sees; empty: what its account sees"
    )
    sources: Names = Field(
        [],
        description="for which sources it opens the door; when there are any"
        " it opens nothing else",
    )
    days: int | None = Field(
        DEFAULT_DAYS,
        ge=1,
        le=MOST_DAYS,
        description="how long it lives; null: until it is revoked",
    )

    def to_order(self) -> Order:
        """Return what is wanted, each name once."""
        return Order(
            account=self.account,
            label=self.label,
            role=self.role,
            teams=tuple(dict.fromkeys(self.teams)),
            sources=tuple(dict.fromkeys(self.sources)),
            days=self.days,
        )


class TokenView(BaseModel):
    """A token, without itself."""

    id: int
    account: int
    owner: str = Field(description="the account's name")
    label: str
    role: str
    teams: list[str]
    sources: list[str]
    created_at: str
    created_by: str
    expires_at: str | None = Field(description="null: when it is revoked")
    used_at: str | None = Field(description="to the minute; null: never")
    revoked_at: str | None

    @classmethod
    def of(cls, token: Token, owner: str) -> Self:
        """Return a token as the API shows it."""
        return cls(
            id=token.id,
            account=token.account_id,
            owner=owner,
            label=token.label,
            role=token.role,
            teams=list(token.teams),
            sources=list(token.sources),
            created_at=to_iso(token.created_at) or "",
            created_by=token.created_by,
            expires_at=to_iso(token.expires_at),
            used_at=to_iso(token.used_at),
            revoked_at=to_iso(token.revoked_at),
        )


class MadeView(BaseModel):
    """A new token; what it is, is shown this once and kept nowhere."""

    token: TokenView
    secret: str = Field(description="what a program sends; keep it safe")


class TokenPage(BaseModel):
    """Some tokens, newest first."""

    items: list[TokenView]
    next: str | None = Field(description="the address of the next page")
