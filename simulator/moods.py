"""The file that tells a service of the simulator how to behave."""

import contextlib
import json
import threading
from pathlib import Path

from simulator.dummy import MODES, Mood, read_mood

# The stage and the keeper write from threads of their own.
_writing = threading.Lock()


class MoodFile:
    """One service's file: written whole, so that nobody reads half."""

    def __init__(self, path: Path) -> None:
        """Take where it is."""
        self.path = path

    def read(self) -> Mood:
        """Return what it says; nothing wrong when there is none."""
        return read_mood(self.path)

    def reset(self) -> None:
        """Write that nothing is wrong."""
        with _writing:
            self._write(Mood())

    def set_mode(self, mode: str) -> None:
        """Change the mode only, or raise ValueError."""
        if mode not in MODES:
            raise ValueError(f"{mode!r} is none of {', '.join(MODES)}")
        with _writing:
            mood = self.read()._replace(mode=mode)
            self._write(mood, is_healing=mode == "ok")

    def set_skew(self, seconds: float) -> None:
        """Change only how wrong its clock is."""
        with _writing:
            mood = self.read()._replace(skew_seconds=seconds)
            is_healing = not seconds and mood.mode == "ok"
            self._write(mood, is_healing=is_healing)

    def remove(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _write(self, mood: Mood, *, is_healing: bool = False) -> None:
        """Put a mood in the place of what was there, or raise OSError.

        What heals needs no room: no file says that nothing is wrong.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        try:
            draft.write_text(json.dumps(mood._asdict()), encoding="utf-8")
            draft.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            if not is_healing:
                raise
            self.path.unlink(missing_ok=True)
