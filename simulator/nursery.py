"""Start the children of faults: small programs that end with us.

A child does nothing before it is told what to do. By then its pid is in
the journal; if we are gone before that, it reads the end of its input
instead, and ends.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from simulator.journal import CHILD, Journal, Made
from simulator.problem import Unable
from simulator.processes import birth_of

HERE = Path(__file__).resolve().parent.parent
READY_SECONDS = 30.0
LEAVE_SECONDS = 1.0
# It ends by itself so long after the stage should have ended it.
GRACE_SECONDS = 3
MOST_SAID = 4096


@dataclass(frozen=True)
class Task:
    """What a child is to do.

    Attributes:
        program: a file of simulator/children/, without its ending.
        name: what the process is called, 15 characters at most.
        seconds: how long the fault lasts.
        words: what its program is told besides.
    """

    program: str
    name: str
    seconds: int
    words: Mapping[str, object]


class Child:
    """A child that runs."""

    def __init__(
        self, running: "subprocess.Popen[bytes]", journal: Journal, number: int
    ) -> None:
        """Take the process and its number in the journal."""
        self._running = running
        self._journal = journal
        self._number = number

    @property
    def pid(self) -> int:
        """Return its pid."""
        return self._running.pid

    def is_alive(self) -> bool:
        """Tell whether it runs still."""
        return self._running.poll() is None

    def tell(self, task: Task) -> None:
        """Say what to do, and wait until it does; or raise Unable."""
        said = {
            "parent": os.getpid(),
            "name": task.name,
            "seconds": task.seconds + GRACE_SECONDS,
            **task.words,
        }
        try:
            _pipe(self._running.stdin).write(json.dumps(said).encode() + b"\n")
        except OSError:
            self._refuse(task, "it ended at once")
        words = self._hear()
        if words != "ready":
            self._refuse(task, words or "it ended, or did not begin in time")

    def let_go(self) -> None:
        """Tell it to end, and wait for nothing."""
        for pipe in (self._running.stdin, self._running.stdout):
            _pipe(pipe).close()

    def end(self) -> None:
        """End it, and note that it is gone; twice is once."""
        self.let_go()
        try:
            self._running.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        self._journal.done(self._number)

    def _hear(self) -> str:
        """Return the one line that a child says when it has begun."""
        out = _pipe(self._running.stdout).fileno()
        deadline = time.monotonic() + READY_SECONDS
        said = b""
        while not said.endswith(b"\n") and len(said) < MOST_SAID:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([out], [], [], left)[0]:
                break
            chunk = os.read(out, 512)
            if not chunk:
                break
            said += chunk
        return said.decode(errors="replace").strip()

    def _refuse(self, task: Task, why: str) -> None:
        """End it and say why it did not begin."""
        self.end()
        raise Unable(
            f"{task.name} could not begin: {why}",
            remedy="Ask for less, or look at this machine's limits",
        )


class Nursery:
    """Where children are started."""

    def __init__(self, journal: Journal) -> None:
        """Take the journal that names each child before it does a thing."""
        self._journal = journal

    def start(self, task: Task) -> Child:
        """Start a child and wait until it does its task; or raise Unable.

        Only on the stage's own thread: a child ends with the thread that
        started it.
        """
        # Called so, Python looks for its library beside the true program.
        name = str(Path(sys.base_prefix) / "bin" / task.name)
        module = f"simulator.children.{task.program}"
        try:
            running = subprocess.Popen(  # noqa: S603  our own program
                [name, "-E", "-s", "-S", "-B", "-m", module],
                executable=os.path.realpath(sys.executable),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=HERE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise Unable(
                f"{task.name} could not be started: {error.strerror}"
            ) from error
        birth = birth_of(running.pid)
        made = Made(CHILD, pid=running.pid, birth=birth, name=task.name)
        try:
            number = self._journal.note(made)
        except OSError:
            # Nobody could undo it, so it is told nothing, and ends.
            Child(running, self._journal, 0).end()
            raise
        child = Child(running, self._journal, number)
        child.tell(task)
        return child


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    """Return a pipe that was asked for, so it is there."""
    if pipe is None:
        raise RuntimeError("a child was started without its pipes")
    return pipe
