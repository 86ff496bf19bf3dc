"""The canary: made of what every alert goes through."""

from app.bootstrap.ground import Ground
from app.decide.reins import DecideSettings
from app.engine.canary import (
    CLOSED,
    DECIDED,
    FOLDED,
    TOLD,
    CanaryChore,
    CanarySettings,
    Meters,
    Ways,
)
from app.engine.keeper import Keeper
from app.ingest.intake import Intake
from app.store.reading import Reader


def make_canary(
    ground: Ground,
    intake: Intake,
    keeper: Keeper,
    reader: Reader,
    *,
    is_acting: bool,
) -> tuple[CanaryChore, ...]:
    """Return what sends the canary, or nothing when it is switched off.

    Args:
        ground: the settings and the time.
        intake: where it is let in.
        keeper: writes down who sends it.
        reader: says how far it has come.
        is_acting: whether missions follow decisions here.
    """
    settings = ground.config.read(CanarySettings, "canary")
    if not settings.enabled:
        return ()
    stages: tuple[str, ...] = (FOLDED,)
    if ground.config.read(DecideSettings, "decide").enabled:
        stages += (DECIDED, CLOSED, TOLD) if is_acting else (DECIDED,)
    clock = ground.outside.clock
    meters = Meters(ground.registry, clock, stages)
    ways = Ways(intake, keeper, reader, clock, meters, stages)
    return (CanaryChore(settings, ways),)
