"""The set-up scripts start in both ways in which people start a script."""

import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).parents[3]
NAMES = sorted(path.stem for path in HOME.glob("scripts/setup_*.py"))


def test_there_are_four() -> None:
    """All of those that docs/monitoring.md tells of."""
    assert len(NAMES) == 4


@pytest.mark.parametrize("is_module", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_each_starts_as_a_module_and_by_its_path(
    name: str, is_module: bool, tmp_path: Path
) -> None:
    """By its path from any folder; both say how they are used."""
    path = str(HOME / "scripts" / f"{name}.py")
    words = ["-m", f"scripts.{name}"] if is_module else [path]
    done = subprocess.run(
        [sys.executable, *words, "--help"],
        cwd=HOME if is_module else tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "--undo" in done.stdout
