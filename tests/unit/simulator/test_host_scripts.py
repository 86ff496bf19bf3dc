"""host/*.sh: each is a short word for one command."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.simulator.running import HOME, Simulator

HOST = HOME / "host"
KINDS = ("cpu", "memory", "disk", "service", "io", "files", "zombies", "clock")
SCRIPTS = sorted(HOST.glob("*.sh"))


@pytest.fixture(scope="module")
def simulator(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Simulator]:
    """Share one running simulator."""
    running = Simulator(tmp_path_factory.mktemp("scripts"))
    try:
        yield running.start()
    finally:
        assert running.stop() == 0


def run(
    simulator: Simulator, folder: Path, script: str, *words: str
) -> subprocess.CompletedProcess[str]:
    """Run a script from a folder that is not the repository's."""
    return subprocess.run(
        [str(HOST / script), *words],
        cwd=folder,
        env=simulator.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_script_switches_a_fault_on_and_off(
    simulator: Simulator, tmp_path: Path
) -> None:
    """What is typed after it goes along, from any folder."""
    began = run(simulator, tmp_path, "clock_on.sh", "--level", "77")
    assert began.returncode == 0, began.stderr
    assert simulator.truths()[-1]["level"] == 77
    ended = run(simulator, tmp_path, "all_off.sh")
    assert ended.returncode == 0, ended.stderr
    assert simulator.truths()[-1]["ended_by"] == "person"
    wrong = run(simulator, tmp_path, "clock_on.sh", "--for", "soon")
    assert wrong.returncode == 2


@pytest.mark.parametrize("word", ["on", "off"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_scripts(kind: str, word: str) -> None:
    """Each passes its own kind on, and can be run."""
    path = HOST / f"{kind}_{word}.sh"
    assert path.stat().st_mode & 0o111
    last = path.read_text().splitlines()[-1]
    assert re.fullmatch(
        rf'exec "\$\(dirname .*\)/simulator\.sh" {word} {kind} "\$@"', last
    )


def test_without_a_python_it_says_so(
    simulator: Simulator, tmp_path: Path
) -> None:
    """It names what to do rather than fail somewhere inside."""
    simulator.environ["PYTHON"], kept = "/nowhere", simulator.environ["PYTHON"]
    found = run(simulator, tmp_path, "all_off.sh")
    simulator.environ["PYTHON"] = kept
    assert found.returncode == 2
    assert "start_environment.sh" in found.stderr


@pytest.mark.skipif(
    shutil.which("shellcheck") is None, reason="no shellcheck here"
)
def test_shellcheck_finds_nothing() -> None:
    """All of them at once."""
    found = subprocess.run(
        ["shellcheck", *map(str, SCRIPTS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""
