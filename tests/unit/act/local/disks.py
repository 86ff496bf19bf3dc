"""The deed that frees disk space, with settings and a hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.act.local.deed import Deed, Done, read_arguments
from app.act.local.deeds.free_disk_space import plugin
from app.act.local.hand import Hand
from app.core.clock import Clock
from app.core.configfile import Config
from app.core.errors import ConfigProblem
from app.core.host import HostSettings
from app.core.look.past import Past
from app.ports import Settings
from tests.fakes import FakeClock
from tests.unit.act.local.sweeps import (
    later,
)

Hear = Callable[[str], object]


class Env:
    """What the deed gets: its settings as they would stand in the file."""

    name = "free-disk-space"

    def __init__(
        self,
        rules: Any = None,
        host: HostSettings | None = None,
        **written: Any,
    ) -> None:
        self.host = host or HostSettings()
        self._written = (
            written if rules is None else {**written, "rules": rules}
        )
        self.time = FakeClock(later())
        self.clock: Clock = self.time
        self.past = Past(self.clock)

    def settings(self, model: type[Settings]) -> Settings:
        """Return the settings."""
        return Config(self._written, {(): "here"}).read(model)

    def problem(self, what: str, remedy: str, *path: str) -> ConfigProblem:
        """Return a problem of a setting."""
        return ConfigProblem(".".join(path), "here", what, remedy)


def make_hand(folder: Path, hear: Hear, seconds: float = 120) -> Hand:
    """Return a hand that is told to end by the file named stop."""

    def write_down(text: str) -> None:
        """Hand it on."""
        hear(text)

    return Hand("sj-1-abc", seconds, write_down, folder / "stop")


def make(root: Path, *globs: str, until: float = 50, **more: Any) -> Deed:
    """Return the deed with one rule."""
    rule = {"root": str(root), "globs": globs or ("**",), **more}
    return plugin(Env([rule], until_percent=until))


def make_allotted(root: Path, mb: int, until: float) -> Deed:
    """Return the deed for a folder that has a size of its own."""
    rule = {"root": str(root), "globs": ["**"]}
    host = HostSettings.model_validate({"folders": {str(root): {"mb": mb}}})
    return plugin(Env([rule], host, until_percent=until))


def do(deed: Deed, path: Path, hear: Hear | None = None) -> tuple[Done, str]:
    """Return what came of it, and all that was said."""
    said: list[str] = []

    def both(text: str) -> None:
        """Keep it, and hand it on."""
        said.append(text)
        if hear is not None:
            hear(text)

    arguments = read_arguments(
        deed.takes, {"host": "web-1", "path": str(path)}
    )
    return deed.do(arguments, make_hand(path.parent, both)), "".join(said)
