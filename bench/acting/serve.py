"""main.py with a brain that costs nothing and one action more.

The brain is that of tests/flow/decider_main.py. The action lies in a folder
of its own, which the environment names. The port that is probed is closed,
as it were, until the action has ended: what was well before proves nothing.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from app.act.catalogue import make_catalogue
from app.bootstrap import hands, mind
from app.cli.commands import app
from app.core.configfile import Config
from app.core.registry import Factory
from app.models.action import ActionSpec, Catalogue
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check
from app.verify.checking import Around, make_checks
from tests.flow.decider_main import MoreBrains

FOLDER = "BENCH_ACTIONS"


def more_actions(
    plugins: Mapping[str, Factory],
    folders: Iterable[Path],
    own: tuple[ActionSpec, ...],
) -> Catalogue:
    """Return the catalogue with what lies in one more folder."""
    more = [*folders, Path(os.environ[FOLDER])]
    return make_catalogue(plugins, more, own)


class Mended:
    """A check that is good only after an action."""

    def __init__(self, check: Check) -> None:
        """Take the check that is asked."""
        self.options = getattr(check, "options", None)
        self._check = check

    async def measure(self, subject: Subject) -> Reading:
        """Return what is measured, and nothing good before the action."""
        found = await self._check.measure(subject)
        return found if subject.since else replace(found, value=0.0)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means."""
        return self._check.judge(before, after)


def mended_checks(
    config: Config, plugins: Mapping[str, Factory], around: Around
) -> dict[str, Check]:
    """Return the checks, with a port that an action opens."""
    made = make_checks(config, plugins, around)
    return {**made, "tcp_probe": Mended(made["tcp_probe"])}


if __name__ == "__main__":
    vars(mind)["Brains"] = MoreBrains
    vars(hands)["make_catalogue"] = more_actions
    vars(hands)["make_checks"] = mended_checks
    app()
