"""Room: how many accounts there may be, whoever makes them."""

from app.core.errors import Refused
from app.store.accounts import MOST_ACCOUNTS, count_accounts
from app.store.ledger import Connection


def check_room(connection: Connection) -> None:
    """Refuse one account more than lists show.

    Raises:
        Refused: there are too many.
    """
    if count_accounts(connection) >= MOST_ACCOUNTS:
        raise Refused(
            409,
            "too_many_accounts",
            f"There are {MOST_ACCOUNTS} accounts already.",
            remedy="Use those that there are: they are disabled, not removed.",
        )
