"""The programs of a demo: they end with it, however it ends."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

from scripts.demo.stage import HOME

READY_SECONDS = 60.0
STOP_SECONDS = 40.0
ASK_SECONDS = 2.0
TAIL_LINES = 12
PR_SET_PDEATHSIG = 1


class Broken(Exception):
    """A program of the demo does not run; the text says why."""


class Program:
    """One program, with a log of its own."""

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        log: Path,
        environ: Mapping[str, str],
    ) -> None:
        """Start it: it is told to end when we are gone."""
        self.name = name
        self.log = log
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                words,
                cwd=HOME,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the demo, which ends them in their order.
                start_new_session=True,
                # The demo has no threads.
                preexec_fn=_end_with(os.getpid()),  # noqa: PLW1509
            )

    @property
    def pid(self) -> int:
        """Return its number."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Tell whether it goes on."""
        return self._process.poll() is None

    def wait_until_ready(self, url: str) -> None:
        """Return as soon as an address answers, or raise Broken."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if not self.is_running:
                raise Broken(f"{self.name} ended at once:\n{self.tail()}")
            try:
                if httpx.get(url, timeout=ASK_SECONDS).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise Broken(
            f"{self.name} was not ready in {READY_SECONDS:.0f} s:\n"
            f"{self.tail()}"
        )

    def stop(self) -> None:
        """End it, and wait until it has; by force when it does not."""
        if self.is_running:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def tail(self) -> str:
        """Return the end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-TAIL_LINES:])


def _end_with(parent: int) -> Callable[[], None]:
    """Return what a child does first: it asks to be ended after us."""
    if sys.platform != "linux":
        return _nothing
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        """Ask the kernel; whoever is late ends at once."""
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def _nothing() -> None:
    """Do nothing: other systems have no such call."""
