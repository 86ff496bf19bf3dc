"""The voice: what tells people, made out of the settings."""

import secrets
from collections.abc import Callable

import msgspec

from app.bootstrap.ground import Ground
from app.core.registry import scan
from app.engine.casework import Casework
from app.engine.correspondence import Correspondence
from app.engine.factfinding import FactFinder
from app.engine.joining import Looks
from app.engine.keeper import Keeper
from app.engine.leases import node_name
from app.engine.outgoing import Outgoing
from app.engine.posting import Parts, PostingChore
from app.engine.postmeters import Meters
from app.engine.telling import Teller, TellingChore
from app.engine.ways import Ways
from app.models.canary import CHANNEL
from app.models.inventory import Inventory
from app.report import channels
from app.report.canary import CanaryChannel
from app.report.composing import Composer
from app.report.making import SECTION, Head, find_pagers, make_channels
from app.report.settings import ReportSettings
from app.report.templates import read_templates

BITS = 62


class Voice(msgspec.Struct, frozen=True):
    """What tells people.

    Attributes:
        settings: who is told what, when and how often.
        composer: writes letters.
        correspondence: what people ask of letters and of channels.
        teller: follows the log.
        poster: sends.
    """

    settings: ReportSettings
    composer: Composer
    correspondence: Correspondence
    teller: TellingChore
    poster: PostingChore

    @property
    def chores(self) -> tuple[TellingChore, PostingChore]:
        """Return what it does as long as the service runs."""
        return self.teller, self.poster


class Room(msgspec.Struct, frozen=True):
    """What the voice is put into."""

    keeper: Keeper
    ways: Ways
    casework: Casework
    inventory: Callable[[], Inventory]
    looks: Looks | None


def make_voice(ground: Ground, room: Room) -> Voice:
    """Return what tells people, or raise ConfigError with all problems."""
    config, outside = ground.config, ground.outside
    settings = config.read(ReportSettings, "report")
    made = make_channels(
        config, scan(channels), outside.environ, outside.clock, outside.home
    )
    settings = settings.with_pagers(find_pagers(made))
    folder = outside.home / settings.templates
    composer = Composer(settings, read_templates(folder, made))
    names = sorted(made)
    facts = FactFinder(room.casework, room.inventory, settings.base_url)
    teller = Teller(settings, names, facts, outside.clock, room.looks)
    poster = Parts(
        outgoing=Outgoing(settings, outside.clock),
        channels=made | {CHANNEL: CanaryChannel()},
        composer=composer,
        ways=room.ways,
        keeper=room.keeper,
        clock=outside.clock,
        meters=Meters(ground.registry),
        chance=lambda: secrets.randbits(BITS) / 2**BITS,
    )
    return Voice(
        settings=settings,
        composer=composer,
        correspondence=Correspondence(
            made, _kinds(ground, names), outside.clock
        ),
        teller=TellingChore(teller, room.ways, room.keeper),
        poster=PostingChore(poster, node_name(secrets.randbits(BITS))),
    )


def _kinds(ground: Ground, names: list[str]) -> dict[str, str]:
    """Return of which kind each channel is."""
    return {
        name: ground.config.read(Head, SECTION, name).kind for name in names
    }
