"""The units for systemd, as systemd itself reads and rates them."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.programs import need

HOST = Path(__file__).parents[2] / "host"
# The most that each may be exposed, of 10; what docs/hands.md says.
MOST = {"smokejumper.service": 1.6, "smokejumper-hands.service": 2.2}
# On the machine of a test there is neither our folder nor our user.
MISSING = re.compile(
    r"is not executable: No such file|Failed to (create|prepare|connect)"
    r"|Unit \S+ not found|man page"
)


def units(folder: Path) -> None:
    """Copy the units, with a program and users that every machine has."""
    for name in MOST:
        text = (HOST / name).read_text()
        text = re.sub(
            r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE
        )
        (folder / name).write_text(text)


@pytest.mark.parametrize("name", MOST)
def test_systemd_finds_no_fault_with_it(name: str, tmp_path: Path) -> None:
    """Every word of it is one that systemd knows."""
    program = need("systemd-analyze", "systemd")
    units(tmp_path)
    done = subprocess.run(
        [program, "verify", "--man=no", tmp_path / name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if name in line or "smokejumper" in line
        if not MISSING.search(line)
    ]
    assert said == []


@pytest.mark.parametrize(("name", "most"), MOST.items())
def test_systemd_rates_it_as_hardened(
    name: str, most: float, tmp_path: Path
) -> None:
    """It fails above the figure that the documentation tells."""
    program = need("systemd-analyze", "systemd")
    units(tmp_path)
    done = subprocess.run(
        [program, "security", "--offline=true", "--no-pager",
         f"--threshold={round(most * 10)}", tmp_path / name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr)


def test_each_runs_as_a_user_of_its_own() -> None:
    """And neither as root."""
    users = [
        re.findall(r"^User=(\S+)$", (HOST / name).read_text(), re.MULTILINE)
        for name in MOST
    ]
    assert users == [["smokejumper"], ["smokejumper-hands"]]
