"""Make the configured brains out of the settings and the plug-ins."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from pydantic import BaseModel

from app.core.clock import Clock
from app.core.configfile import Config
from app.core.errors import ConfigError
from app.core.place import Place
from app.decide.calibration import Calibrations
from app.decide.reins import DecideSettings
from app.models.action import Catalogue
from app.models.choice import Calibrated
from app.ports import Brain, BrainEnv, Dialogue, Gate

Model = TypeVar("Model", bound=BaseModel)
Plugins = Mapping[str, Callable[[BrainEnv], Brain | None]]
SECTION = "brains"


class Workshop(msgspec.Struct, frozen=True):
    """What brains are made with.

    Attributes:
        config: all settings.
        plugins: how each kind of brain is made.
        environ: where secrets may lie.
        clock: the time.
        dialogue: speaks with a language model.
        open_gate: reads the trained classifier.
        catalogue: what may be done.
        home: what paths in settings are relative to.
        calibrations: what the numbers of language models mean.
        model_of: the model of a brain that is set at run time, or empty.
    """

    config: Config
    plugins: Plugins
    environ: Mapping[str, str]
    clock: Clock
    dialogue: Dialogue
    open_gate: Callable[[], Gate]
    catalogue: Catalogue
    home: Path
    calibrations: Calibrations = Calibrations()
    model_of: Callable[[str], str] = lambda _: ""


class Env(Place):
    """What one brain gets when it is made."""

    def __init__(self, name: str, workshop: Workshop, peers: "Brains") -> None:
        """Take the brain's name and what is around it."""
        super().__init__(SECTION, name, workshop.config, workshop.environ)
        self.clock = workshop.clock
        self.dialogue = workshop.dialogue
        self.catalogue = workshop.catalogue
        self.home = workshop.home
        decide = workshop.config.read(DecideSettings, "decide")
        self.patience_seconds = decide.timeout_seconds
        self._workshop = workshop
        self._peers = peers

    def gate(self) -> Gate:
        """Return the trained classifier."""
        return self._workshop.open_gate()

    def calibrate(
        self, model: str, raw: float, build: str = ""
    ) -> Calibrated | None:
        """Return what this brain's own number means, None when unknown."""
        known = self._workshop.calibrations.find(self.name, model, build)
        return None if known is None else known.tell(raw)

    def model(self, brain: str) -> str:
        """Return the model that is set at run time, empty when none is."""
        return self._workshop.model_of(brain)

    def peer(self, name: str) -> Brain | None:
        """Return another brain, or None when it is not configured."""
        return self._peers.make(name)


class Brains:
    """Makes each brain once, those that others ask for first."""

    def __init__(self, workshop: Workshop) -> None:
        """Take what brains are made with."""
        self._workshop = workshop
        self._made: dict[str, Brain | None] = {}

    def make(self, name: str) -> Brain | None:
        """Return a brain, or None when it is not configured.

        Raises:
            ConfigError: there is no such brain, or two need each other.
        """
        if name in self._made:
            return self._made[name]
        if name not in self._workshop.plugins:
            known = ", ".join(sorted(self._workshop.plugins))
            raise ConfigError(
                [
                    self._workshop.config.problem(
                        (SECTION, name),
                        f"there is no brain {name!r}",
                        f"Known here: {known}.",
                    )
                ]
            )
        # Whoever asks for itself on the way finds nothing, and ends there.
        self._made[name] = None
        env = Env(name, self._workshop, self)
        self._made[name] = self._workshop.plugins[name](env)
        return self._made[name]

    def make_all(self) -> dict[str, Brain]:
        """Return every brain that is configured, by name."""
        unknown = set(self._workshop.config.names(SECTION))
        made = {
            name: self.make(name)
            for name in sorted({*self._workshop.plugins, *unknown})
        }
        return {name: one for name, one in made.items() if one is not None}
