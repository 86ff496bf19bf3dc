"""Keys: the tokens of accounts, put together."""

from collections.abc import Mapping

import msgspec

from app.access.keyring import Keyring
from app.access.tokens import Tokens
from app.bootstrap.ground import Ground
from app.engine.keeper import Keeper
from app.engine.locksmith import Locksmith
from app.ingest.intake import Entrance
from app.ingest.tokens import WithTokens
from app.store.reading import Reader


class Keys(msgspec.Struct, frozen=True):
    """Who makes tokens, and who knows them.

    Attributes:
        keyring: knows the living ones.
        locksmith: keeps it as the database has it.
        tokens: makes and revokes them.
    """

    keyring: Keyring
    locksmith: Locksmith
    tokens: Tokens

    @property
    def chores(self) -> tuple[Locksmith, ...]:
        """Return what is done now and then."""
        return (self.locksmith,)


def make_keys(
    ground: Ground,
    keyring: Keyring,
    keeper: Keeper,
    reader: Reader,
    entrances: Mapping[str, Entrance],
) -> Keys:
    """Return who makes tokens, and who knows them."""
    clock = ground.outside.clock
    sources = [
        name
        for name, entrance in entrances.items()
        if isinstance(entrance.authenticator, WithTokens)
    ]
    return Keys(
        keyring,
        Locksmith(keyring, keeper, reader, clock),
        Tokens(clock, sources),
    )
