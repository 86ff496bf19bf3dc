"""Accounts and the links that invite people, in the store.

Whoever writes is in a turn of the ledger; whoever reads may be anywhere.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from app.models.account import Account, Invitation, Role
from app.models.account_tables import AccountRow, InvitationRow
from app.models.tables import table_of

ACCOUNT = table_of(AccountRow)
INVITATION = table_of(InvitationRow)
# What lets somebody sign in, or once did.
HAD_WAY = or_(ACCOUNT.c.secret != "", ACCOUNT.c.subject != "")
ANYBODY = select(ACCOUNT.c.id)
# Who may grant nothing, whatever they granted before.
IS_UNFIT = or_(
    ACCOUNT.c.is_disabled.is_(True),
    ACCOUNT.c.role.not_in(
        [one.value for one in Role if one.covers(Role.APPROVER)]
    ),
)
# So many are listed; one more is not made.
MOST_ACCOUNTS = 10_000


def has_people(connection: Connection) -> bool:
    """Tell whether any account ever had a way to sign in, disabled or not.

    What shut the door to everybody else; it does not open again.
    """
    query = ANYBODY.where(HAD_WAY).limit(1)
    return connection.execute(query).first() is not None


def has_way_in(connection: Connection, issuer: str) -> bool:
    """Tell whether any account has a way to sign in, disabled or not.

    Args:
        connection: where accounts are.
        issuer: of the provider that lets people in now; empty: none does.
    """
    query = ANYBODY.where(_has_way(issuer)).limit(1)
    return connection.execute(query).first() is not None


def count_accounts(connection: Connection) -> int:
    """Return how many accounts there are, disabled or not."""
    query = select(func.count()).select_from(ACCOUNT)
    return int(connection.execute(query).scalar_one())


def count_admins(connection: Connection, issuer: str) -> int:
    """Return how many admins can sign in, and see all teams.

    Args:
        connection: where accounts are.
        issuer: of the provider that lets people in now; empty: none does.
    """
    query = select(func.count()).where(
        _has_way(issuer),
        ACCOUNT.c.role == Role.ADMIN.value,
        ACCOUNT.c.teams == to_column(()),
        ACCOUNT.c.is_disabled.is_(False),
    )
    return int(connection.execute(query).scalar_one())


def list_accounts(connection: Connection) -> list[Account]:
    """Return all accounts by name."""
    query = select(ACCOUNT).order_by(ACCOUNT.c.name).limit(MOST_ACCOUNTS)
    return [to_account(row) for row in connection.execute(query)]


def find_account(connection: Connection, number: int) -> Account | None:
    """Return an account, None when there is none."""
    return _one(connection, ACCOUNT.c.id == number)


def find_by_name(connection: Connection, name: str) -> Account | None:
    """Return the account of a name, None when there is none."""
    return _one(connection, ACCOUNT.c.name == name)


def find_unfit(connection: Connection, names: Collection[str]) -> set[str]:
    """Return those of some names whose accounts may grant nothing by now.

    What is no account's name is not among them.
    """
    query = select(ACCOUNT.c.name).where(ACCOUNT.c.name.in_(names), IS_UNFIT)
    return set(connection.execute(query).scalars())


def find_by_subject(connection: Connection, subject: str) -> Account | None:
    """Return the account of an OIDC subject, None when there is none."""
    if not subject:
        return None
    return _one(connection, ACCOUNT.c.subject == subject)


def add_account(connection: Connection, account: Account) -> Account:
    """Write a new account down; return it with its number."""
    values = _values(account)
    del values["id"]
    query = insert(ACCOUNT).values(values).returning(ACCOUNT.c.id)
    number = connection.execute(query).scalar_one()
    return msgspec.structs.replace(account, id=number)


def save_account(connection: Connection, account: Account) -> None:
    """Write down what changed of an account."""
    values = _values(account)
    del values["id"], values["name"]
    query = update(ACCOUNT).where(ACCOUNT.c.id == account.id)
    connection.execute(query.values(values))


def add_invitation(connection: Connection, link: Invitation) -> None:
    """Write an invitation down; an earlier one to the same is void."""
    drop_invitations(connection, link.account_id)
    values = msgspec.structs.asdict(link)
    del values["id"]
    connection.execute(insert(INVITATION).values(values))


def drop_invitations(connection: Connection, account_id: int) -> None:
    """Make all that waits for one account void."""
    connection.execute(
        delete(INVITATION).where(
            INVITATION.c.account_id == account_id,
            INVITATION.c.used_at.is_(None),
        )
    )


def drop_first_link(connection: Connection) -> None:
    """Make the link of the first start void, which has no end."""
    connection.execute(
        delete(INVITATION).where(
            INVITATION.c.account_id == 0,
            INVITATION.c.used_at.is_(None),
            INVITATION.c.expires_at.is_(None),
        )
    )


def find_invitation(
    connection: Connection, digest: str, now: int, issuer: str
) -> Invitation | None:
    """Return an invitation that still holds, None when there is none.

    One for the first admin that has no end is over once there is an admin
    who can sign in: else who finds it years later would become one. Those
    that the command line makes for who is locked out have an end.
    """
    query = select(INVITATION).where(
        INVITATION.c.digest == digest,
        INVITATION.c.used_at.is_(None),
        or_(
            INVITATION.c.expires_at.is_(None),
            INVITATION.c.expires_at > now,
        ),
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    link = Invitation(**row._asdict())
    is_first = not link.account_id and link.expires_at is None
    return None if is_first and count_admins(connection, issuer) else link


def invited(connection: Connection, now: int) -> set[int]:
    """Return the accounts for which an invitation waits."""
    query = select(INVITATION.c.account_id).where(
        INVITATION.c.used_at.is_(None),
        or_(
            INVITATION.c.expires_at.is_(None),
            INVITATION.c.expires_at > now,
        ),
    )
    return set(connection.execute(query).scalars())


def use_invitation(connection: Connection, number: int, now: int) -> None:
    """Write down that an invitation was used; it holds no longer."""
    query = update(INVITATION).where(INVITATION.c.id == number)
    connection.execute(query.values(used_at=now))


def to_account(row: Any) -> Account:
    """Return a row as an account."""
    values = {**row._asdict(), "teams": to_texts(row.teams)}
    values["is_disabled"] = bool(row.is_disabled)
    return Account(**values)


def to_texts(column: str) -> tuple[str, ...]:
    """Return the texts of a column."""
    return msgspec.json.decode(column, type=tuple[str, ...])


def to_column(texts: Sequence[str]) -> str:
    """Return texts as a column keeps them."""
    return msgspec.json.encode(list(texts)).decode()


def _one(connection: Connection, where: Any) -> Account | None:
    """Return the one account of which something holds, or None."""
    row = connection.execute(select(ACCOUNT).where(where)).one_or_none()
    return None if row is None else to_account(row)


def _has_way(issuer: str) -> ColumnElement[bool]:
    """Return what holds of an account that can sign in.

    By a password, or through the provider that the settings have: one that
    they have no longer lets nobody in.
    """
    has_password = ACCOUNT.c.secret != ""
    if not issuer:
        return has_password
    begins = f"{issuer} "
    told = func.substr(ACCOUNT.c.subject, 1, len(begins))
    return or_(has_password, told == begins)


def _values(account: Account) -> dict[str, Any]:
    """Return the columns of an account."""
    values = msgspec.structs.asdict(account)
    return {**values, "teams": to_column(account.teams)}
