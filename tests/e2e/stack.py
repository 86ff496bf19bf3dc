"""The service and the simulator as the demo sets them up, and rounds."""

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx
import pytest

from scripts.demo.following import Follower, Missed
from scripts.demo.programs import Program
from scripts.demo.settings import write
from scripts.demo.stage import FOLDER, TMPFS, Stage, find_scratch
from simulator.picture import draw
from simulator.records import Fact
from simulator.results import Score
from simulator.score import score
from simulator.score_reader import Reader, read_facts
from simulator.scorecard import as_json
from tests.programs import free_port

Row = dict[str, Any]
OVER_SECONDS = 90.0
OVER = ("resolved",)
ROUNDS = 5


class Lane(NamedTuple):
    """One fault that is caused again and again, beside the others.

    Attributes:
        fault: which kind.
        order: how strong, how long, and how.
        label: what an alert names it by: process, service or mountpoint.
    """

    fault: str
    order: Row
    label: str


LANES = (
    Lane("cpu", {"level": 95, "seconds": 80}, "process"),
    Lane("memory", {"level": 900, "seconds": 80}, "process"),
    Lane("disk", {"level": 95, "seconds": 80}, "mountpoint"),
    Lane("service", {"seconds": 80}, "service"),
)


def host_of(fault: str) -> str:
    """Return what this machine is called in the lane of a fault."""
    return f"sim-{fault}"


def in_lane(fact: Fact) -> Fact:
    """Return what happened, on the host that its lane is called."""
    target = {**fact.target, "host": host_of(fact.fault)}
    return fact.model_copy(update={"target": target})


class Stack:
    """The service and the simulator, both as processes of their own.

    Attributes:
        stage: where they are.
        missed: which round did not come to its end, and where it stood.
    """

    def __init__(
        self,
        folder: Path,
        programs: str,
        *,
        watches: bool = False,
        spool: str = "own",
    ) -> None:
        """Write the settings; every lane has a host name of its own.

        Args:
            folder: where they live.
            programs: how the simulator's programs are called: other runs on
                this machine have others.
            watches: whether the service watches this machine itself.
            spool: where the dummy service writes: by default its lane goes
                on while the disk of another one is full.
        """
        is_root = os.geteuid() == 0
        folder.mkdir(parents=True, exist_ok=True)
        self.stage = Stage(
            folder=folder,
            python=Path(sys.executable),
            port=free_port(),
            simulator_port=free_port(),
            shop_port=free_port(),
            hosts=("simulator", *(host_of(lane.fault) for lane in LANES)),
            watches=watches,
            scratch=find_scratch(folder),
            programs=programs,
            spool=spool,
            disk_kind=TMPFS if is_root and not watches else FOLDER,
        )
        write(self.stage)
        self.missed: list[str] = []
        self._programs = ExitStack()

    def __enter__(self) -> Self:
        """Start both, and return when they are ready."""
        stage = self.stage
        environ = {
            **os.environ,
            "SMOKEJUMPER_CONFIG": str(stage.settings),
            "SMOKEJUMPER_CANARY__ENABLED": "false",
            "SIMULATOR_CONFIG": str(stage.simulator_settings),
        }
        python = str(stage.python)
        for name, words, ready in (
            ("simulator", ["-m", "simulator", "serve"], self._state),
            ("service", ["main.py", "serve"], f"{stage.url}/ready"),
        ):
            log = stage.folder / f"{name}.log"
            program = Program(name, [python, *words], log, environ)
            self._programs.callback(program.stop)
            try:
                program.wait_until_ready(ready)
            except BaseException:
                self._programs.close()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        """End both; nothing of a fault may stay."""
        self._programs.close()
        left = (
            list(self.stage.disk.glob("*")) if self.stage.disk.exists() else []
        )
        shutil.rmtree(self.stage.scratch, ignore_errors=True)
        assert not left, f"the simulator left {left}"

    @property
    def _state(self) -> str:
        """Return where the simulator says how it is."""
        return f"{self.stage.simulator_url}/api/state"

    def play(
        self, lanes: tuple[Lane, ...] = LANES, rounds: int = ROUNDS
    ) -> None:
        """Cause each fault so many times, the lanes side by side.

        A round is over when its incident is; one that never is counts in
        the score, and the next one begins.
        """
        with ThreadPoolExecutor(len(lanes)) as pool:
            for future in [
                pool.submit(self._play_lane, lane, rounds) for lane in lanes
            ]:
                future.result()

    def _play_lane(self, lane: Lane, rounds: int) -> None:
        """Play one lane."""
        with closing(Follower(self.stage.url)) as follower:
            for _ in range(rounds):
                follower.begin()
                truth = self.cause(lane.fault, lane.order)
                try:
                    self._follow(follower, truth, lane)
                except Missed as error:
                    self.missed.append(f"{lane.fault}: {error}")
                finally:
                    self.end(lane.fault)

    def _follow(self, follower: Follower, truth: Row, lane: Lane) -> None:
        """Return when a fault is gone, and the last incident about it over.

        Monitoring that misses a look may take an alert back while the fault
        goes on; it tells of it again.
        """
        labels = {lane.label: truth["target"][lane.label]}
        follower.find_alert(labels)
        self.wait_until_gone(truth["id"])
        last = follower.find_alert(labels)
        self.wait_until_over(int(last.row["incident_id"]))

    def wait_until_gone(self, number: str) -> None:
        """Return when the simulator sees a fault ended, or raise Missed."""
        deadline = time.monotonic() + OVER_SECONDS
        url = f"{self.stage.simulator_url}/api/truth"
        while time.monotonic() < deadline:
            rows = httpx.get(url, timeout=10).json()["truth"]
            if any(r["id"] == number and r["ended_at"] for r in rows):
                return
            time.sleep(0.25)
        raise Missed(f"the fault {number} goes on")

    def wait_until_over(self, incident: int) -> None:
        """Return when an incident is over, or raise Missed."""
        deadline = time.monotonic() + OVER_SECONDS
        url = f"{self.stage.url}/api/v1/incidents/{incident}"
        state = ""
        while time.monotonic() < deadline:
            row = httpx.get(url, timeout=10).json()
            mission = row["mission"] or {}
            state = f"{row['state']}, {mission.get('stage')}"
            if row["state"] in OVER and mission.get("stage") == "closed":
                return
            time.sleep(0.25)
        raise Missed(f"incident {incident} is not over: {state}")

    def cause(self, fault: str, order: Mapping[str, Any]) -> Row:
        """Cause a fault, and return what the simulator says of it."""
        answer = httpx.post(
            f"{self.stage.simulator_url}/api/faults/{fault}",
            json=dict(order),
            timeout=20,
        )
        assert answer.status_code == 201, answer.text
        truth: Row = answer.json()
        return truth

    def end(self, fault: str) -> None:
        """End what is left of a fault."""
        httpx.delete(
            f"{self.stage.simulator_url}/api/faults/{fault}", timeout=20
        )

    def score(self, name: str) -> Score:
        """Return how well the service did; kept where E2E_FOLDER says."""
        facts = read_facts(self.stage.simulator_url)
        if not self.stage.watches:
            facts = [in_lane(fact) for fact in facts]
        with Reader(self.stage.url) as reader:
            found = score(facts, *reader.story(facts))
        folder = os.environ.get("E2E_FOLDER")
        if folder:
            place = Path(folder)
            place.mkdir(parents=True, exist_ok=True)
            told = json.dumps(as_json(found), indent=2)
            (place / f"{name}.json").write_text(told, encoding="utf-8")
            (place / f"{name}.svg").write_text(draw(found), encoding="utf-8")
        return found


def need(programs: Mapping[str, str]) -> None:
    """Skip, or fail where they must be there, when programs are missing."""
    missing = {
        program: package
        for program, package in programs.items()
        if shutil.which(program) is None
    }
    if not missing:
        return
    packages = " ".join(sorted(set(missing.values())))
    remedy = f"{', '.join(missing)} missing: apt-get install {packages}"
    if os.environ.get("REAL_SYSTEMS") == "required":
        pytest.fail(remedy)
    pytest.skip(remedy)
