"""The last admin: who can sign in, and change what others may do."""

from app.core.errors import Refused
from app.models.account import Account, Role
from app.store.accounts import count_admins
from app.store.ledger import Connection


def keep_an_admin(
    connection: Connection, old: Account, new: Account, issuer: str
) -> None:
    """See that there is an admin who can sign in after a change, too.

    Raises:
        Refused: it would shut out the last one.
    """
    was = _is_admin(old, issuer)
    is_one = _is_admin(new, issuer)
    if was and not is_one and count_admins(connection, issuer) < 2:
        raise Refused(
            409,
            "last_admin",
            f"{old.name} is the last admin who can sign in and sees all.",
            remedy="Make another one first, who has set a password.",
        )


def _is_admin(account: Account, issuer: str) -> bool:
    """Tell whether an account can sign in as admin of everything."""
    told = issuer and account.subject.startswith(f"{issuer} ")
    has_way = bool(account.secret or told)
    is_admin = account.role == Role.ADMIN.value and not account.teams
    return has_way and is_admin and not account.is_disabled
