"""Where a demo takes place: its folder, its ports, its names."""

import os
import string
import tempfile
from pathlib import Path
from typing import NamedTuple

HOME = Path(__file__).parents[2]
SERVICE = "shop"
ADDRESS = "127.0.0.1"
DISK_MB = 32
SIGNS = string.digits + string.ascii_lowercase
FOLDER, TMPFS = "folder", "tmpfs"


class Stage(NamedTuple):
    """One demo.

    Attributes:
        folder: where its settings, database and logs are.
        python: the interpreter that has the packages.
        port: where the service listens.
        simulator_port: where the simulator listens.
        shop_port: where the dummy service listens.
        hosts: what this machine is called; the first by the simulator.
        watches: whether the service watches this machine itself.
        scratch: where the simulator's own files are: on no home folder,
            since what is there belongs to somebody.
        programs: how the names of the simulator's programs begin.
        spool: whether the dummy service writes to the small disk.
        disk_kind: whether the small disk is a folder with a size, which
            needs no rights, or a tmpfs, which root may mount.
    """

    folder: Path
    python: Path
    port: int = 8080
    simulator_port: int = 8099
    shop_port: int = 8098
    hosts: tuple[str, ...] = ("simulator",)
    watches: bool = True
    scratch: Path = Path()
    programs: str = "demo"
    spool: str = "disk"
    disk_kind: str = FOLDER

    @property
    def url(self) -> str:
        """Return where the service answers."""
        return f"http://{ADDRESS}:{self.port}"

    @property
    def simulator_url(self) -> str:
        """Return where the simulator answers."""
        return f"http://{ADDRESS}:{self.simulator_port}"

    @property
    def settings(self) -> Path:
        """Return the service's settings file."""
        return self.folder / "smokejumper.yaml"

    @property
    def simulator_settings(self) -> Path:
        """Return the simulator's settings file."""
        return self.folder / "simulator.yaml"

    @property
    def disk(self) -> Path:
        """Return the small disk that is filled."""
        return self.scratch / "disk"


def find_scratch(folder: Path) -> Path:
    """Return a folder of our own for the simulator's files.

    It is below the folder for temporary files, and named by the demo's own
    folder, so that two clones of one user do not share it.
    """
    name = f"smokejumper-{os.getuid()}-{folder.stat().st_ino}"
    return Path(tempfile.gettempdir()) / name


def name_programs(folder: Path) -> str:
    """Return how the programs of this very demo are called.

    Two demos of one machine must not end each other's.
    """
    number = folder.stat().st_ino
    signs = "".join(
        SIGNS[number // len(SIGNS) ** n % len(SIGNS)] for n in range(2)
    )
    return f"demo{signs}"
