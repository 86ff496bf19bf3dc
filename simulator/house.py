"""All of the simulator in one: stage, services, scenarios.

The order matters. The services live on the small disk that the stage makes;
a scenario begins faults until it is told to stop. So: the stage first and
last, the player never without it.
"""

import os
from pathlib import Path
from typing import Any

from simulator.dummy import Spool
from simulator.journal import FILES, Made
from simulator.keeping import Keeper, Ways
from simulator.kept import Place
from simulator.play import Player
from simulator.problem import Refused, Unable
from simulator.scenarios import Scenarios
from simulator.settings import Settings
from simulator.stage import Stage
from simulator.truth import Truth

MB = 1024 * 1024
# A service needs so much of the small disk to start: none is left of a full
# one, and all of it of one where somebody has made room.
SHARE_OF_DISK = 0.06


class House:
    """What runs while the simulator runs.

    Attributes:
        settings: what it was made with.
        stage: the faults.
        keeper: the services.
    """

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is touched before open()."""
        self.settings = settings
        self.stage = Stage(settings)
        self.keeper = self._make_keeper()
        # Why open() did not succeed: a server hides what a lifespan raises.
        self.refusal: Refused | None = None
        self._player = Player(self.stage)
        most = settings.most.seconds
        self._scenarios = Scenarios(self.stage.specs(), most)
        self._notes: list[int] = []

    @property
    def token(self) -> str:
        """Return what whoever asks must show, empty for nothing."""
        return self.settings.token.get_secret_value()

    def open(self) -> None:
        """Open the stage, sweep, and start the services; all or nothing."""
        try:
            self.stage.open()
            try:
                self._start_services()
            except BaseException:
                self.close()
                raise
        except Refused as error:
            self.refusal = error
            raise
        except OSError as error:
            self.refusal = Unable(
                f"{self.settings.home} cannot be used: {error.strerror}",
                field="folder",
                remedy="Make room where the simulator's folder is",
            )
            raise self.refusal from error

    def _start_services(self) -> None:
        """Start the services; what they leave behind is in the journal."""
        self.keeper = self._make_keeper()
        disk = self.settings.disk_path
        notes = [Made(FILES, path=str(self._folder), pattern="*")]
        notes += [
            Made(FILES, path=str(disk), pattern=f"{name}.spool")
            for name in self.settings.services
        ]
        self._notes = [self.stage.env.journal.note(made) for made in notes]
        self.keeper.start()
        # Whoever asks after this finds them as they are.
        self.keeper.look_at_all()

    def close(self) -> None:
        """End everything and leave nothing behind; twice is once."""
        self._player.stop()
        try:
            self.keeper.stop()
            for number in self._notes:
                self.stage.env.journal.done(number)
            self._notes.clear()
        finally:
            self.stage.close()

    def state(self) -> dict[str, Any]:
        """Return all that there is, and what runs."""
        return self.stage.state() | {
            "scenarios": self.scenarios(),
            "playing": self.playing(),
            "played": self._player.last(),
            "services": self.services(),
        }

    def all_off(self) -> list[Truth]:
        """End the scenario and all faults; return those that ended."""
        return self._player.stop() + self.stage.stop()

    def scenarios(self) -> list[dict[str, Any]]:
        """Return what can be played."""
        return self._scenarios.as_json()

    def playing(self) -> dict[str, Any] | None:
        """Return what is played, None while nothing is."""
        return self._player.playing()

    def play(self, name: str) -> None:
        """Begin a scenario, or raise Refused."""
        self._player.play(self._scenarios.find(name))

    def stop_playing(self) -> list[Truth]:
        """End what is played and its faults; return those that ended."""
        return self._player.stop()

    def services(self) -> list[dict[str, Any]]:
        """Return how all services are."""
        return [one.told() for one in self.keeper.look_at_all()]

    @property
    def _folder(self) -> Path:
        """Return where the files of the services are."""
        return self.settings.home / "services"

    def _make_keeper(self) -> Keeper:
        """Return who keeps the services; the small disk is there by then."""
        bytes_there = self.settings.most.disk_mb * MB
        disk = self.settings.disk_path
        if self.settings.spool == "own":
            disk = self._folder
        # A folder has no end of its own; a file system has.
        most = 0 if os.path.ismount(disk) else bytes_there
        spool = Spool(disk, int(bytes_there * SHARE_OF_DISK), most)
        names = self.settings.services
        return Keeper(
            [
                Place(name, self._folder, self.settings.programs)
                for name in names
            ],
            Ways(spool, self.settings.service_port),
        )
