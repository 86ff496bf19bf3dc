"""Charters: who tells what was changed in the files that rule."""

import socket

from app.bootstrap.ground import Ground
from app.engine.acting import Acting
from app.engine.chartering import (
    Chartering,
    decide_charter,
    policy_charter,
)
from app.engine.desk import Desk
from app.engine.keeper import Keeper

SETTINGS = "settings"


def make_chartering(
    ground: Ground, keeper: Keeper, desk: Desk, acting: Acting
) -> Chartering:
    """Return who tells that policy or brains were changed on disk."""
    port = ground.settings.server.port
    brains = desk.decider.brains
    return Chartering(
        keeper,
        ground.outside.clock,
        f"{socket.gethostname()[:40]}:{port}",
        (
            policy_charter(acting.guard.policy),
            decide_charter(desk.settings, brains, SETTINGS),
        ),
    )
