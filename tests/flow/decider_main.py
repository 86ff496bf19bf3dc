"""main.py with one more brain: the fake one, told by the environment."""

import os
from pathlib import Path

from app.bootstrap import mind
from app.cli.commands import app
from app.decide.brainpower import Brains
from app.ports import Brain
from tests.brains import SlowBrain

FILE, SECONDS = "FAKE_BRAIN_FILE", "FAKE_BRAIN_SECONDS"
ACTION = "FAKE_BRAIN_ACTION"


class MoreBrains(Brains):
    """The product's own brains, and the fake one."""

    def make_all(self) -> dict[str, Brain]:
        """Return every brain by name."""
        seconds = float(os.environ[SECONDS])
        action = os.environ.get(ACTION, "collect_diagnostics")
        fake = SlowBrain(Path(os.environ[FILE]), seconds, action)
        return {**super().make_all(), "fake": fake}


if __name__ == "__main__":
    vars(mind)["Brains"] = MoreBrains
    app()
