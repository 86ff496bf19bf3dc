"""The soak runs what it is told to, and believes nothing but ledgers."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from scripts.soak import __main__ as soak
from scripts.soak.parts import BY_NAME, PARTS, Part, Run
from scripts.soak.running import HOME, Soak
from tests.chaos.load import wait_until
from tests.chaos.tally import RESULTS

FOUND = """
    from tests.chaos.tally import settle

    def test_one():
        settle("kills", 5, [])

    def test_two():
        settle("cuts", 7, {faults})
"""


def play(folder: Path, text: str, **more: object) -> list[tuple[object, ...]]:
    """Return what a part is told to be that has one file of tests."""
    file = folder / "test_them.py"
    file.write_text(dedent(text))
    run = Run(tests=(str(file),), **more)  # type: ignore[arg-type]
    lines = Soak(folder, 1.0).play(Part("part", "", (run,)))
    return [
        (
            one.what,
            one.amount,
            (one.lost, one.doubled, one.unexplained, one.missing),
        )
        for one in lines
    ]


def test_a_part_says_what_its_ledgers_say(tmp_path: Path) -> None:
    """A line for each kind of proof, and none for what went well."""
    goals = {"kills": 5, "cuts": 7}
    told = play(tmp_path, FOUND.format(faults=[]), goals=goals)
    assert told == [("kills", 5, (0,) * 4), ("cuts", 7, (0,) * 4)]


def test_what_was_lost_or_not_done_is_told(tmp_path: Path) -> None:
    """What a ledger found, and what nobody did, are not passed over."""
    text = FOUND.format(faults=["lost: one", "lost: two", "twice: one"])
    goals = {"kills": 8, "storms": 2}
    assert play(tmp_path, text, goals=goals) == [
        ("kills", 5, (0, 0, 0, 3)),
        ("cuts", 7, (2, 1, 0, 0)),
        ("storms", 0, (0, 0, 0, 2)),
    ]


def test_a_crash_is_unexplained(tmp_path: Path) -> None:
    """A test that ends before its ledger is read is not all 0."""
    text = "def test_it():\n    raise TimeoutError\n"
    (told,) = play(tmp_path, text)
    assert told[2] == (0, 0, 1, 0)


def test_tests_without_a_ledger_are_counted(tmp_path: Path) -> None:
    """What passed counts; what failed is unexplained; none is too few."""
    text = "def test_a(): ...\ndef test_b(): ...\ndef test_c(): assert 0\n"
    (told,) = play(tmp_path, text, counts="cases")
    assert told == ("cases", 3, (0, 0, 1, 0))
    text = "import pytest\ndef test_a(): pytest.skip('not here')\n"
    (told,) = play(tmp_path, text, counts="cases")
    assert told == ("cases", 0, (0, 0, 0, 1))


@pytest.mark.long
def test_the_command_plays_a_part_and_keeps_the_table(
    tmp_path: Path,
) -> None:
    """A few histories, through the script that people start."""
    words = ["scripts/soak.sh", "--scale", "0.001", "simulation"]
    words += ["--folder", str(tmp_path)]
    done = subprocess.run(
        words, cwd=HOME, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "simulation" in done.stdout
    assert "All 0." in done.stdout
    (file,) = tmp_path.glob("*/table.json")
    table = json.loads(file.read_text())
    assert (table["scale"], table["is_fine"]) == (0.001, True)
    (line,) = table["lines"]
    assert (line["what"], line["amount"]) == ("histories", 10)
    assert (line["lost"], line["doubled"], line["unexplained"]) == (0, 0, 0)


@pytest.mark.long
def test_who_ends_the_soak_ends_what_it_started(tmp_path: Path) -> None:
    """SIGTERM: no program of it goes on, and it is no success."""
    words = [sys.executable, "-m", "scripts.soak", "simulation"]
    soaking = psutil.Popen([*words, "--folder", str(tmp_path)], cwd=HOME)
    wait_until(lambda: len(soaking.children(recursive=True)) > 1, "its start")
    started = soaking.children(recursive=True)
    soaking.terminate()
    assert soaking.wait(60) == 130
    _, alive = psutil.wait_procs(started, 30)
    assert alive == []


def test_the_status_tells_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One part that is not fine is enough."""
    text = FOUND.format(faults=["lost: one"])
    file = tmp_path / "test_them.py"
    file.write_text(dedent(text))
    part = Part("bad", "", (Run(tests=(str(file),)),))
    monkeypatch.setitem(BY_NAME, "bad", part)
    monkeypatch.delenv(RESULTS, raising=False)
    assert soak.main(["bad", "--folder", str(tmp_path)]) == 1
    (kept,) = tmp_path.glob("*/table.json")
    assert json.loads(kept.read_text())["is_fine"] is False


def test_what_is_soaked_is_there() -> None:
    """Each part has a name of its own, and its tests exist."""
    names = [part.name for part in PARTS]
    assert len(set(names)) == len(names)
    for part in PARTS:
        for run in part.runs:
            assert bool(run.tests) != bool(run.module), part.name
            for test in run.tests:
                if test.endswith(".py"):
                    assert (HOME / test).is_file(), test
