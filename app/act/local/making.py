"""Make the deeds that are allowed here out of the settings."""

from collections.abc import Mapping, Sequence

from app.act.local.deed import Deed
from app.core.clock import Clock
from app.core.configfile import suggest
from app.core.errors import ConfigError, ConfigProblem
from app.core.host import HostSettings
from app.core.look.past import Past
from app.core.registry import Factory
from app.ports import BackendEnv, Settings

DEEDS = "deeds"


class Env:
    """What one deed gets when it is made."""

    def __init__(self, name: str, place: BackendEnv, past: Past) -> None:
        """Take the deed's name, where settings stand, and the past."""
        self.name = name
        self.clock: Clock = place.clock
        self.host: HostSettings = place.host
        self.past = past
        self._place = place

    def settings(self, model: type[Settings]) -> Settings:
        """Return the settings of this deed, or raise ConfigError."""
        return self._place.settings(model, DEEDS, self.name)

    def problem(self, what: str, remedy: str, *path: str) -> ConfigProblem:
        """Return a problem that is dated to the settings of this deed."""
        return self._place.problem(what, remedy, DEEDS, self.name, *path)


def make_deeds(
    place: BackendEnv,
    plugins: Mapping[str, Factory],
    names: Mapping[str, Sequence[str]],
    past: Past,
) -> dict[str, Deed]:
    """Return the deeds that are allowed, or raise all that is wrong.

    What is not allowed is made, too: its settings may be wrong as well.

    Args:
        place: where the settings of all stand.
        plugins: how each is made.
        names: which the settings name, by where: in allow, and in deeds.
        past: how the machine was.
    """
    known = tuple(plugins)
    problems = [
        place.problem(f"there is no deed {name!r}", suggest(name, known), at)
        for at, some in names.items()
        for name in some
        if name not in known
    ]
    made: dict[str, Deed] = {}
    for name in sorted(plugins):
        try:
            made[name] = plugins[name](Env(name, place, past))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return {name: made[name] for name in names["allow"]}
