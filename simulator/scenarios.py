"""The scenarios that there are.

scenarios = Scenarios(stage.specs(), stage.settings.most.seconds)
scenarios.as_json()            # GET /api/scenarios, 'scenarios'
scenarios.find("flapping")     # for Player.play
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulator.fault import Spec
from simulator.problem import Refused, Unknown
from simulator.scenario import NAME, Scenario, ScenarioFile

FOLDER = Path(__file__).parent / "scenarios"


class Scenarios:
    """A folder of scenarios; read anew each time, so that they can be edited.

    One that is wrong, or asks for more than the caps of the settings, does
    not keep the others from being played.
    """

    def __init__(
        self,
        specs: Sequence[Spec],
        most_seconds: int,
        folder: Path = FOLDER,
    ) -> None:
        """Take the kinds there are, the longest fault, and the folder."""
        self._specs = specs
        self._most_seconds = most_seconds
        self._folder = folder

    def names(self) -> list[str]:
        """Return what they are called."""
        return sorted(path.stem for path in self._folder.glob("*.yaml"))

    def find(self, name: str) -> Scenario:
        """Return one.

        Raises:
            Unknown: there is none of that name.
            Refused: it is wrong; it says file, field and remedy.
        """
        if not NAME.fullmatch(name) or name not in self.names():
            raise Unknown(
                f"there is no scenario {name!r}",
                field="name",
                remedy=f"Choose one of: {', '.join(self.names())}",
            )
        path = self._folder / f"{name}.yaml"
        return ScenarioFile(path, self._specs, self._most_seconds).read()

    def as_json(self) -> list[dict[str, Any]]:
        """Return all of them as plain values.

        Those that cannot be played have a ``problem``: what is wrong.
        """
        found: list[dict[str, Any]] = []
        for name in self.names():
            try:
                found.append(self.find(name).as_json() | {"problem": None})
            except Refused as error:
                found.append({"name": name, "problem": error.as_json()})
        return found
