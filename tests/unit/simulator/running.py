"""A simulator as a process of its own, and what waits for it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from tests.programs import free_port

HOME = Path(__file__).parent.parent.parent.parent
CTL = HOME / "simulator" / "ctl.py"
DEADLINE_SECONDS = 60.0


def wait_for(tells: Callable[[], bool], what: str) -> None:
    """Return once something is so, or fail."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not tells():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


class Simulator:
    """A ``python -m simulator serve`` with a folder and port of its own."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.home = folder / "sim"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "simulator.yaml"
        self.log = folder / "simulator.log"
        tree = {
            "enabled": True,
            "folder": str(self.home),
            "port": self.port,
            "disk": {"kind": "folder"},
            "most": {"disk_mb": 8},
            **settings,
        }
        self.config.write_text(yaml.safe_dump(tree))
        self.environ = {
            **os.environ,
            "SIMULATOR_CONFIG": str(self.config),
            "PYTHON": sys.executable,
        }
        self.environ.pop("SIMULATOR_URL", None)
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it without waiting for anything."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "simulator", "serve"],
                cwd=HOME,
                env=self.environ,
                stdout=log,
                stderr=log,
            )
        return self.process

    def start(self) -> Self:
        """Start it and return when it answers."""
        process = self.launch()

        def answers() -> bool:
            """Tell whether it answers; fail when it has ended."""
            assert process.poll() is None, self.log.read_text()
            try:
                return httpx.get(f"{self.url}/health").status_code == 200
            except httpx.HTTPError:
                return False

        wait_for(answers, "the simulator answers")
        return self

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Return what it answers."""
        return httpx.request(method, self.url + path, timeout=30, **more)

    def truths(self) -> list[dict[str, Any]]:
        """Return all that it knows, oldest first."""
        found: list[dict[str, Any]] = self.ask("GET", "/api/truth").json()[
            "truth"
        ]
        return found

    def ctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ctl.py as the service does: with nothing but PATH."""
        return subprocess.run(
            [sys.executable, str(CTL), *words, "--url", self.url],
            env={"PATH": os.environ["PATH"]},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def stop(self) -> int:
        """End it politely and return its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it as nobody should: kill -9."""
        return self._end(signal.SIGKILL)

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.stop()

    def _end(self, sign: signal.Signals) -> int:
        """Send a signal and wait for the end."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.send_signal(sign)
        return self.process.wait(60)
