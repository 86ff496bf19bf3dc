"""The kill switch as a file: while it is there, nothing is started.

A file needs no service that answers: `touch var/HALT` works when all else
does not. What it says is the reason that people are told.
"""

import os
from pathlib import Path

LONGEST = 200
# Nobody waits for what a pipe would say.
AT_ONCE = getattr(os, "O_NONBLOCK", 0)


class Halting:
    """Looks whether the file is there."""

    def __init__(self, file: Path) -> None:
        """Take the file's place."""
        self._file = file

    @property
    def file(self) -> Path:
        """Return the file's place."""
        return self._file

    def look(self) -> str:
        """Return why all is halted, or an empty text.

        A file that is there and cannot be read halts as well.
        """
        try:
            with open(self._file, "rb", opener=_open_at_once) as file:
                # Nothing at all: a pipe that somebody holds, and is silent.
                raw = file.read(LONGEST * 4) or b""
        except (FileNotFoundError, NotADirectoryError):
            # A link that leads nowhere was put there by somebody.
            is_link = self._file.is_symlink()
            return f"{self._file.name} leads nowhere" if is_link else ""
        except OSError as error:
            return f"{self._file.name} cannot be read: {error.strerror}"
        text = raw.decode("utf-8", "replace")
        shown = "".join(one if one.isprintable() else " " for one in text)
        return " ".join(shown.split())[:LONGEST] or (
            f"the file {self._file.name} is there"
        )


def _open_at_once(path: str, flags: int) -> int:
    """Open a file, and do not wait, whatever it is."""
    return os.open(path, flags | AT_ONCE)
