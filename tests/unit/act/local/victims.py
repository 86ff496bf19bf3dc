"""Real processes that misbehave, and what a deed gets in tests.

A victim does not descend from the test: nobody may end his own tree. It is
held by a pidfd, and ends by itself should nobody end it.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel

from app.act.local.hand import Hand
from app.core.clock import Clock, SystemClock
from app.core.errors import ConfigProblem
from app.core.host import HostSettings
from app.core.look.past import Past
from app.models.job import Bounds

Settings = TypeVar("Settings", bound=BaseModel)
LAUNCH = '"$0" "$@" </dev/null >/dev/null 2>&1 & echo $!'
BEGIN = """
import os, signal, sys, time
signal.alarm(120)
def ready():
    open(sys.argv[1], "w").close()
"""
SPIN = "ready()\nwhile True: pass"
DEAF = f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SPIN}"
# Told to end, it becomes another program, under the same number.
BECOMES = f"""
def leave(*_):
    os.execv("/bin/sleep", ["sleep", "60"])
signal.signal(signal.SIGTERM, leave)
{SPIN}
"""
REST = "ready()\nwhile True: time.sleep(60)"
# Three parts of ten it works, and it rests as long however slow it was.
BUSY = """
ready()
while True:
    end = time.thread_time() + 0.03
    while time.thread_time() < end: pass
    time.sleep(0.07)
"""
# It ends with far less than any machine has.
LEAK = """
ready()
held = []
while len(held) < 800:
    held.append(bytearray(os.urandom(1024)) * 1024)
    time.sleep(0.05)
while True: time.sleep(60)
"""
SECONDS = 30.0
# What kill_process is told: it is destructive, and the policy adds nothing.
MAY_END = Bounds(may_end=True)


class Victim:
    """One process that is nobody's child here."""

    def __init__(self, folder: Path, name: str, code: str) -> None:
        program = folder / name
        if not program.exists():
            program.symlink_to(sys.executable)
        ready = folder / f"ready-{name}-{os.urandom(4).hex()}"
        said = subprocess.run(
            [
                "/bin/sh",
                "-c",
                LAUNCH,
                str(program),
                "-S",
                "-c",
                BEGIN + code,
                str(ready),
            ],
            env={"PYTHONHOME": sys.base_prefix},
            stdout=subprocess.PIPE,
            timeout=60,
            check=True,
        )
        self.pid = int(said.stdout)
        self._held = os.pidfd_open(self.pid)
        wait_for(lambda: ready.exists() or not self.runs)
        assert self.runs, f"{name} did not start"

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.kill()
        os.close(self._held)

    @property
    def runs(self) -> bool:
        """Tell whether it has not ended."""
        poll = select.poll()
        poll.register(self._held, select.POLLIN)
        return not poll.poll(0)

    def kill(self) -> None:
        """End it, and wait until it has."""
        if self.runs:
            signal.pidfd_send_signal(self._held, signal.SIGKILL)
        wait_for(lambda: not self.runs)


def wait_for(is_so: Callable[[], object]) -> None:
    """Return as soon as something is so; fail when it never is."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be so"
        time.sleep(0.01)


class HandOfATest(Hand):
    """A real hand that remembers what it said."""

    def __init__(
        self,
        folder: Path,
        seconds: float = 60.0,
        hears: Callable[[str], object] = bool,
        bounds: Bounds = MAY_END,
    ) -> None:
        self.lines: list[str] = []
        self.stop_file = folder / "stop"

        def write(text: str) -> None:
            """Remember it, and tell whoever listens."""
            self.lines.append(text)
            hears(text)

        super().__init__("sj-1-abc", seconds, write, self.stop_file, bounds)

    @property
    def said(self) -> str:
        """Return all that was said."""
        return "".join(self.lines)


class EnvOfATest:
    """What a deed gets: its settings as they would stand in the file."""

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any],
        host: HostSettings | None = None,
        past: Past | None = None,
    ) -> None:
        self.name = name
        self.clock: Clock = SystemClock()
        self.host = host or HostSettings()
        self.past = past or Past(self.clock)
        self._written = dict(settings)

    def settings(self, model: type[Settings]) -> Settings:
        """Return the settings."""
        return model.model_validate(self._written)

    def problem(self, what: str, remedy: str, *path: str) -> ConfigProblem:
        """Return a problem of a setting."""
        setting = ".".join(("backends.local.deeds", self.name, *path))
        return ConfigProblem(setting, "here", what, remedy)
