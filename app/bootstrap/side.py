"""The side: what serves whoever watches, and no incident."""

import msgspec

from app.bootstrap.ground import Ground
from app.core.configfile import reveal
from app.core.errors import ConfigError, ConfigProblem
from app.engine.simulating import Simulator, SimulatorSettings
from app.engine.vitals import Vitals
from app.store.reading import Reader
from app.store.wal import WalWatch

SECTION = "simulator"


class Side(msgspec.Struct, frozen=True):
    """What serves whoever watches.

    Attributes:
        vitals: what the service counts of itself, over time.
        simulator: who calls the problem simulator.
        wal: who looks at the size of the write-ahead log.
    """

    vitals: Vitals
    simulator: Simulator
    wal: WalWatch

    @property
    def chores(self) -> tuple[Vitals, Simulator, WalWatch]:
        """Return what is done now and then while the service runs."""
        return self.vitals, self.simulator, self.wal


def make_side(ground: Ground, reader: Reader) -> Side:
    """Return what serves whoever watches, or raise ConfigError."""
    clock = ground.outside.clock
    vitals = Vitals(ground.registry, reader, clock)
    alarm = ground.settings.database.wal_alarm_bytes
    wal = WalWatch(ground.location.file, alarm, ground.registry)
    return Side(vitals, _make_simulator(ground), wal)


def _make_simulator(ground: Ground) -> Simulator:
    """Return who calls the simulator, or raise ConfigError."""
    config, outside = ground.config, ground.outside
    settings = config.read(SimulatorSettings, SECTION)
    token = ""
    if settings.token.get_secret_value():
        try:
            token = reveal(settings.token, outside.environ)
        except ValueError as error:
            problem = _wrong_token(ground, str(error))
            raise ConfigError([problem]) from error
        if not (token.isascii() and token.isprintable()):
            # What it is instead is not said: it is a secret.
            what = "it is no text that a header can carry"
            raise ConfigError([_wrong_token(ground, what)])
    return Simulator(settings, token, outside.clock)


def _wrong_token(ground: Ground, what: str) -> ConfigProblem:
    """Return what is wrong with the token."""
    remedy = "Set it, or write another token."
    return ground.config.problem((SECTION, "token"), what, remedy)
