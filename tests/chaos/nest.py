"""A nest: services that start by a fork, when all is imported already.

To import the product takes longer than most of these tests. Each service is
a process of its own all the same: it is killed, frozen and started anew.

    python -m tests.chaos.nest

reads one line of JSON per wish, and answers each with one line.
"""

import gc
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Self

import pydantic.v1  # noqa: F401 (FastAPI reads it when it makes routes)

from app.act import actions, backends
from app.core.registry import scan
from app.decide import brains, inventories
from app.ingest import sources
from app.verify import checks
from tests.chaos.acting_main import main as serve

HOME = Path(__file__).parent.parent.parent
POLL_SECONDS = 0.01


class Child:
    """A service that was forked off; looks like a Popen."""

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
    """The process that services are forked off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start it; the first wish waits until all is imported."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nest"],
            cwd=HOME,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """End it; it ends all that it has hatched."""
        self._process.communicate(timeout=60)

    def start(self, words: list[str], env: dict[str, str], log: Path) -> Child:
        """Fork a service off."""
        pid = self.ask(wish="start", words=words, env=env, log=str(log))
        return Child(self, pid)

    def ask(self, **wish: Any) -> Any:
        """Return what it answers to a wish."""
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None
        assert answers is not None
        with self._lock:
            pipe.write(json.dumps(wish) + "\n")
            pipe.flush()
            return json.loads(answers.readline())


def hatch(words: list[str], env: dict[str, str], log: str) -> int:
    """Fork a service off; return its process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.environ.clear()
        os.environ.update(env)
        into = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (into, 1), (into, 2)):
            os.dup2(source, target)
        random.seed()
        sys.argv = ["main.py", *words]
        serve()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
        status = 0 if error.code is None else status
    except BaseException:  # noqa: BLE001 (it must never go on as the nest)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def look_at(pid: int, children: set[int]) -> int | None:
    """Return how a child ended, None while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    if found != pid:
        return None
    children.discard(pid)
    return os.waitstatus_to_exitcode(status)


def tell(answer: int | None) -> None:
    """Answer a wish."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what is wished until nobody is there any more."""
    children: set[int] = set()
    for plugins in (actions, backends, brains, inventories, sources, checks):
        scan(plugins)
    gc.freeze()
    assert threading.active_count() == 1
    for line in sys.stdin:
        wish = json.loads(line)
        if wish.pop("wish") == "start":
            pid = hatch(**wish)
            children.add(pid)
            tell(pid)
        else:
            tell(look_at(wish["pid"], children))
    for pid in children:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
