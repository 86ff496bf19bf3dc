"""The canary: made of what every alert goes through."""

import secrets

import msgspec

from app.bootstrap.ground import Ground
from app.bootstrap.hands import Hands
from app.core.loopback import Door
from app.decide.reins import DecideSettings, read_reins
from app.engine.canary import CanaryChore, CanarySettings, Surroundings
from app.engine.canarymeters import Meters
from app.engine.keeper import Keeper
from app.engine.ways import RealWays
from app.ingest.canary import make_entrance
from app.ingest.intake import Entrance
from app.store.ledger import Connection
from app.store.reading import Reader

BYTES = 32


class Canary(msgspec.Struct, frozen=True):
    """The canary, as far as there is one.

    Attributes:
        entrances: its own way in.
        chores: what sends it, and sees how far it comes.
    """

    entrances: tuple[Entrance, ...] = ()
    chores: tuple[CanaryChore, ...] = ()


def make_canary(
    ground: Ground, keeper: Keeper, reader: Reader, hands: Hands
) -> Canary:
    """Return the canary, or nothing of it when it is switched off.

    Args:
        ground: the settings and the time.
        keeper: writes down who sends it.
        reader: says how far it has come.
        hands: say whether anything is done here, and whether all is halted.
    """
    settings = ground.config.read(CanarySettings, "canary")
    server = ground.settings.server
    # A port that the system chooses is one that it does not find.
    if not (settings.enabled and server.port):
        return Canary()
    deciding = ground.config.read(DecideSettings, "decide")

    def is_deciding(connection: Connection) -> bool:
        """Tell whether incidents are decided on."""
        return read_reins(connection, deciding).enabled

    clock = ground.outside.clock
    # Drawn anew with each start: nobody can know it, or lose it.
    secret = secrets.token_urlsafe(BYTES)
    around = Surroundings(
        door=Door(server.host, server.port, secret),
        keeper=keeper,
        ways=RealWays(keeper, reader, hands.halting),
        clock=clock,
        meters=Meters(ground.registry, clock),
        is_deciding=is_deciding,
        is_acting=hands.settings.enabled,
    )
    chore = CanaryChore(settings, around)
    return Canary((make_entrance(secret),), (chore,))
