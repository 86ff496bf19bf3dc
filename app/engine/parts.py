"""What the mission chore, and what it does now and then, is made of."""

from collections.abc import Callable

import msgspec

from app.act.settings import ActSettings
from app.core.clock import Clock
from app.engine.advancing import Advancer
from app.engine.keeper import Keeper
from app.engine.missionmeters import Meters
from app.engine.moves import Moves
from app.engine.ways import Ways
from app.store.ledger import Connection


class Parts(msgspec.Struct, frozen=True):
    """What the mission chore is made of."""

    advancer: Advancer
    moves: Moves
    ways: Ways
    keeper: Keeper
    settings: ActSettings
    clock: Clock
    meters: Meters
    is_deciding: Callable[[Connection], bool]
