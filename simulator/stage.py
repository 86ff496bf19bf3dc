"""The stage: begins faults, watches them, and sees that they end.

Thread-safe. All is done on ONE thread of its own, which lives as long as
the stage: Linux ends a child with the *thread* that started it, so nothing
else may start one. Callers of start(), stop() and state() wait for it; an
asyncio program calls them in a worker thread.

    with Stage(load_settings()) as stage:
        truth = stage.start(Order("cpu", level=90, seconds=60))
        stage.state()
        stage.stop("cpu")
"""

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

from simulator.acts import Acts
from simulator.fault import FaultEnv, Order, Spec
from simulator.faults import make_faults
from simulator.guard import Guard
from simulator.home import Home
from simulator.journal import Journal
from simulator.nursery import Nursery
from simulator.problem import Conflict, Unable
from simulator.settings import Settings
from simulator.truth import Truth, TruthLog
from simulator.undoing import sweep

TICK_SECONDS = 0.2
Result = TypeVar("Result")


class Stage:
    """All faults of this machine that the simulator causes.

    Attributes:
        settings: the settings it was made with.
        truths: the log of what really happened; any thread may read it.
        env: what faults and services may use.
    """

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is touched before open()."""
        self.settings = settings
        self.truths = TruthLog(settings.home)
        journal = Journal(settings.home)
        self.env = FaultEnv(settings, Nursery(journal), journal)
        self._home = Home(settings.home)
        self._guard = Guard(settings.home, settings.disk_path)
        self._faults = make_faults(self.env)
        self._acts = Acts(self._faults, self.truths, settings.most.seconds)
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_open = False
        self._change = threading.Lock()

    def open(self) -> None:
        """Take the folder for itself, sweep it, start the guard.

        Raises:
            Refused: it is off (Forbidden), the folder cannot be written
                (Unable), or another simulator has it (Conflict).
        """
        self.settings.need_enabled()
        self._home.make()
        self._home.take()
        try:
            self._sweep()
            self._guard.keep()
        except BaseException:
            self._home.release()
            raise
        # A daemon: it must not keep a program alive that ends otherwise;
        # the guard undoes what is left then.
        self._thread = threading.Thread(
            target=self._live, name="stage", daemon=True
        )
        self._is_open = True
        self._thread.start()
        try:
            self._ask(self._acts.prepare)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End every fault, undo all, and let the folder go; twice is once.

        What still runs ends as by a person.
        """
        with self._change:
            thread, self._thread = self._thread, None
            self._is_open = False
        if thread is not None:
            self._work.put(None)
            thread.join()

    def __enter__(self) -> Self:
        """Open it."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def specs(self) -> tuple[Spec, ...]:
        """Return what kinds there are, by name; also before open()."""
        return tuple(fault.spec for fault in self._faults.values())

    def start(self, order: Order) -> Truth:
        """Begin a fault and return its truth; it is on the disk by then.

        Raises:
            Refused: the order is wrong (field and remedy say how), the
                kind is unknown (Unknown), runs already (Conflict: says
                what runs and how to end it), or the machine has no room
                for it (Unable).
        """
        self.settings.need_enabled()
        return self._ask(lambda: self._begin(order))

    def stop(self, kind: str | None = None) -> list[Truth]:
        """End one kind, or all; return the truths of what ended.

        Nothing that runs is nothing to end: the list is empty then.

        Raises:
            Refused: the kind is unknown (Unknown).
        """
        return self._ask(lambda: self._acts.end(kind))

    def running(self) -> list[Truth]:
        """Return the truths of what runs now, oldest first."""
        return self._ask(self._acts.running)

    def state(self) -> dict[str, Any]:
        """Return {"enabled", "host", "faults": [...], "running": [...]}."""
        running = self.running() if self._is_open else []
        return {
            "enabled": self.settings.enabled,
            "host": self.settings.host,
            "faults": [spec.as_json() for spec in self.specs()],
            "running": [truth.as_json() for truth in running],
        }

    def _begin(self, order: Order) -> Truth:
        """Begin a fault; never without the guard."""
        self._guard.keep()
        return self._acts.begin(order)

    def _sweep(self) -> None:
        """Undo what the journal still names, of an earlier run too."""
        sweep(self.settings.home, self.settings.disk_path)

    def _ask(self, call: Callable[[], Result]) -> Result:
        """Have something done on the stage's thread, and wait for it."""
        answer: Future[Result] = Future()
        with self._change:
            if not self._is_open:
                raise _not_running()
            self._work.put(_Work(answer, call))
        return answer.result()

    def _live(self) -> None:
        """Do what is asked and look after what runs, until the end."""
        try:
            next_look = time.monotonic()
            while True:
                left = next_look - time.monotonic()
                # However much is asked: what is over must end.
                if left <= 0:
                    self._acts.look()
                    # Without room for one now, it is tried again; what runs
                    # goes on until its end, and nothing new begins.
                    with contextlib.suppress(Unable):
                        self._guard.keep()
                    next_look = time.monotonic() + TICK_SECONDS
                    continue
                try:
                    work = self._work.get(timeout=left)
                except Empty:
                    continue
                if work is None:
                    return
                work.do()
        finally:
            self._leave()

    def _leave(self) -> None:
        """Undo everything: the end of the thread is the end of children."""
        with self._change:
            self._is_open = False
        is_undone = False
        try:
            self._acts.put_away()
            # Nothing should be left; if something is, it is tried again.
            self._sweep()
            is_undone = True
        finally:
            self._home.release()
            self._guard.dismiss(is_undone=is_undone)
            self._refuse_the_rest()

    def _refuse_the_rest(self) -> None:
        """Answer those who asked too late."""
        while True:
            try:
                work = self._work.get_nowait()
            except Empty:
                return
            if work is not None:
                work.answer.set_exception(_not_running())


class _Work:
    """One thing to do, and where its result is waited for."""

    def __init__(
        self, answer: "Future[Any]", call: Callable[[], object]
    ) -> None:
        """Take what to call, and who waits for it."""
        self.answer = answer
        self._call = call

    def do(self) -> None:
        """Do it; its error belongs to who asked."""
        try:
            self.answer.set_result(self._call())
        # It is raised where it was asked for.
        except Exception as error:  # noqa: BLE001
            self.answer.set_exception(error)


def _not_running() -> Conflict:
    """Say that there is nothing to ask."""
    return Conflict("the simulator is not running", remedy="Start it first")
