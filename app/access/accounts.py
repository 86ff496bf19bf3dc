"""Accounts: who is made, invited, changed and shut out.

Each function runs in a turn of the keeper and writes what changed into the
action log, never a secret.
"""

import re
from typing import Any

import msgspec

from app.access.last_admin import keep_an_admin
from app.access.room import check_room
from app.access.secrets import digest_of, make_secret
from app.core.errors import Refused
from app.models.account import Account, Caller, Invitation, Nature, Role
from app.models.entry import Note
from app.store.accounts import (
    add_account,
    add_invitation,
    drop_invitations,
    find_account,
    find_by_name,
    find_invitation,
    save_account,
    use_invitation,
)
from app.store.ledger import Connection
from app.store.log import append
from app.store.sessions import end_sessions

# Policies name people, and four eyes are two names: no two that look alike.
NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")
# So the log calls who has no account.
NOBODY = frozenset({"local", "settings"})
DAY = 86_400_000_000
INVITED_DAYS = 7
SHOWN = ("name", "nature", "role", "teams", "is_disabled")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An account that somebody wants."""

    name: str
    nature: Nature = Nature.PERSON
    role: Role = Role.VIEWER
    teams: tuple[str, ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of an account; None stays.

    Attributes:
        version: the version that was looked at; None: whichever it is.
    """

    role: Role | None = None
    teams: tuple[str, ...] | None = None
    is_disabled: bool | None = None
    version: int | None = None


class By(msgspec.Struct, frozen=True):
    """Who does it, and when.

    Attributes:
        actor: as the log says it.
        now: the moment.
    """

    actor: str
    now: int

    @classmethod
    def of(cls, caller: Caller, now: int) -> "By":
        """Return who asks; without a name, from where they do."""
        return cls(f"person:{caller.name or caller.way}", now)


def add(connection: Connection, wish: Wish, by: By) -> tuple[Account, str]:
    """Make an account; return it, and what invites a person to it.

    Raises:
        Refused: the name is none, or is taken.
    """
    name = check_name(wish.name)
    if find_by_name(connection, name) is not None:
        raise Refused(
            409,
            "name_taken",
            f"There is an account {name} already.",
            field="name",
            remedy="Take another name, or change that account.",
        )
    check_room(connection)
    account = add_account(
        connection,
        Account(
            name=name,
            nature=wish.nature.value,
            role=wish.role.value,
            teams=wish.teams,
            created_at=by.now,
            created_by=by.actor.partition(":")[2],
        ),
    )
    tell(connection, by, None, account)
    if wish.nature is Nature.SERVICE:
        return account, ""
    return account, _invite_person(connection, account.id, by.now)


def change(
    connection: Connection, number: int, wanted: Change, by: By, issuer: str
) -> Account:
    """Change an account; whoever is shut out is signed out.

    Args:
        connection: a turn.
        number: which.
        wanted: what is to change.
        by: who does it.
        issuer: of the provider that lets people in now, or empty.

    Raises:
        Refused: there is none, another was first, or no admin were left.
    """
    old = must_find(connection, number)
    if wanted.version not in (None, old.version):
        raise Refused(
            409,
            "too_late",
            f"Somebody else was first: it is version {old.version} by now.",
            field="if-match",
            remedy="Read it again.",
        )
    new = msgspec.structs.replace(
        old,
        version=old.version + 1,
        role=old.role if wanted.role is None else wanted.role.value,
        teams=old.teams if wanted.teams is None else wanted.teams,
        is_disabled=old.is_disabled
        if wanted.is_disabled is None
        else wanted.is_disabled,
    )
    if _shown(new) == _shown(old):
        return old
    keep_an_admin(connection, old, new, issuer)
    save_account(connection, new)
    if new.is_disabled:
        end_sessions(connection, number)
        drop_invitations(connection, number)
    tell(connection, by, old, new)
    return new


def invite(connection: Connection, number: int, by: By) -> str:
    """Return what lets a person set a password; an earlier one is void.

    Raises:
        Refused: there is none, or it cannot sign in.
    """
    account = must_find(connection, number)
    if account.is_disabled or account.nature != Nature.PERSON.value:
        raise Refused(
            409,
            "no_way_in",
            f"{account.name} is a service, or disabled.",
            remedy="Enable the account; a service has tokens.",
        )
    secret = _invite_person(connection, number, by.now)
    _note(connection, by, account, {"invitation": "made"})
    return secret


def sign_out(
    connection: Connection, number: int, by: By, session: int | None = None
) -> int:
    """End all sessions of an account, or one; return how many there were.

    Raises:
        Refused: there is no such account, or it has no such session.
    """
    account = must_find(connection, number)
    ended = end_sessions(connection, number, session)
    if session is not None and not ended:
        raise Refused(
            404,
            "not_found",
            f"{account.name} has no session {session}.",
            field="session_id",
            remedy="It may be over: list those that last.",
        )
    if ended:
        _note(connection, by, account, {"sessions_ended": ended})
    return ended


def make_setup_link(
    connection: Connection, now: int, ends_at: int | None = None
) -> str:
    """Return what lets somebody make an admin; an earlier one is void."""
    return _invite(connection, 0, now, ends_at)


def accept(  # noqa: PLR0913, PLR0917 (what a form has, and when)
    connection: Connection,
    secret: str,
    name: str,
    kept: str,
    now: int,
    issuer: str,
) -> Account:
    """Use an invitation: set a password, or make an admin with one.

    Args:
        connection: a turn.
        secret: what the link holds.
        name: of the admin to make; or of the account, or empty.
        kept: the password, hashed.
        now: the moment.
        issuer: of the provider that lets people in now, or empty.

    Raises:
        Refused: the link holds no longer, or the name will not do.
    """
    link = find_link(connection, secret, now, issuer)
    if link.account_id:
        account = must_find(connection, link.account_id)
        if name not in ("", account.name):
            raise _wrong_name(f"The link is for {account.name}.")
        new = set_password(connection, account, kept, By(_me(account), now))
    else:
        new = _make_admin(connection, name, kept, now)
    use_invitation(connection, link.id, now)
    return new


def find_link(
    connection: Connection, secret: str, now: int, issuer: str
) -> Invitation:
    """Return an invitation that holds.

    Raises:
        Refused: it does not.
    """
    link = find_invitation(connection, digest_of(secret), now, issuer)
    if link is not None:
        return link
    raise Refused(
        403,
        "link_used",
        "The link is wrong, was used, or is over.",
        field="token",
        remedy="Ask an admin for a new one, or run 'main.py people "
        "setup-link' on a server of the service.",
    )


def set_password(
    connection: Connection, account: Account, kept: str, by: By
) -> Account:
    """Give an account a new password, and end all its sessions."""
    new = msgspec.structs.replace(
        account, secret=kept, version=account.version + 1
    )
    save_account(connection, new)
    ended = end_sessions(connection, account.id)
    told: dict[str, Any] = {"password": "set"}
    if ended:
        told["sessions_ended"] = ended
    _note(connection, by, new, told)
    return new


def check_name(name: str) -> str:
    """Return a name as accounts have it.

    Raises:
        Refused: it is none.
    """
    name = name.strip().lower()
    if not NAME.fullmatch(name):
        raise _wrong_name("It must be a-z, 0-9 and . _ @ + - between them.")
    if name in NOBODY:
        raise _wrong_name(f"So the log calls who has no account: {name}.")
    return name


def must_find(connection: Connection, number: int) -> Account:
    """Return an account.

    Raises:
        Refused: there is none.
    """
    account = find_account(connection, number)
    if account is None:
        raise Refused(
            404,
            "not_found",
            f"There is no account {number}.",
            field="account_id",
            remedy="List what there is with GET /api/v1/people.",
        )
    return account


def tell(
    connection: Connection, by: By, old: Account | None, new: Account
) -> None:
    """Write into the log what was made or changed."""
    before = {} if old is None else _shown(old)
    after = _shown(new)
    if old is None:
        kind, what = "account.created", f"{new.nature}, {new.role}"
    else:
        kind = "account.changed"
        what = ", ".join(n for n in SHOWN if before[n] != after[n])
    note = Note(
        kind=kind,
        actor=by.actor,
        summary=f"account {new.name}: {what}",
        body={"before": before, "after": after},
    )
    append(connection, by.now, [note])


def _make_admin(
    connection: Connection, name: str, kept: str, now: int
) -> Account:
    """Make an admin of whoever opened the set-up link."""
    wish = Wish(name=name, role=Role.ADMIN)
    by = By(f"person:{check_name(name)}", now)
    account, _ = add(connection, wish, by)
    drop_invitations(connection, account.id)
    return set_password(connection, account, kept, by)


def _invite_person(connection: Connection, number: int, now: int) -> str:
    """Return what lets a person set a password within some days."""
    return _invite(connection, number, now, now + INVITED_DAYS * DAY)


def _invite(
    connection: Connection, account_id: int, now: int, ends_at: int | None
) -> str:
    """Write an invitation down; return what its link holds."""
    secret = make_secret()
    link = Invitation(
        digest=digest_of(secret),
        account_id=account_id,
        created_at=now,
        expires_at=ends_at,
    )
    add_invitation(connection, link)
    return secret


def _note(
    connection: Connection, by: By, account: Account, after: dict[str, Any]
) -> None:
    """Write into the log what happened to an account."""
    note = Note(
        kind="account.changed",
        actor=by.actor,
        summary=f"account {account.name}: {', '.join(after)}",
        body={"before": {}, "after": {"name": account.name, **after}},
    )
    append(connection, by.now, [note])


def _me(account: Account) -> str:
    """Return an account as an actor."""
    return f"person:{account.name}"


def _shown(account: Account) -> dict[str, Any]:
    """Return what the log says of an account."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name in SHOWN
        for value in (getattr(account, name),)
    }


def _wrong_name(detail: str) -> Refused:
    """Return the refusal of a name."""
    return Refused(
        422, "wrong_name", detail, field="name", remedy="Correct it."
    )
