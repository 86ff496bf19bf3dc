"""main.py with the fake brain, that ends or freezes where it is told to.

POINTS names a file: whatever is passed is written into it. CRASH_AT is a
line of that file, such as ``Starting.start 1 before``, and CRASH_WITH the
signal that the process then sends to itself, unless the file LATCH is there
already: of several nodes one meets it. A turn has two points: before its
commit, and after it. So has a call to the backend.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial, wraps
from pathlib import Path
from typing import Any

from app.act.backends.webhook import Webhook
from app.act.catalogue import make_catalogue
from app.bootstrap import hands, mind
from app.cli.commands import app
from app.engine.keeper import Keeper
from app.models.action import Catalogue
from app.store.ledger import Connection
from tests.flow.decider_main import MoreBrains

POINTS, CRASH_AT, CRASH_WITH = "POINTS", "CRASH_AT", "CRASH_WITH"
ACTIONS, LATCH = "ACTIONS", "LATCH"
CALLS = ("start", "watch", "find", "abort")
Start = Callable[..., Awaitable[Any]]


class Points:
    """Writes down what is passed, and ends the process at one of them."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._goal = os.environ.get(CRASH_AT, "")
        self._sign = int(os.environ.get(CRASH_WITH, signal.SIGKILL))
        self._latch = os.environ.get(LATCH, "")
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, name: str) -> str:
        """Return what a turn or a call is known by: its name, and which."""
        with self._lock:
            self._seen[name] += 1
            return f"{name} {self._seen[name]}"

    def reach(self, point: str) -> None:
        """Pass a point, or not."""
        with Path(self._file).open("a") as lines:
            lines.write(f"{point}\n")
        if point == self._goal and self._is_first():
            # To this thread, so that it does not take another step.
            signal.pthread_kill(threading.get_ident(), self._sign)

    def _is_first(self) -> bool:
        """Tell whether no other node has met it."""
        if not self._latch:
            return True
        with suppress(FileExistsError):
            Path(self._latch).touch(exist_ok=False)
            return True
        return False


def name_of(work: Any) -> str:
    """Return what a piece of work is called."""
    while isinstance(work, partial):
        work = work.func
    name: str = work.__qualname__
    return name.replace(".<locals>", "").replace(" ", "")


def watch_turns(points: Points) -> None:
    """Pass a point before and after each commit that somebody asked for."""
    ask = Keeper.ask

    def asked(
        self: Keeper, work: Callable[[Connection], Any], **more: Any
    ) -> Future[Any]:
        """Ask for a turn with two points."""
        known = ""

        def whole(connection: Connection) -> Any:
            """Do the work; the commit comes next."""
            nonlocal known
            result = work(connection)
            known = points.enter(name_of(work))
            points.reach(f"{known} before")
            return result

        def done(future: Future[Any]) -> None:
            """Say that it is on disk; on the thread that wrote it."""
            if not future.cancelled() and future.exception() is None:
                points.reach(f"{known} after")

        future = ask(self, whole, **more)
        future.add_done_callback(done)
        return future

    vars_of(Keeper, ask=asked)


def watch_calls(points: Points) -> None:
    """Pass a point before and after each call to the backend."""

    def with_points(name: str, call: Start) -> Start:
        """Return a call with two points."""

        @wraps(call)
        async def called(self: Webhook, *arguments: Any) -> Any:
            """Call, between two points."""
            known = points.enter(f"backend.{name}")
            points.reach(f"{known} before")
            try:
                return await call(self, *arguments)
            finally:
                points.reach(f"{known} after")

        return called

    for name in CALLS:
        vars_of(Webhook, **{name: with_points(name, getattr(Webhook, name))})


def vars_of(owner: type, **members: Any) -> None:
    """Put other members into a class."""
    for name, member in members.items():
        setattr(owner, name, member)


def more_actions(plugins: Any, folders: Any, *own: Any) -> Catalogue:
    """Return the catalogue with the actions of one more folder."""
    more = [*folders, Path(os.environ[ACTIONS])]
    return make_catalogue(plugins, more, *own)


def main() -> None:
    """Run main.py with all of this."""
    vars(mind)["Brains"] = MoreBrains
    vars(hands)["make_catalogue"] = more_actions
    if POINTS in os.environ:
        where = Points(os.environ[POINTS])
        watch_turns(where)
        watch_calls(where)
    app()


if __name__ == "__main__":
    main()
