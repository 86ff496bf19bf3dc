"""The table of contents: right, and loaded no more than is asked for."""

import importlib
import subprocess
import sys

import pytest

from app.cli.contents import ROWS, make, undrawn
from app.core.home import HOME

# What only some settings need: none of them stands in the shipped ones.
OF_OTHERS = ("psycopg", "cryptography", "joserfc", "icalendar", "ollama")
# What draws on a terminal, and is loaded when a service cannot start.
DRAWING = ("rich", "pygments", "prompt_toolkit")
SHIPPED = """
import sys
from app.cli.contents import ROWS
from app.core.configfile import load_config
from app.core.home import HOME
service = ROWS["serve"].load()
import app.cli.serve as made
made.build(load_config(HOME / "config/smokejumper.yaml", {}))
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded_by(program: str) -> set[str]:
    """Return the packages that a new interpreter loads for a program."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("name", ROWS)
def test_a_line_says_what_its_command_says(name: str) -> None:
    """The command is there, and its help begins with its line."""
    command = make(name)
    assert command.name == name
    first = (command.help or "").partition("\n\n")[0]
    assert " ".join(first.split()) == ROWS[name].help


def test_the_help_loads_no_command() -> None:
    """Its lines are those of the table."""
    program = (
        "import sys; from typer.testing import CliRunner;"
        " from app.cli.commands import app;"
        " said = CliRunner().invoke(app, ['--help']);"
        " assert 'Say which release this is.' in said.output;"
        " print(*(n for n in sys.modules))"
    )
    loaded = loaded_by(program)
    assert "app.cli.contents" in loaded
    assert not {"app.cli.serve", "app.cli.words", "app.bootstrap"} & loaded


def test_the_service_loads_nothing_of_others() -> None:
    """Neither what other settings need, nor what draws."""
    loaded = loaded_by(SHIPPED)
    assert {"sqlalchemy", "cel", "httpx", "structlog"} <= loaded
    assert not {*OF_OTHERS, *DRAWING} & loaded


def test_what_draws_is_not_there_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever asks for it afterwards gets it; what is loaded stays so."""
    kept = [n for n in sys.modules if n.partition(".")[0] == "pygments"]
    for name in kept:
        monkeypatch.delitem(sys.modules, name)
    rich = importlib.import_module("rich")
    with undrawn():
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("pygments")
        assert importlib.import_module("rich") is rich
    assert importlib.import_module("pygments")
