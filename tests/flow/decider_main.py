"""main.py with one more brain: the fake one, told by the environment."""

import os
from pathlib import Path
from typing import Any

from app.bootstrap import Product, build
from app.cli import serve, setup
from app.cli.commands import app
from tests.brains import SlowBrain

FILE, SECONDS = "FAKE_BRAIN_FILE", "FAKE_BRAIN_SECONDS"


def build_with_brain(*parts: Any) -> Product:
    """Return the product, with the fake among its brains."""
    product = build(*parts)
    brain = SlowBrain(Path(os.environ[FILE]), float(os.environ[SECONDS]))
    brains: Any = product.desk.decider.brains
    brains["fake"] = brain
    return product


if __name__ == "__main__":
    vars(serve)["build"] = build_with_brain
    vars(setup)["build"] = build_with_brain
    app()
