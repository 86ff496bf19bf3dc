"""The demo by the one command, in a copy of the tree, as a newcomer has it."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.test_demo import STORY
from tests.flow.test_start_environment import NOT_RUNNING, Tree
from tests.real.waiting import wait_for


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """Return a copy that is ready to start, and keeps its files to itself."""
    made = Tree(tmp_path)
    made.add_packages()
    made.environ["SMOKEJUMPER_SERVER__PORT"] = str(made.port)
    with tempfile.TemporaryDirectory(prefix="demo-") as place:
        made.environ["TMPDIR"] = place
        yield made


def alive(tree: Tree) -> Iterator[int]:
    """Yield the processes that run in the copy, or for it."""
    for one in psutil.process_iter(["cwd", "cmdline"]):
        words = " ".join(one.info["cmdline"] or ())
        if str(tree.home) in f"{one.info['cwd']} {words}":
            yield one.pid


@pytest.mark.long
def test_the_one_command_shows_a_fault_fixed(tree: Tree) -> None:
    """Each step is told, the verdict is fixed, and nothing stays."""
    done = tree.run("--demo", "cpu")
    said = done.stdout
    assert done.returncode == 0, said
    assert "A fault: cpu" in said
    steps = [re.search(rf" [\d.]+ s {step} ", said) for step in STORY]
    assert all(steps), said
    places = [one.start() for one in steps if one]
    assert places == sorted(places), said
    assert "From fault to fixed: " in said
    assert f"console {tree.url}/console/incidents" in said
    # Who clears up after it is the last to go.
    wait_for("an end", lambda: not list(alive(tree)))
    assert not list((tree.home / "var").glob("demo-*"))
    assert not list(Path(tree.environ["TMPDIR"]).iterdir())
    assert tree.run("--status").returncode == NOT_RUNNING
