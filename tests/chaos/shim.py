"""The shim: what a service's disk does wrong, ordered from outside."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.programs import need
from tests.service import Service

SOURCE = Path(__file__).with_name("shim.c")


class Shim:
    """Makes the disk under one folder obey a test.

    Attributes:
        journal: what was written and synced, in order.
    """

    def __init__(self, folder: Path, *, lies: bool = False) -> None:
        self._library = folder / "shim.so"
        self._watched = folder / "disk"
        self._watched.mkdir()
        self.journal = folder / "journal"
        self._fail = folder / "fail"
        self._full = folder / "full"
        self._hang = folder / "hang"
        self._lies = lies
        compile_shim(SOURCE, self._library)

    def environ(self, fail_on: str = "-wal") -> Mapping[str, str]:
        """Return what a process needs in its environment to be watched."""
        environ = {
            "LD_PRELOAD": str(self._library),
            "SHIM_FOLDER": str(self._watched.resolve()),
            "SHIM_JOURNAL": str(self.journal),
            "SHIM_FAIL": str(self._fail),
            "SHIM_FAIL_ON": fail_on,
            "SHIM_FULL": str(self._full),
            "SHIM_HANG": str(self._hang),
        }
        return {**environ, "SHIM_LIE": "1"} if self._lies else environ

    def service(
        self, settings: Mapping[str, Any] | None = None, fail_on: str = "-wal"
    ) -> Service:
        """Return a service on the watched disk; it is not started."""
        return Service(self._watched, settings, self.environ(fail_on))

    def position(self) -> int:
        """Return how long the journal is now."""
        return self.journal.stat().st_size

    def fail_syncs(self, times: int) -> None:
        """Let the next syncs fail with EIO."""
        self._fail.write_bytes(b"x" * times)

    def failures_left(self) -> int:
        """Return how many of the ordered failures have not happened."""
        return self._fail.stat().st_size

    def fill(self) -> None:
        """Let nothing grow any more."""
        self._full.touch()

    def make_room(self) -> None:
        """Let files grow again."""
        self._full.unlink()

    def hang(self) -> None:
        """Let no sync come back."""
        self._hang.touch()

    def go_on(self) -> None:
        """Let the syncs come back."""
        self._hang.unlink()


def compile_shim(source: Path, library: Path) -> None:
    """Make a library to preload; skip by name where there is no compiler."""
    compiler = str(need("cc", "gcc"))
    warnings = ("-Wall", "-Wextra", "-Werror")
    files = ("-o", str(library), str(source))
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", *warnings, *files, "-ldl"],
        check=True,
        timeout=60,
    )
