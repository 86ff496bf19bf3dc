"""Real faults of this machine: found, mended, and measured, end to end.

A real alert comes in, a rule chooses, the guard allows, the local hands act
on real processes and files, and what was measured before and after says
whether it helped.
"""

import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from psutil import virtual_memory

from app.core.machine import read_memory
from tests.flow.acting import ActingService
from tests.flow.deciding import firing
from tests.flow.local_main import AHEAD_HOURS, FOLDER
from tests.unit.act.local.sweeps import mount_disk, needs_root
from tests.unit.act.local.victims import wait_for

HOST = "web-01"
SPIN = "while True: pass"
# Works for a third of its time.
WORK = """
import time
while True:
    end = time.monotonic() + 0.02
    while time.monotonic() < end:
        pass
    time.sleep(0.05)
"""
# It holds more than others take or give back meanwhile, and takes more; it
# ends by itself with less than most machines have.
MB = 2**20
HELD_MB, FLOOR_MB, ROOM_MB = 1_500, 1_200, 900
GROW = f"""
import time
held = [bytearray(b"x") * {HELD_MB * MB}]
while len(held) < 800:
    held.append(bytearray(b"x") * {MB})
    time.sleep(0.1)
time.sleep(60)
"""
REST = "import time\ntime.sleep(150)"
SOON = {"hold_seconds": 2, "within_seconds": 60, "every_seconds": 1}
POLICY = """
rules: []
trust: {ladder: [], otherwise: auto}
budgets: []
blast: {siblings: 1000, targets: 1000}
"""


def action(name: str, job: str, check: dict[str, Any], **more: Any) -> str:
    """Return the YAML of an action that this machine does."""
    host = {"purpose": "the host", "shape": "host", "labels": ["instance"]}
    parameters = {"host": host, **more.pop("parameters", {})}
    return yaml.safe_dump(
        {
            "name": name,
            "purpose": "Mend it.",
            "when_to_use": "When it is broken.",
            "when_not_to_use": "When it is not.",
            "parameters": parameters,
            "risk": "destructive",
            "run": {"backend": "local", "job": job, "timeout_seconds": 60},
            "check": {**SOON, **check},
            "cooldown_seconds": 0,
            **more,
        }
    )


ACTIONS = {
    "end_it": action(
        "end_it",
        "kill-process",
        {"name": "process_is_calm", "options": {"limit": 60}},
        parameters={
            "process": {
                "purpose": "the program",
                "shape": "program",
                "labels": ["process"],
            }
        },
    ),
    "clean_it": action(
        "clean_it",
        "free-disk-space",
        {"name": "disk_has_room"},
        parameters={
            "path": {
                "purpose": "the path",
                "shape": "path",
                "labels": ["mountpoint"],
            }
        },
    ),
}
RULES = {
    "rules": [
        {
            "name": f"rule {name}",
            "matchers": [f'alertname="{alert}"'],
            "action": name,
            "reason": "It is what helps.",
        }
        for alert, name in (
            ("Runaway", "end_it"),
            ("Full", "clean_it"),
            ("Swelling", "free_memory"),
            ("Strange", "escalate"),
        )
    ]
}


class LocalService(ActingService):
    """A service that may act on the machine that it runs on."""

    entry = ("-m", "tests.flow.local_main")
    # Its hands tell their own programs from others by their command lines.
    forks = False

    def __init__(
        self, folder: Path, room: float = 90, /, **deeds: Any
    ) -> None:
        more = folder / "actions"
        more.mkdir()
        for name, text in ACTIONS.items():
            (more / f"{name}.yaml").write_text(text)
        rules = folder / "rules.yaml"
        rules.write_text(yaml.safe_dump(RULES))
        local = {
            "allow": [
                "collect-diagnostics",
                "kill-process",
                "free-disk-space",
                "free-memory",
            ],
            "folder": str(folder / "local"),
            "deeds": deeds,
        }
        super().__init__(
            folder,
            backends={"local": local},
            act={
                "poll_seconds": 0.1,
                "change": {"free_memory": {**SOON, "cooldown_seconds": 0}},
            },
            checks={"memory_has_room": {"limit": room}},
            brains={"rules": {"file": str(rules)}},
            decide={
                "brain": "rules",
                "settle_seconds": 0,
                "rest_seconds": 0,
            },
            host={"names": [HOST]},
        )
        (folder / "policy.yaml").write_text(POLICY)
        self._environ[FOLDER] = str(more)

    def mend(self, alertname: str, **labels: str) -> int:
        """Let an alert fire; return its incident."""
        alert = firing(HOST, alertname)
        alert["labels"].update(labels, alertname=alertname)
        self.fire(alert)
        found = self.get("/incidents")["items"]
        self.wait_for(lambda: self.get("/incidents")["items"])
        found = self.get("/incidents")["items"]
        return int(found[0]["id"])

    def verdict_of(self, incident: int) -> dict[str, Any]:
        """Return the job of an incident as soon as it was measured."""
        self.wait_for_stage(incident, "closed", "escalated")
        told = self.get("/log", incident=incident)["items"]
        assert self.mission_of(incident)["end"] == "fixed", [
            one["summary"] for one in told
        ]
        return dict(self.get(f"/jobs/{self.job_of(incident)['id']}"))

    def output_of(self, job: int) -> str:
        """Return what a job wrote."""
        return str(self.get(f"/jobs/{job}/output")["text"])


@contextmanager
def program(folder: Path, name: str, *codes: str) -> Iterator[list[Any]]:
    """Let real processes of one program run; end what is left of them."""
    path = folder / name
    shutil.copy2(os.path.realpath(sys.executable), path)
    home = {"PYTHONHOME": sys.base_prefix, "PATH": os.environ["PATH"]}
    running = [
        subprocess.Popen([str(path), "-c", code], env=home) for code in codes
    ]
    try:
        yield running
    finally:
        for one in running:
            if one.poll() is None:
                one.kill()
            one.wait(timeout=30)


def test_the_runaway_ends_and_the_busy_one_lives(tmp_path: Path) -> None:
    """The culprit is measured; the verdict has figures before and after."""
    me = pwd.getpwuid(os.geteuid()).pw_name
    limits = {"cpu_percent": 60, "window_seconds": 1, "users": [me]}
    with (
        program(tmp_path, "crunch", SPIN, WORK) as (runaway, healthy),
        LocalService(tmp_path, **{"kill-process": limits}) as service,
    ):
        incident = service.mend("Runaway", process="crunch")
        job = service.verdict_of(incident)
        output = service.output_of(job["id"])
        assert job["verdict"] == "fixed", (job, output)
        assert runaway.wait(timeout=30) != 0
        assert healthy.poll() is None
        before, after = job["before"][-1], job["after"][-1]
        assert before["value"] > before["limit"] >= after["value"]
        assert f"pid {runaway.pid}" in output or str(runaway.pid) in output
        mission = service.mission_of(incident)
        assert (mission["stage"], mission["end"]) == ("closed", "fixed")


def growing(*end: str) -> dict[str, Any]:
    """Return when free-memory takes one for the grower, and whom it ends."""
    total = virtual_memory().total
    return {
        "free-memory": {
            "users": [pwd.getpwuid(os.geteuid()).pw_name],
            "growth_mb_per_minute": 300,
            # Nothing that other tests let grow meanwhile holds so much.
            "growth_floor_percent": 100 * FLOOR_MB * MB / total,
            "window_seconds": 2,
            "end": list(end),
        }
    }


def test_the_grower_ends_and_the_one_that_rests_lives(tmp_path: Path) -> None:
    """Nobody named it; it is weighed as what ends a process."""
    room = read_memory() + 100 * ROOM_MB * MB / virtual_memory().total
    with (
        LocalService(tmp_path, room, **growing("swell")) as service,
        program(tmp_path, "swell", GROW, REST) as (grower, resting),
    ):
        wait_for(lambda: read_memory() > room)
        incident = service.mend("Swelling")
        job = service.verdict_of(incident)
        output = service.output_of(job["id"])
        assert (job["action"], job["risk"]) == ("free_memory", "destructive")
        assert job["verdict"] == "fixed", (job, output)
        assert grower.wait(timeout=30) != 0
        assert resting.poll() is None
        before, after = job["before"][-1], job["after"][-1]
        assert before["value"] > before["limit"] > after["value"], output
        assert f"will be ended: swell[{grower.pid}]" in output


@pytest.mark.long
def test_a_grower_that_the_policy_protects_lives(tmp_path: Path) -> None:
    """No argument names it: the hands are told of it with the order."""
    service = LocalService(tmp_path, 0.1, **growing("swell"))
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"{POLICY}protected: {{processes: [SWELL]}}\n")
    with service, program(tmp_path, "swell", GROW) as (grower,):
        job = service.wait_for_job(service.mend("Swelling"), "failed")
        assert "swell is protected by the policy" in job["reason"]
        assert grower.poll() is None


@needs_root
def test_a_full_disk_has_room_again(tmp_path: Path) -> None:
    """Old files of an allowed pattern go; a new one, and another, stay."""
    with mount_disk(tmp_path / "disk") as disk:
        old, young = disk / "old.log.1", disk / "young.log.1"
        other = disk / "data.db"
        old.write_bytes(b"x" * 13 * 2**20)
        young.write_bytes(b"y" * 2**20)
        other.write_bytes(b"z" * 2**19)
        # The hands live some hours ahead: only this one is new to them.
        soon = time.time() + (AHEAD_HOURS + 1) * 3_600
        os.utime(young, (soon, soon))
        rule = {
            "root": str(disk),
            "globs": ["*.log.[0-9]"],
            "min_age_hours": 1,
        }
        deeds = {"free-disk-space": {"rules": [rule]}}
        with LocalService(tmp_path, **deeds) as service:
            incident = service.mend("Full", mountpoint=str(disk))
            job = service.verdict_of(incident)
            output = service.output_of(job["id"])
            assert job["verdict"] == "fixed", (job, output)
            assert job["before"][-1]["value"] > 85 > job["after"][-1]["value"]
        assert not old.exists()
        assert young.exists()
        assert other.exists()


def test_what_is_handed_over_goes_with_evidence(tmp_path: Path) -> None:
    """Nobody asked for it: code looks, and says what stands out first."""
    with LocalService(tmp_path) as service:
        incident = service.mend("Strange")
        job = service.wait_for_job(incident, "succeeded")
        assert job["action"] == "collect_diagnostics"
        assert job["proposer"] == "code:evidence"
        text = service.output_of(job["id"])
        first, second, third = text.splitlines()[:3]
        assert first.startswith("# evidence: ")
        assert second == "## what stands out"
        assert third.startswith("- ")
        service.wait_for_stage(incident, "escalated")
        jobs = service.get("/jobs", incident=incident)["items"]
        assert len(jobs) == 1
