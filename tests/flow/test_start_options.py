"""The words of the one command: in any order, and what makes no sense."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.flow.test_start_environment import HOME, NOT_RUNNING, Tree

# Tells how the demo would be started, and does all else.
PYTHON = """#!/bin/sh
case "$*" in
"-m scripts.demo"*)
  echo "started: $* on ${{SMOKEJUMPER_SERVER__PORT:-its own port}}"
  exit 0
  ;;
esac
exec "{python}" "$@"
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Return a copy of the tree whose demo only says how it was started."""
    made = Tree(tmp_path_factory.mktemp("options"))
    made.add_packages()
    python = made.home / ".venv" / "bin" / "python"
    python.write_text(PYTHON.format(python=sys.executable))
    return made


@pytest.mark.parametrize(
    ("words", "started"),
    [
        ("--demo", "-m scripts.demo on its own port"),
        ("--demo --port 9000", "-m scripts.demo on 9000"),
        ("--port 9000 --demo", "-m scripts.demo on 9000"),
        ("--demo cpu --port=9000 disk", "-m scripts.demo cpu disk on 9000"),
        ("all --demo", "-m scripts.demo all on its own port"),
    ],
)
def test_a_demo_takes_its_words_in_any_order(
    tree: Tree, words: str, started: str
) -> None:
    """Faults go to the demo, the port goes with them."""
    done = tree.run(*words.split())
    assert done.returncode == 0, done.stdout
    assert f"started: {started}" in done.stdout


def say(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the one command where it ends before it does anything."""
    return subprocess.run(
        [HOME / "start_environment.sh", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("words", ["--demo --help", "-h --demo", "--help"])
def test_the_help_is_there_beside_a_demo_too(words: str) -> None:
    """It names the faults."""
    done = say(*words.split())
    assert done.returncode == 0
    assert "--demo all, or cpu, disk, service, memory" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cpu", "there is no option cpu."),
        ("--demo --nope", "there is no option --nope."),
        ("--demo --port web", "--port needs a number"),
        ("--demo --stop", "--demo and --stop do not go together."),
        ("--status --demo", "--status and --demo do not go together."),
        ("--demo --docker", "--demo and --docker do not go together."),
        ("cpu --docker", "there is no option cpu."),
    ],
)
def test_what_makes_no_sense_is_told(words: str, said: str) -> None:
    """With the help, and nothing was done."""
    done = say(*words.split())
    assert done.returncode == 2
    assert f"Error: {said}" in done.stdout
    assert "./start_environment.sh --help" in done.stdout


def test_the_demo_by_itself_says_what_there_is() -> None:
    """As a module, too."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.demo", "--help"],
        cwd=Path(HOME),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert "--demo all" in done.stdout


def test_what_may_not_be_read_is_not_guessed(tree: Tree) -> None:
    """That it does not run is said by who can know it."""
    file = tree.home / "var" / "smokejumper.pid"
    file.mkdir(parents=True)
    done = tree.run("--status")
    assert done.returncode == 1
    assert f"may not read {file}" in done.stdout
    assert "not known whether it runs" in done.stdout
    file.rmdir()


def test_it_finds_its_folder_by_a_link_and_beside_cdpath(tree: Tree) -> None:
    """As people call it: by a link of theirs, from the folder above."""
    script, above = tree.home / "start_environment.sh", tree.home.parent
    first, second = above / "first", above / "bin" / "fire"
    second.parent.mkdir()
    first.symlink_to(script)
    second.symlink_to("../first")
    elsewhere = above / "elsewhere"
    (elsewhere / tree.home.name).mkdir(parents=True)
    environ = {**tree.environ, "CDPATH": f"{elsewhere}:."}
    for called in (second, Path("bin/fire"), script.relative_to(above)):
        done = subprocess.run(
            ["bash", called, "--status"],
            cwd=above,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == NOT_RUNNING, done.stderr
        assert done.stderr == ""
    assert list(elsewhere.rglob("*")) == [elsewhere / tree.home.name]
