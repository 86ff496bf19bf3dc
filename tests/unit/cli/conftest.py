"""A database with two incidents, and the commands on it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from app.bootstrap import open_inbox
from app.cli.commands import app
from app.store.inbox import SqlInbox
from app.store.ledger import Ledger
from app.store.location import locate
from tests.schema import make_sqlite
from tests.unit.fold.room import Room


class Shell:
    """Where commands are given."""

    def __init__(self, folder: Path, *, is_migrated: bool = True) -> None:
        self.folder = folder
        self.config = folder / "s.yaml"
        url = f"sqlite:///{folder}/db.sqlite"
        tree = {
            "database": {"url": url},
            "sources": {"alertmanager": {"auth": {"kind": "none"}}},
            "incidents": {"anchor_file": f"{folder}/log.anchor"},
            # Nothing of a test halts the service that is developed on.
            "policy": {"halt_file": f"{folder}/HALT"},
        }
        self.config.write_text(yaml.safe_dump(tree))
        self.location = locate(url, folder)
        if is_migrated:
            make_sqlite(folder / "db.sqlite")

    def run(self, *arguments: str) -> Result:
        """Give a command."""
        given = [*arguments, "-c", str(self.config)]
        return CliRunner().invoke(app, given, env={"LOGNAME": "me"})

    def ask(self, *arguments: str) -> Any:
        """Return what a command says as JSON."""
        done = self.run(*arguments, "--json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    def fill(self) -> None:
        """Let two hosts have a problem each: incidents 1 and 2."""
        inbox, ledger = (
            open_inbox(self.location, 2.0),
            Ledger(self.location, 2.0),
        )
        assert isinstance(inbox, SqlInbox)
        room = Room(inbox, ledger)
        room.fire("web-01")
        room.fire("web-02")
        inbox.close()
        ledger.close()


@pytest.fixture
def bare(tmp_path: Path) -> Shell:
    """Return a shell without a database."""
    return Shell(tmp_path, is_migrated=False)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Return a shell with two incidents."""
    made = Shell(tmp_path)
    made.fill()
    return made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Return a shell that nothing is changed in."""
    made = Shell(tmp_path_factory.mktemp("shared"))
    made.fill()
    return made
