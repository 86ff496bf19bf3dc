"""main.py with a brain that costs nothing and one action more.

The brain is that of tests/flow/decider_main.py. The action lies in a folder
of its own, which the environment names.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from app.act.catalogue import make_catalogue
from app.bootstrap import hands, mind
from app.cli.commands import app
from app.core.registry import Factory
from app.models.action import Catalogue
from tests.flow.decider_main import MoreBrains

FOLDER = "BENCH_ACTIONS"


def more_actions(
    plugins: Mapping[str, Factory], folders: Iterable[Path]
) -> Catalogue:
    """Return the catalogue with what lies in one more folder."""
    return make_catalogue(plugins, [*folders, Path(os.environ[FOLDER])])


if __name__ == "__main__":
    vars(mind)["Brains"] = MoreBrains
    vars(hands)["make_catalogue"] = more_actions
    app()
