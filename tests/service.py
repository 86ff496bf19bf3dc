"""The service as a process of its own, as a user starts it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

import httpx
import yaml

from tests.nest import Child, Nest
from tests.programs import free_port

HOME = Path(__file__).parent.parent
OPEN = {"auth": {"kind": "none"}}
START_SECONDS = 60.0


class Service:
    """A ``main.py serve`` with settings, database and port of its own."""

    entry: tuple[str, ...] = ("main.py",)
    # Whether it may be forked off a process that has imported all already.
    forks: bool = True
    nest: ClassVar[Nest | None] = None

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = folder / "smokejumper.db"
        self.log = folder / "service.log"
        self._environ = {
            **os.environ,
            "SMOKEJUMPER_INCIDENTS__ANCHOR_FILE": f"{folder}/log.anchor",
            "SMOKEJUMPER_ACCESS__SETUP_FILE": f"{folder}/setup.link",
            # Tests count deliveries, incidents and lines of the log.
            "SMOKEJUMPER_CANARY__ENABLED": "false",
            **(environ or {}),
        }
        self._process: subprocess.Popen[bytes] | Child | None = None
        self.config = folder / "smokejumper.yaml"
        tree: dict[str, Any] = {
            "server": {"port": self.port},
            "database": {"url": f"sqlite:///{self.database}"},
            "sources": {"alertmanager": OPEN},
            # Tests of other parts count the lines of the log.
            "decide": {"enabled": False},
            "backends": {"local": {"folder": str(folder / "local")}},
            **(settings or {}),
        }
        tree["server"] = {**tree["server"], "port": self.port}
        self.config.write_text(yaml.safe_dump(tree))

    @property
    def pid(self) -> int:
        """Return the process id of the running service."""
        if self._process is None:
            raise RuntimeError("the service does not run")
        return self._process.pid

    def start(self) -> Self:
        """Start it and return when it is ready."""
        self.launch()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            if self.is_ready():
                return self
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"not ready:\n{self.log.read_text()[-3000:]}")

    def launch(self) -> None:
        """Start it without waiting for anything."""
        self._process = self._open(self.log, self.log, "serve")

    def _open(
        self, out: Path, err: Path, *arguments: str
    ) -> "subprocess.Popen[bytes] | Child":
        """Start main.py with these words."""
        words = [*self.entry, *arguments, "-c", str(self.config)]
        if self.forks and self.nest and "LD_PRELOAD" not in self._environ:
            return self.nest.start(words, self._environ, out, err)
        with out.open("ab") as printed, err.open("ab") as complaints:
            return subprocess.Popen(
                self._command(*words),
                cwd=HOME,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=complaints,
            )

    def _command(self, *words: str) -> list[str]:
        """Return how these words are run as a program."""
        return [sys.executable, *words]

    def is_ready(self) -> bool:
        """Tell whether it says that it is ready."""
        try:
            # It asks often, and it is read by nobody: no certificates.
            answer = httpx.get(f"{self.url}/ready", timeout=2.0, verify=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of main.py on the same settings."""
        with TemporaryDirectory(prefix="smokejumper-") as name:
            out, err = Path(name) / "out", Path(name) / "err"
            running = self._open(out, err, *arguments)
            status = running.wait(timeout=60)
            return subprocess.CompletedProcess(
                arguments, status, out.read_text(), err.read_text()
            )

    def kill(self) -> None:
        """End it as a power cut of the process would: kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it politely and return its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, sign: signal.Signals) -> int:
        """Send a signal and wait for the end."""
        if self._process is None:
            return 0
        self._process.send_signal(sign)
        status = self._process.wait(timeout=30)
        self._process = None
        return status

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
