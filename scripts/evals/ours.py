"""The product's own brains, made of the settings as the service makes them.

Only what an evaluation must not have is left out: the database, and the
inventory of a site, since the targets of a set are not in it.
"""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from app.act import actions
from app.act.catalogue import make_catalogue
from app.core.clock import SystemClock
from app.core.configfile import Config
from app.core.errors import ConfigError
from app.core.registry import Factory, scan
from app.decide import brainpower, brains
from app.decide.calibration import open_calibrations
from app.decide.dialogue import TextDialogue
from app.decide.gate.weighing import open_gate
from app.decide.grounding import Grounder
from app.decide.knowledge import read_knowledge
from app.models.action import Catalogue
from app.models.inventory import Inventory
from app.ports import Brain, Gate
from scripts.evals.truth import Wrong

HOME = Path(__file__).parent.parent.parent
# What answers rest on beside the settings: code, texts and weights.
ROOTS = ("app/decide", "app/models", "app/act")
KINDS = (".py", ".txt", ".npz", ".json", ".yaml")


class Workshop:
    """Makes brains out of settings, each once."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        """Take the settings, and where secrets may lie."""
        self.config = config
        folders = [HOME / "config" / "actions"]
        self.catalogue: Catalogue = make_catalogue(scan(actions), folders)
        self.grounder = Grounder(self.catalogue, Inventory(), read_knowledge())
        self._plugins: Mapping[str, Factory] = scan(brains)
        self.calibrations = open_calibrations(HOME)
        self._brains = brainpower.Brains(
            brainpower.Workshop(
                config=config,
                plugins=self._plugins,
                environ=environ,
                clock=SystemClock(),
                dialogue=TextDialogue(),
                open_gate=lambda: self._gate,
                catalogue=self.catalogue,
                home=HOME,
                calibrations=self.calibrations,
            )
        )

    @cached_property
    def _gate(self) -> Gate:
        """Return the trained classifier, read once."""
        try:
            return open_gate()
        except (OSError, ValueError) as error:
            raise Wrong(f"the gate has no weights: {error}") from error

    @property
    def names(self) -> tuple[str, ...]:
        """Return the brains that there are files for."""
        return tuple(sorted(self._plugins))

    def get(self, name: str) -> Brain:
        """Return a brain, or raise Wrong with what to do."""
        try:
            found = self._brains.make(name)
        except ConfigError as error:
            raise Wrong(str(error)) from error
        if found is None:
            raise Wrong(
                f"the brain {name!r} is not configured: set brains.{name}"
                f".enabled, or SMOKEJUMPER_BRAINS__{name.upper()}__ENABLED=1"
            )
        return found

    def is_there(self, name: str) -> bool:
        """Tell whether a brain is configured."""
        try:
            return self._brains.make(name) is not None
        except ConfigError as error:
            raise Wrong(str(error)) from error

    def stamp(self, name: str) -> str:
        """Return a hash of what the answers of a brain rest on."""
        versions = (e.version for e in self.calibrations.entries)
        found = hashlib.sha256(" ".join((name, *versions)).encode())
        for root in ROOTS:
            for file in sorted((HOME / root).rglob("*")):
                if file.suffix in KINDS:
                    found.update(file.read_bytes())
        return found.hexdigest()[:16]
