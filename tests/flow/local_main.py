"""main.py with more actions, whose local hands live some hours ahead.

Nothing sets back when a file was changed: so a test's new files are old.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from app.act.catalogue import make_catalogue
from app.act.local import making
from app.bootstrap import hands
from app.cli.commands import app
from app.core.clock import SystemClock
from app.core.look.past import Past
from app.core.registry import Factory
from app.models.action import ActionSpec, Catalogue
from app.ports import BackendEnv

FOLDER = "MORE_ACTIONS"
HOUR = 3_600 * 1_000_000
AHEAD_HOURS = 3


class LaterClock(SystemClock):
    """The time, some hours ahead."""

    def now(self) -> int:
        """Return the time in microseconds."""
        return super().now() + AHEAD_HOURS * HOUR


class LaterEnv(making.Env):
    """What a deed gets, some hours ahead."""

    def __init__(self, name: str, place: BackendEnv, past: Past) -> None:
        """Take what every deed takes."""
        super().__init__(name, place, past)
        self.clock = LaterClock()


def with_more(
    plugins: Mapping[str, Factory],
    folders: Iterable[Path],
    own: tuple[ActionSpec, ...],
) -> Catalogue:
    """Return the catalogue with the actions of the test's folder."""
    more = [*folders, Path(os.environ[FOLDER])]
    return make_catalogue(plugins, more, own)


if __name__ == "__main__":
    vars(hands)["make_catalogue"] = with_more
    vars(making)["Env"] = LaterEnv
    app()
