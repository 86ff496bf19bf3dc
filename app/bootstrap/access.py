"""Access: who may come in, put together."""

from collections.abc import Mapping

import msgspec

from app.access.gate import Gate
from app.access.keyring import Keyring
from app.access.oidc import SingleSignOn
from app.access.settings import AccessSettings
from app.access.setup import Place, Setup
from app.access.signing_in import SigningIn
from app.bootstrap.ground import Ground, read_api_tokens
from app.bootstrap.keys import Keys, make_keys
from app.bootstrap.oidc import make_oidc
from app.core.site import site_of
from app.engine.keeper import Keeper
from app.engine.locksmith import Locksmith
from app.ingest.intake import Entrance
from app.store.reading import Reader


class Access(msgspec.Struct, frozen=True):
    """Who lets people in, and who looks after them.

    Attributes:
        gate: knows who asks.
        signing: lets people in and out.
        setup: looks after the link that makes the first admin.
        keys: makes tokens, and knows them.
        oidc: lets in whom a provider knows, or None.
    """

    gate: Gate
    signing: SigningIn
    setup: Setup
    keys: Keys
    oidc: SingleSignOn | None

    @property
    def chores(self) -> tuple[Locksmith | Setup, ...]:
        """Return what is done now and then."""
        return (*self.keys.chores, self.setup)


def make_access(
    ground: Ground,
    keyring: Keyring,
    keeper: Keeper,
    reader: Reader,
    entrances: Mapping[str, Entrance],
) -> Access:
    """Return who lets people in."""
    settings = ground.config.read(AccessSettings, "access")
    tokens = read_api_tokens(ground.config, ground.settings, ground.outside)
    gate = Gate(settings, tokens, reader, keeper, ground.outside.clock)
    keys = make_keys(ground, keyring, keeper, reader, entrances)
    gate.admit(keyring.find)
    clock = ground.outside.clock
    signing = SigningIn(gate, keeper, reader, clock)
    setup = Setup(_place(ground, settings), gate, keeper, reader, clock)
    return Access(gate, signing, setup, keys, make_oidc(ground, settings))


def _place(ground: Ground, settings: AccessSettings) -> Place:
    """Return where the set-up link is written, and what stands before it."""
    folder = ground.outside.home / "var"
    if ground.location.file is not None:
        folder = ground.location.file.parent
    name = settings.setup_file
    server = ground.settings.server
    return Place(
        folder / name if name else None,
        settings.public_url or site_of(server.host, server.port),
    )
