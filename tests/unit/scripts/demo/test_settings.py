"""The settings of a demo: right, quick, and free to act on nothing else."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.guard.policy import parse_policy
from scripts.demo.settings import (
    MB,
    make_hands,
    make_simulator,
    make_watch,
    memory_floor,
    write,
)
from scripts.demo.stage import (
    FOLDER,
    HOME,
    TMPFS,
    Stage,
    find_scratch,
    name_programs,
)
from simulator.settings import PROGRAMS, load_settings, make_settings
from simulator.stage import Stage as Simulated


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return a stage whose settings are written."""
    made = Stage(
        folder=tmp_path / "demo",
        python=Path(sys.executable),
        port=18_080,
        hosts=("simulator", "sim-cpu"),
        scratch=tmp_path / "scratch",
    )
    write(made)
    return made


def read(path: Path) -> dict[str, Any]:
    """Return what a settings file says."""
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def test_the_service_takes_them(stage: Stage) -> None:
    """check-config finds nothing wrong, and says where it will listen."""
    done = subprocess.run(
        [sys.executable, "main.py", "check-config", "--json"],
        cwd=HOME,
        env={**os.environ, "SMOKEJUMPER_CONFIG": str(stage.settings)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["address"] == "127.0.0.1:18080"


def test_the_simulator_takes_them(stage: Stage) -> None:
    """It is allowed here, on this machine only, within its caps."""
    settings = load_settings(stage.simulator_settings)
    settings.need_enabled()
    assert settings.listen == "127.0.0.1"
    assert settings.disk_path == stage.disk
    assert settings.host == "simulator"


def test_only_the_simulator_is_trusted(stage: Stage) -> None:
    """Elsewhere people are asked, two of them for what is destructive."""
    policy = parse_policy((stage.folder / "policy.yaml").read_text())
    free = [
        line
        for line in policy.says.trust.ladder
        if line.mode == "auto" and line.risk is None
    ]
    assert [line.environment for line in free] == ["simulator"]
    assert policy.says.trust.otherwise == "approve"
    own, rule = (one.says for one in policy.rules)
    assert (own.actions, own.outcome) == (("kill_process",), "deny")
    assert (rule.outcome, rule.people) == ("ask", 2)


def test_nobody_else_can_read_them(stage: Stage) -> None:
    """Folder and scratch are ours alone."""
    for folder in (stage.folder, stage.scratch):
        assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kind", [FOLDER, TMPFS])
def test_the_small_disk_is_measured(tmp_path: Path, kind: str) -> None:
    """A folder is told its size, a mounted one is named to the watch."""
    made = Stage(
        folder=tmp_path,
        python=Path(sys.executable),
        scratch=tmp_path / "s",
        disk_kind=kind,
    )
    write(made)
    tree = read(made.settings)
    disk = str(made.disk)
    assert (disk in tree["host"]["folders"]) == (kind == FOLDER)
    assert (disk in tree["watch"]["disks"]) == (kind == TMPFS)
    assert tree["checks"]["path_is_listed"]["paths"] == [disk]


def test_a_model_is_heard_when_there_is_one(stage: Stage) -> None:
    """Without one the trained gate is alone."""
    assert "brains" not in read(stage.settings)
    write(stage, model="llama3.2:3b")
    said = read(stage.settings)["brains"]["ollama"]
    assert said == {"enabled": True, "model": "llama3.2:3b"}


def test_a_leak_is_told_when_nobody_says_how_much(stage: Stage) -> None:
    """It grows by more than what is told of, and what is ended for it."""
    settings = make_settings(make_simulator(stage))
    (leak,) = (s for s in Simulated(settings).specs() if s.name == "memory")
    # A look sees steps of whole megabytes, so it measures now less, now more.
    told = make_watch(stage)["thresholds"]["process_memory"]
    ended = make_hands(stage)["deeds"]["kill-process"]
    assert leak.default >= 1.4 * told["limit"]
    assert leak.default >= 1.4 * ended["growth_mb_per_minute"]


@pytest.mark.parametrize("gigabytes", [1, 24, 256, 6_144])
def test_memory_counts_from_the_same_amount_on_each_machine(
    stage: Stage, gigabytes: int
) -> None:
    """A small part of what a leak may take, however large the machine is."""
    total = gigabytes * 1_024 * MB
    amount = memory_floor(total) / 100 * total
    most = make_simulator(stage)["most"]["memory_mb"]
    assert 16 * MB < amount < most * MB / 16


def test_it_needs_no_name_of_its_user(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the environment says of it is not asked; a number may be new."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    users = make_hands(stage)["deeds"]["kill-process"]["users"]
    assert users == [os.geteuid()]
    write(stage)
    test_the_service_takes_them(stage)


def test_two_demos_share_nothing(tmp_path: Path) -> None:
    """Each folder has a scratch of its own, in no home, and names."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    assert find_scratch(one) != find_scratch(two)
    assert find_scratch(one) == find_scratch(one)
    assert name_programs(one) != name_programs(two)
    assert re.fullmatch(PROGRAMS, name_programs(one))
    assert not find_scratch(one).is_relative_to(Path.home())
