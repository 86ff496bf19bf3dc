"""Accounts: who may come in, what each may do, and what each may see.

Pure rules and plain rows; the store keeps them, app/access checks them.
"""

import hashlib
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = "viewer"  # sees
    RESPONDER = "responder"  # says, mutes, ends a job, pauses everything
    APPROVER = "approver"  # grants, refuses, proposes, resumes
    ADMIN = "admin"  # brains, people, tokens, the simulator

    def covers(self, needed: "Role") -> bool:
        """Tell whether whoever has this may do what needs another."""
        order = tuple(Role)
        return order.index(self) >= order.index(needed)


class Nature(StrEnum):
    """What an account stands for."""

    PERSON = "person"  # signs in, with a password or through OIDC
    SERVICE = "service"  # a program: it has tokens only


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One who may come in; the columns say what.

    Attributes:
        id: its number.
        version: rises with every change.
        name: what it is called, and signs with; unique, never changed.
        nature: a person or a service.
        role: what it may do.
        teams: whose incidents it sees; none: all.
        secret: the password as scrypt keeps it, or empty.
        subject: issuer and subject of OIDC, or empty.
        is_disabled: whether it is kept out.
        created_at: since when it is there.
        created_by: who made it.
    """

    id: int = 0
    version: int = 1
    name: str
    nature: str = Nature.PERSON.value
    role: str = Role.VIEWER.value
    teams: tuple[str, ...] = ()
    secret: str = ""
    subject: str = ""
    is_disabled: bool = False
    created_at: int = 0
    created_by: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser that is signed in.

    Attributes:
        id: its number; what a person revokes it by.
        digest: SHA-256 of what the cookie holds; that itself is nowhere.
        account_id: who.
        way: password or oidc.
        agent: what the browser calls itself, shortened.
        created_at: when they signed in.
        seen_at: when it was used last, to the minute.
        expires_at: when it is over, whatever happens.
    """

    id: int = 0
    digest: str
    account_id: int
    way: str
    agent: str = ""
    created_at: int
    seen_at: int
    expires_at: int


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a program shows; a token never may more than its account.

    Attributes:
        id: its number.
        digest: SHA-256 of the token; that itself was shown once.
        account_id: whose it is.
        label: what it is for.
        role: what it may do at most.
        teams: whose incidents it sees; none: what its account sees.
        sources: for which sources it opens the door; when there are any it
            opens nothing else.
        created_at: since when.
        created_by: who made it.
        expires_at: until when, None: until it is revoked.
        used_at: when it was used last, to the minute; None: never.
        revoked_at: when it was revoked, or None.
    """

    id: int = 0
    digest: str
    account_id: int
    label: str
    role: str
    teams: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    created_at: int
    created_by: str
    expires_at: int | None = None
    used_at: int | None = None
    revoked_at: int | None = None


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link that lets one person set a password, once.

    Attributes:
        id: its number.
        digest: SHA-256 of what the link holds.
        account_id: who may set it; 0: whoever opens it makes the first
            admin (the set-up link).
        created_at: since when.
        expires_at: until when; None: until it is used.
        used_at: when it was used, or None.
    """

    id: int = 0
    digest: str
    account_id: int
    created_at: int
    expires_at: int | None = None
    used_at: int | None = None


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what they may.

    Attributes:
        name: what they sign with; empty: they say it themselves.
        role: what they may do.
        teams: whose incidents they see; none: all.
        way: session, token, settings (a token of api.tokens) or local
            (this machine, while that is enough).
        account_id: of whom, or 0.
        session_id: the session, or 0.
    """

    name: str
    role: Role
    teams: tuple[str, ...] = ()
    way: str
    account_id: int = 0
    session_id: int = 0

    def may(self, needed: Role) -> bool:
        """Tell whether they may do what needs a role."""
        return self.role.covers(needed)

    @property
    def sight(self) -> str:
        """Return what stands for all that decides what they are shown.

        Two pages of a browser may be of two people, one after the other.
        """
        seen = msgspec.json.encode([self.name, self.role, sorted(self.teams)])
        return hashlib.sha256(seen).hexdigest()[:16]

    def sees(self, team: str) -> bool:
        """Tell whether they see what belongs to a team, or to none."""
        return not self.teams or team in self.teams
