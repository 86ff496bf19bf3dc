"""What the API shows of accounts and sessions, and what it takes."""

from collections.abc import Collection, Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from app.access.accounts import Change, Wish
from app.api.speech import Name
from app.core.clock import to_iso
from app.models.account import Account, Caller, Nature, Role, Session

MOST_TEAMS = 50
Teams = Annotated[list[Name], Field(max_length=MOST_TEAMS)]
# Longer than any name, so that a wrong one is told by its own refusal.
Typed = Annotated[str, Field(max_length=200)]
Password = Annotated[str, Field(max_length=1_000)]


class SignInBody(BaseModel):
    """Who wants to come in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "ana", "password": "a long sentence"}]
        },
    )

    name: Typed
    password: Password


class PasswordBody(BaseModel):
    """A new password, and that one knows the old one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"old": "a long sentence", "new": "a longer one !"}]
        },
    )

    old: Password
    new: Password


class SetupBody(BaseModel):
    """What a link lets somebody set."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"token": "...", "name": "ana", "password": "a long sentence"}
            ]
        },
    )

    token: Typed = Field(description="what the link holds")
    name: Typed = Field("", description="of the admin to be made")
    password: Password


class MeView(BaseModel):
    """Who one is here."""

    name: str = Field(description="empty: one says it with each call")
    role: Role
    teams: list[str] = Field(description="whose incidents; empty: all")
    way: str = Field(description="session, token, settings or local")
    expires_at: str | None = Field(description="when the session is over")
    open: bool = Field(description="whether this machine needs no account")

    @classmethod
    def of(cls, caller: Caller, ends_at: int | None, *, is_open: bool) -> Self:
        """Return who asks, as the API shows it."""
        return cls(
            name=caller.name,
            role=caller.role,
            teams=list(caller.teams),
            way=caller.way,
            expires_at=to_iso(ends_at),
            open=is_open,
        )


class PersonBody(BaseModel):
    """An account to be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "ben", "role": "responder", "teams": []}]
        },
    )

    name: Typed = Field(description="a-z, 0-9 and . _ @ + - between them")
    nature: Nature = Nature.PERSON
    role: Role = Role.VIEWER
    teams: Teams = Field([], description="whose incidents; empty: all")

    def to_wish(self) -> Wish:
        """Return the account that is wanted."""
        return Wish(
            name=self.name,
            nature=self.nature,
            role=self.role,
            teams=tuple(dict.fromkeys(self.teams)),
        )


class ChangeBody(BaseModel):
    """What is to change of an account; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"role": "approver"}]},
    )

    role: Role | None = None
    teams: Teams | None = None
    is_disabled: bool | None = None

    def to_change(self, version: int | None) -> Change:
        """Return what is wanted."""
        teams = self.teams
        return Change(
            role=self.role,
            teams=None if teams is None else tuple(dict.fromkeys(teams)),
            is_disabled=self.is_disabled,
            version=version,
        )


class AccountView(BaseModel):
    """One who may come in."""

    id: int
    version: int
    name: str
    nature: Nature
    role: Role
    teams: list[str]
    is_disabled: bool
    has_password: bool
    has_oidc: bool
    is_invited: bool = Field(description="whether a link waits for them")
    sessions: int = Field(description="how many browsers are signed in")
    created_at: str
    created_by: str

    @classmethod
    def of(
        cls, account: Account, sessions: int = 0, *, is_invited: bool = False
    ) -> Self:
        """Return an account as the API shows it."""
        return cls(
            id=account.id,
            version=account.version,
            name=account.name,
            nature=Nature(account.nature),
            role=Role(account.role),
            teams=list(account.teams),
            is_disabled=account.is_disabled,
            has_password=bool(account.secret),
            has_oidc=bool(account.subject),
            is_invited=is_invited,
            sessions=sessions,
            created_at=to_iso(account.created_at) or "",
            created_by=account.created_by,
        )


class PeoplePage(BaseModel):
    """All accounts, by name."""

    items: list[AccountView]

    @classmethod
    def of(
        cls,
        accounts: Sequence[Account],
        sessions: dict[int, int],
        invited: Collection[int],
    ) -> Self:
        """Return accounts with what waits for them."""
        return cls(
            items=[
                AccountView.of(
                    one,
                    sessions.get(one.id, 0),
                    is_invited=one.id in invited,
                )
                for one in accounts
            ]
        )


class InvitedView(BaseModel):
    """An account, and the link that lets its person in, shown this once."""

    account: AccountView
    link: str = Field(description="holds once, for 7 days; or empty")


class SessionView(BaseModel):
    """One browser that is signed in."""

    id: int
    way: str
    agent: str
    created_at: str
    seen_at: str
    expires_at: str

    @classmethod
    def of(cls, session: Session) -> Self:
        """Return a session as the API shows it."""
        return cls(
            id=session.id,
            way=session.way,
            agent=session.agent,
            created_at=to_iso(session.created_at) or "",
            seen_at=to_iso(session.seen_at) or "",
            expires_at=to_iso(session.expires_at) or "",
        )


class SessionPage(BaseModel):
    """The sessions of an account, the newest first."""

    items: list[SessionView]


class EndedView(BaseModel):
    """How many sessions were ended."""

    ended: int
