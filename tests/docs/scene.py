"""What a page is tried against: a service, and those whom it talks to."""

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml

from app.core.line import ONLY_TO
from tests.docs.blocks import HOME
from tests.flow.acting import ActingService
from tests.flow.deciding import firing
from tests.flow.telling import Pager
from tests.models.fake_ollama import FakeOllama, chat
from tests.nest import Nest
from tests.unit.simulator.running import Simulator

# As many incidents as most pages have numbers for.
FEW = 10
JOB = {"steps": [{"says": "begun\n"}], "seconds": 600}
PATIENCE_SECONDS = 60.0
# The status of each answer is read, beside that of the program.
PRELUDE = (
    "curl() { command curl --max-time 30"
    " -w '%{stderr}\\nHTTP %{http_code}\\n' \"$@\"; }\n"
)
RULES = {
    "rules": [
        {
            "name": "look",
            "matchers": ['alertname=~".+"'],
            "action": "collect_diagnostics",
            "reason": "It is looked at first.",
        }
    ]
}
POLICY = (
    "blast: {siblings: 1000, targets: 1000}\n"
    "trust: {ladder: [], otherwise: approve}\n"
)
Tree = dict[str, Any]
Done = subprocess.CompletedProcess[str]


class Scene:
    """A folder, and whatever a page needs beside it, started when asked."""

    def __init__(
        self,
        folder: Path,
        nest: Nest,
        incidents: int = FEW,
        settings: Tree | None = None,
    ) -> None:
        """Take where it is, how many incidents, and further settings."""
        self.folder = folder
        self.settings = settings or {}
        self._nest = nest
        self._incidents = incidents
        self._open = ExitStack()
        (folder / "var").mkdir()
        for name in (".venv", "main.py"):
            (folder / name).symlink_to(HOME / name)

    def __enter__(self) -> Self:
        """Be there; nothing is started before somebody needs it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all that was started."""
        self._open.close()

    @cached_property
    def ollama(self) -> FakeOllama:
        """Return a server of models that answers without thinking."""
        fake = FakeOllama(chat('{"choice": 1, "reason": "first"}'))
        fake.pulled = [{"status": "pulling manifest"}, {"status": "success"}]
        return self._open.enter_context(fake)

    @cached_property
    def pager(self) -> Pager:
        """Return whom the channel leads to."""
        return self._open.enter_context(Pager())

    @cached_property
    def simulator(self) -> Simulator:
        """Return a running simulator."""
        started = Simulator(self.folder)
        self._open.callback(started.stop)
        return started.start()

    @cached_property
    def resting(self) -> "PageService":
        """Return the service before anybody needs that it runs."""
        return PageService(self)

    @cached_property
    def service(self) -> "PageService":
        """Return the running service, with an incident for each host."""
        made = self.resting
        self._open.enter_context(made)
        hosts = [f"web-{n:02}" for n in range(1, self._incidents + 1)]
        made.fire(*map(alert, hosts))
        made.wait_for(lambda: made.asked() >= len(hosts))
        return made

    def environ(self) -> dict[str, str]:
        """Return what commands find in their environment."""
        # All that the settings name is here; so is a model that a command
        # makes itself.
        usual = self.resting.environ
        plain = {n: text for n, text in usual.items() if n != ONLY_TO}
        return {
            **plain,
            "SMOKEJUMPER_CONFIG": str(self.resting.config),
            "SIMULATOR_CONFIG": str(self.folder / "simulator.yaml"),
            # Where a line needs the shell, ours is found as in the tree.
            "PYTHONPATH": str(HOME),
            "COLUMNS": "200",
        }

    def shell(self, text: str, until: str = "") -> Done:
        """Return what comes of a line that somebody types."""
        return self._run(lambda *to: self._type(text, *to), until)

    def _type(self, text: str, out: Path, err: Path) -> Any:
        """Start a line in a session of its own."""
        with out.open("w") as printed, err.open("w") as complaints:
            return subprocess.Popen(
                ["bash", "-c", PRELUDE + text],
                cwd=self.folder,
                env=self.environ(),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=complaints,
                start_new_session=True,
            )

    def program(self, words: tuple[str, ...], until: str = "") -> Done:
        """Return what comes of a program of ours."""
        there = ["-m", "tests.docs.there", str(self.folder), *words]
        env = self.environ()
        return self._run(
            lambda out, err: self._nest.start(there, env, out, err), until
        )

    def _run(self, start: Callable[[Path, Path], Any], until: str) -> Done:
        """Run something to its end, or until it has said something."""
        out, err = self.folder / "out", self.folder / "err"
        out.write_text("")
        err.write_text("")
        running = start(out, err)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (status := running.poll()) is None:
            assert time.monotonic() < deadline, "it never came to an end"
            if until and until in out.read_text() + err.read_text():
                _end(running)
                status = 0
                break
            time.sleep(0.005)
        return Done((), status, out.read_text(), err.read_text())


def _end(running: Any) -> None:
    """End what goes on for ever, and wait for it."""
    if isinstance(running, subprocess.Popen):
        os.killpg(running.pid, 15)
    else:
        running.send_signal(15)
    running.wait(timeout=PATIENCE_SECONDS)


class PageService(ActingService):
    """A service with the settings that it comes with, and rules that look.

    Only what must not meet others is changed: ports, files and who is asked.
    """

    entry = ("main.py",)

    def __init__(self, scene: Scene) -> None:
        folder = scene.folder
        rules = folder / "rules.yaml"
        rules.write_text(yaml.safe_dump(RULES))
        file = HOME / "config" / "smokejumper.yaml"
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
        run = {
            name: {"backend": "scripted", "job": "quick"}
            for name in ("collect_diagnostics", "restart_service")
        }
        more = {
            **{name: tree[name] for name in ("sources", "report", "menu")},
            "backends": {"scripted": {"jobs": {"quick": JOB}}},
            "act": {"poll_seconds": 0.1, "run": run},
            "brains": {
                "rules": {"file": str(rules)},
                "ollama": {"enabled": True, "url": scene.ollama.url},
            },
            "decide": {"settle_seconds": 0, "rest_seconds": 0},
            "channels": {"ops": scene.pager.channel},
            **scene.settings,
        }
        super().__init__(folder, **more)

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment that it is started with."""
        return self._environ

    def asked(self) -> int:
        """Return how many questions people have been asked."""
        return len(self.get("/approvals", limit=500)["items"])

    def grant(self, *numbers: int) -> None:
        """Grant questions, and wait for what comes of it."""
        for number in numbers:
            assert self.answer(number, "grant").status_code == 200
        self.wait_for(lambda: self.get("/jobs")["items"][len(numbers) - 1 :])


def alert(host: str) -> dict[str, Any]:
    """Return an alert about a host and a service on it."""
    return firing(host, service="nginx", team="shop")
