"""Make tokens and revoke them; each function runs in a turn of the keeper."""

from collections.abc import Collection
from typing import Any

import msgspec

from app.access.accounts import By
from app.access.keyring import PREFIX
from app.access.secrets import digest_of, make_secret
from app.core.clock import Clock, to_iso
from app.core.errors import Refused
from app.models.account import Account, Caller, Role, Token
from app.models.entry import Note
from app.store.accounts import find_account
from app.store.ledger import Connection
from app.store.log import append
from app.store.tokens import (
    Named,
    add_token,
    count_live,
    find_token,
    revoke_token,
)

# All of them are held in memory, on every node.
MOST_LIVE = 1_000
DAY = 86_400_000_000
DEFAULT_DAYS = 90
MOST_DAYS = 3_650


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The token that somebody wants.

    Attributes:
        account: whose it is to be.
        label: what it is for.
        role: what it may do at most.
        teams: whose incidents it sees; none: what its account sees.
        sources: for which sources it opens the door; when there are any it
            opens nothing else.
        days: how long it lives; None: until it is revoked.
    """

    account: int
    label: str
    role: Role = Role.VIEWER
    teams: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    days: int | None = DEFAULT_DAYS


class Made(msgspec.Struct, frozen=True):
    """A new token, and what nobody can be shown a second time."""

    token: Token
    owner: str
    secret: str


class Tokens:
    """Makes and revokes tokens."""

    def __init__(self, clock: Clock, sources: Collection[str]) -> None:
        """Take the time, and for which sources there can be tokens."""
        self._clock = clock
        self._sources = frozenset(sources)

    def make(
        self, connection: Connection, order: Order, caller: Caller
    ) -> Made:
        """Make a token; what it is, is returned this once.

        Raises:
            Refused: it may not be, or there are too many.
        """
        owner = find_account(connection, order.account)
        self._check(order, owner, caller)
        now = self._clock.now()
        by = By.of(caller, now)
        if count_live(connection, now) >= MOST_LIVE:
            raise Refused(
                409,
                "too_many_tokens",
                f"There are {MOST_LIVE} living tokens already.",
                remedy="Revoke those that nobody uses.",
            )
        secret = make_secret(PREFIX)
        token = Token(
            digest=digest_of(secret),
            account_id=order.account,
            label=order.label,
            role=order.role.value,
            teams=order.teams,
            sources=order.sources,
            created_at=now,
            created_by=caller.name or caller.way,
            expires_at=None if order.days is None else now + order.days * DAY,
        )
        token = add_token(connection, token)
        name = owner.name if owner else ""
        note = Note(
            kind="token.created",
            actor=by.actor,
            summary=f"token {token.id} of {name}: {token.label}",
            body={"before": {}, "after": _show(token, name)},
        )
        append(connection, now, [note])
        return Made(token, name, secret)

    def revoke(
        self,
        connection: Connection,
        number: int,
        caller: Caller,
        account: int | None = None,
    ) -> Named:
        """Let a token open nothing more; a second time changes nothing.

        Args:
            connection: a turn.
            number: the token's.
            caller: who wants it.
            account: whose it must be; None: anybody's.

        Raises:
            Refused: there is no such token.
        """
        token = find_token(connection, number)
        if token is None or account not in (None, token.account_id):
            raise _no_token(number)
        owner = find_account(connection, token.account_id)
        name = owner.name if owner else ""
        now = self._clock.now()
        if not revoke_token(connection, number, now):
            return Named(token, name)
        by = By.of(caller, now)
        revoked = msgspec.structs.replace(token, revoked_at=now)
        note = Note(
            kind="token.revoked",
            actor=by.actor,
            summary=f"token {token.id} of {name}: {token.label}",
            body={
                "before": _show(token, name),
                "after": _show(revoked, name),
            },
        )
        append(connection, now, [note])
        return Named(revoked, name)

    def _check(
        self, order: Order, owner: Account | None, caller: Caller
    ) -> None:
        """Raise Refused when there may be no such token."""
        if owner is None:
            raise Refused(
                404,
                "not_found",
                f"There is no account {order.account}.",
                field="account",
                remedy="List what there is with GET /api/v1/people.",
            )
        if owner.is_disabled:
            raise _wrong("account", "The account is disabled.", "Enable it.")
        self._check_sources(order)
        _check_role(order, owner, caller)
        _check_teams(order, owner, caller)

    def _check_sources(self, order: Order) -> None:
        """Raise Refused when a token cannot be for these sources."""
        strange = sorted(set(order.sources) - self._sources)
        if strange:
            known = ", ".join(sorted(self._sources)) or "none"
            raise _wrong(
                "sources",
                f"No token opens the source {strange[0][:80]!r}; tokens"
                f" open: {known}.",
                "Name a source whose auth is bearer, basic, token or none.",
            )
        if order.sources and order.role is not Role.VIEWER:
            raise _wrong(
                "role",
                "A token of sources opens nothing else: it needs no role.",
                "Leave the role out, or make two tokens.",
            )


def _check_role(order: Order, owner: Account, caller: Caller) -> None:
    """Raise Refused when a token would do more than who is behind it."""
    if not Role(owner.role).covers(order.role):
        raise _wrong(
            "role",
            f"The account is {owner.role}; its tokens cannot be more.",
            "Choose a lower role, or raise the account's.",
        )
    if not caller.may(order.role):
        raise _above("role", f"You are {caller.role.value} yourself.")


def _check_teams(order: Order, owner: Account, caller: Caller) -> None:
    """Raise Refused when a token would see more than who is behind it."""
    for team in order.teams:
        if owner.teams and team not in owner.teams:
            raise _wrong(
                "teams",
                f"The account does not see the team {team[:80]!r}.",
                "Leave it out, or give it to the account.",
            )
    seen = order.teams or owner.teams
    if not caller.teams or order.sources:
        return
    if not seen or not set(seen) <= set(caller.teams):
        raise _above("teams", "You do not see all of these teams yourself.")


def _show(token: Token, owner: str) -> dict[str, Any]:
    """Return what the log says of a token: never what it digests to."""
    return {
        "id": token.id,
        "account": owner,
        "label": token.label,
        "role": token.role,
        "teams": list(token.teams),
        "sources": list(token.sources),
        "expires_at": to_iso(token.expires_at),
        "revoked_at": to_iso(token.revoked_at),
    }


def _wrong(field: str, detail: str, remedy: str) -> Refused:
    """Return the refusal of a wish that cannot be fulfilled."""
    return Refused(422, f"wrong_{field}", detail, field=field, remedy=remedy)


def _above(field: str, detail: str) -> Refused:
    """Return the refusal of a wish for more than one has oneself."""
    return Refused(
        403,
        f"{field}_too_high",
        detail,
        field=field,
        remedy="Ask somebody who has it.",
    )


def _no_token(number: int) -> Refused:
    """Return the refusal of a number that no token has."""
    return Refused(
        404,
        "not_found",
        f"There is no token {number}.",
        field="token",
        remedy="List what there is with GET /api/v1/tokens.",
    )
