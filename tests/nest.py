"""What programs of ours are started by, without importing all of it anew."""

import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

HOME = Path(__file__).parent.parent
POLL_SECONDS = 0.01
# Its first answer comes when all is imported.
PATIENCE_SECONDS = 120.0


class Child:
    """A program that was forked off; looks like a Popen."""

    def __init__(self, nest: "Nest", pid: int) -> None:
        self.pid = pid
        self._nest = nest
        self._status: int | None = None

    def poll(self) -> int | None:
        """Return how it ended, None while it runs."""
        if self._status is None:
            self._status = self._nest.ask(wish="poll", pid=self.pid)
        return self._status

    def send_signal(self, sign: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sign)

    def wait(self, timeout: float) -> int:
        """Return how it ended, when it has."""
        until = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(POLL_SECONDS)
        return status


class Nest:
    """The process that programs are forked off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_mute = False
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Wait for the first wish: nothing is started before it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it; it ends all that it has hatched."""
        if self._process is not None:
            self._process.communicate(timeout=60)

    def start(
        self,
        words: list[str],
        env: dict[str, str],
        out: Path,
        err: Path | None = None,
    ) -> Child:
        """Fork a program off: a file or ``-m`` and a module, and its words."""
        log, trouble = str(out), str(err or out)
        pid = self.ask(wish="start", words=words, env=env, to=(log, trouble))
        return Child(self, pid)

    def ask(self, **wish: Any) -> Any:
        """Return what it answers to a wish."""
        with self._lock:
            process = self._process = self._process or open_nest()
            pipe, answers = process.stdin, process.stdout
            assert pipe is not None
            assert answers is not None
            # What it says too late would be the answer to another wish.
            if self._is_mute:
                raise TimeoutError("the nest has ceased to answer")
            pipe.write(json.dumps(wish) + "\n")
            pipe.flush()
            ready, _, _ = select.select([answers], [], [], PATIENCE_SECONDS)
            if not ready:
                self._is_mute = True
                raise TimeoutError("the nest does not answer")
            return json.loads(answers.readline())


def open_nest() -> "subprocess.Popen[str]":
    """Start the process; its first answer comes when all is imported."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.hatching"],
        cwd=HOME,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
