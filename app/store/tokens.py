"""Tokens in the store; they are revoked, never removed."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from app.models.account import Account, Token
from app.models.account_tables import TokenRow
from app.models.tables import table_of
from app.store.accounts import ACCOUNT, to_column, to_texts
from app.store.incidents import next_id

TOKEN = table_of(TokenRow)
# What a keyring holds of an account beside the token itself.
OWNER = ("name", "role", "teams", "is_disabled")
# Made once: to make a statement costs several times what it takes to run.
IS_LIVE = (
    TOKEN.c.revoked_at.is_(None),
    or_(
        TOKEN.c.expires_at.is_(None),
        TOKEN.c.expires_at > bindparam("now"),
    ),
)
LIVE = (
    select(TOKEN, *(ACCOUNT.c[name].label(f"owner_{name}") for name in OWNER))
    .join(ACCOUNT, ACCOUNT.c.id == TOKEN.c.account_id)
    .where(*IS_LIVE, ACCOUNT.c.is_disabled.is_(False))
    .order_by(TOKEN.c.id)
)
COUNT = select(func.count()).select_from(TOKEN).where(*IS_LIVE)
# Rises with whatever changes what a token opens, but for its end.
STATE = select(
    select(func.count()).select_from(TOKEN).scalar_subquery(),
    select(func.count(TOKEN.c.revoked_at)).scalar_subquery(),
    select(func.sum(ACCOUNT.c.version)).scalar_subquery(),
)
ONE = select(TOKEN).where(TOKEN.c.id == bindparam("number"))
NAMED = (
    select(TOKEN, ACCOUNT.c.name.label("owner_name"))
    .join(ACCOUNT, ACCOUNT.c.id == TOKEN.c.account_id)
    .order_by(TOKEN.c.id.desc())
)
ADD = insert(TOKEN)
REVOKE = (
    update(TOKEN)
    .where(TOKEN.c.id == bindparam("number"), TOKEN.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)
# Another node may have seen it later than this one did.
USE = (
    update(TOKEN)
    .where(
        TOKEN.c.id == bindparam("number"),
        or_(TOKEN.c.used_at.is_(None), TOKEN.c.used_at < bindparam("at")),
    )
    .values(used_at=bindparam("at"))
)


class Owned(msgspec.Struct, frozen=True):
    """A token with the account that it is of."""

    token: Token
    owner: Account


class Named(msgspec.Struct, frozen=True):
    """A token with the name of its account."""

    token: Token
    owner: str


def add_token(connection: Connection, token: Token) -> Token:
    """Write a new token; return it with its number."""
    added = msgspec.structs.replace(token, id=next_id(connection, TOKEN))
    row = msgspec.structs.asdict(added)
    row["teams"] = to_column(added.teams)
    row["sources"] = to_column(added.sources)
    connection.execute(ADD, row)
    return added


def find_token(connection: Connection, number: int) -> Token | None:
    """Return a token, or None."""
    row = connection.execute(ONE, {"number": number}).one_or_none()
    return _to_token(row) if row is not None else None


def find_live(connection: Connection, now: int) -> list[Owned]:
    """Return the tokens that open something now."""
    return [
        Owned(_to_token(row), _to_owner(row))
        for row in connection.execute(LIVE, {"now": now})
    ]


def find_state(connection: Connection) -> tuple[int, ...]:
    """Return what is another one when tokens or their accounts changed."""
    return tuple(int(one or 0) for one in connection.execute(STATE).one())


def count_live(connection: Connection, now: int) -> int:
    """Return how many tokens are neither revoked nor expired."""
    return int(connection.execute(COUNT, {"now": now}).scalar() or 0)


def find_page(
    connection: Connection,
    *,
    account: int | None,
    before: int | None,
    limit: int,
) -> list[Named]:
    """Return a page of tokens, newest first.

    Args:
        connection: where to ask.
        account: only those of one account.
        before: only ids below this one.
        limit: how many at most.
    """
    query = NAMED.limit(limit)
    if account is not None:
        query = query.where(TOKEN.c.account_id == account)
    if before is not None:
        query = query.where(TOKEN.c.id < before)
    return [
        Named(_to_token(row), row.owner_name)
        for row in connection.execute(query)
    ]


def revoke_token(connection: Connection, number: int, at: int) -> bool:
    """Let a token open nothing more; tell whether it did until now."""
    values = {"number": number, "at": at}
    return connection.execute(REVOKE, values).rowcount == 1


def note_uses(connection: Connection, uses: Mapping[int, int]) -> None:
    """Write down when tokens were used last, by their numbers."""
    rows: Sequence[Any] = [
        {"number": number, "at": at} for number, at in uses.items()
    ]
    if rows:
        connection.execute(USE, rows)


def _to_token(row: Any) -> Token:
    """Return a row as a token."""
    values = {name: getattr(row, name) for name in Token.__struct_fields__}
    values["teams"] = to_texts(row.teams)
    values["sources"] = to_texts(row.sources)
    return Token(**values)


def _to_owner(row: Any) -> Account:
    """Return what a row says of the account."""
    return Account(
        id=row.account_id,
        name=row.owner_name,
        role=row.owner_role,
        teams=to_texts(row.owner_teams),
        is_disabled=bool(row.owner_is_disabled),
    )
