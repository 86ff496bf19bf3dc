"""The keeper of the simulator's services, a small supervisor.

It starts them, starts them again after a crash, with a pause that grows,
and ends them. What a service's file says of its mode holds for the keeper
too: stopped and frozen are done here. How each is stands in NAME.state.

All is done in one thread: on Linux a service ends with the thread that
started it, so nothing is left when this program is killed.
"""

import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from enum import StrEnum
from typing import Any, NamedTuple

from simulator.dummy import FROZEN, STOPPED, Spool
from simulator.kept import Kept, Place
from simulator.moods import MoodFile
from simulator.problem import Unable, Unknown

LOOK_SECONDS = 0.1
ASK_SECONDS = 30.0
MOST_PAUSES = 16  # doublings that are counted; more would be no number


class State(StrEnum):
    """How a service is, as far as its keeper knows."""

    STOPPED = "stopped"
    RUNNING = "running"
    CRASHING = "crashing"


class Pace(NamedTuple):
    """How long is waited before a service is started again.

    Attributes:
        first: seconds before the first time; doubled with each crash.
        most: never more than this.
        steady: who has run so long may crash anew.
    """

    first: float = 0.5
    most: float = 8.0
    steady: float = 10.0

    def pause(self, crashes: int) -> float:
        """Return how long to wait after so many crashes in a row."""
        doubled: float = self.first * 2 ** min(
            max(crashes - 1, 0), MOST_PAUSES
        )
        return min(self.most, doubled)


class Ways(NamedTuple):
    """How services are kept.

    Attributes:
        spool: where each writes at its start.
        port: the first listens here, the next on the one after; 0 takes
            any port, and keeps it.
        pace: how crashes are answered.
    """

    spool: Spool
    port: int = 0
    pace: Pace = Pace()


class Standing(NamedTuple):
    """How a service is."""

    name: str
    state: State
    says: str
    pid: int = 0
    port: int = 0
    restarts: int = 0
    mode: str = "ok"

    def told(self) -> dict[str, Any]:
        """Return it as it is sent."""
        return {**self._asdict(), "state": str(self.state)}


class _Slot:
    """What is known about one service; the keeper's thread alone uses it."""

    def __init__(self, place: Place, port: int, ways: Ways) -> None:
        """Take where it lives, and where it is to listen, 0 for anywhere."""
        self.place = place
        self._ways = ways
        self.mood = MoodFile(place.mood)
        self.restarts = 0
        self._port = port
        self._run: Kept | None = None
        self._mode = "ok"
        self._crashes = 0
        self._due = 0.0
        self._trouble = ""
        self._told: Standing | None = None

    def begin(self) -> None:
        """Forget what was before, and start it."""
        # Where that cannot be written nothing starts, either: it is said.
        with contextlib.suppress(OSError):
            self.mood.reset()
        self.start_anew()

    def start_anew(self) -> None:
        """End its run and begin another; what ends at once has crashed."""
        self._crashes = 0
        self.end()
        self._start()

    def end(self) -> None:
        """End its run."""
        if self._run is not None:
            self._run.end()
            self._run = None

    def look(self) -> None:
        """Follow its mode, notice a crash, start it when it is time to."""
        mode = self.mood.read().mode
        if mode != self._mode and mode == "ok":
            # What kept it from running is over: nothing to wait for.
            self._crashes, self._due = 0, 0.0
        self._mode = mode
        if mode == STOPPED:
            self.end()
            self._due = 0.0
        elif self._run is None:
            if time.monotonic() >= self._due:
                self._start()
        elif self._run.exit_status is not None:
            self._note_crash()
        elif self._run.is_frozen != (mode == FROZEN):
            (self._run.freeze if mode == FROZEN else self._run.thaw)()
        self._tell()

    def standing(self) -> Standing:
        """Return how it is."""
        state, says = State.RUNNING, "it runs"
        if self._run is None and self._mode == STOPPED:
            state, says = State.STOPPED, "somebody stopped it"
        elif self._run is None:
            state = State.CRASHING
            says = f"it ended {self._crashes} times: {self._trouble}"
        return Standing(
            name=self.place.name,
            state=state,
            says=says,
            pid=self._run.pid if self._run else 0,
            port=self._port,
            restarts=self.restarts,
            mode=self._mode,
        )

    def _start(self) -> None:
        """Start it once."""
        try:
            self._run = Kept(self.place, self._ways.spool, self._port)
        except OSError as error:
            self._note_crash(f"it cannot be started: {error}")
            return
        self._port = self._run.port or self._port
        if self._run.exit_status is not None:
            self._note_crash()

    def _note_crash(self, trouble: str = "") -> None:
        """Say when it is started again."""
        now = time.monotonic()
        run, self._run = self._run, None
        if run is not None:
            if now - run.began >= self._ways.pace.steady:
                self._crashes = 0
            run.end()
        self._crashes += 1
        self._due = now + self._ways.pace.pause(self._crashes)
        self._trouble = trouble or self.place.last_words() or "it said nothing"

    def _tell(self) -> None:
        """Write down how it is, for whoever does not ask the keeper."""
        now = self.standing()
        if now == self._told:
            return
        draft = self.place.state.with_suffix(".draft")
        try:
            draft.write_text(json.dumps(now.told()), encoding="utf-8")
            draft.replace(self.place.state)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            return
        self._told = now


class Keeper:
    """Keeps services; its methods may be called from any thread."""

    def __init__(self, places: Iterable[Place], ways: Ways) -> None:
        """Take where each service lives, and how they are kept."""
        port = ways.port
        self._slots = {
            place.name: _Slot(place, port + number if port else 0, ways)
            for number, place in enumerate(places)
        }
        self._wishes: queue.SimpleQueue[Callable[[], None]]
        self._wishes = queue.SimpleQueue()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper")

    def start(self) -> None:
        """Start all services."""
        self._thread.start()

    def stop(self) -> None:
        """End all services and leave nothing of them behind."""
        self._is_over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def look(self, name: str) -> Standing:
        """Return how a service is."""
        return self._ask(name, lambda _slot: None)

    def look_at_all(self) -> list[Standing]:
        """Return how all services are."""
        return [self.look(name) for name in self._slots]

    def set_mode(self, name: str, mode: str) -> Standing:
        """Have a service behave in a way of dummy.MODES."""
        return self._ask(name, lambda slot: slot.mood.set_mode(mode))

    def restart(self, name: str) -> Standing:
        """Start a service anew, as somebody asked: it heals most of it.

        What crashes by its mode crashes again.
        """

        def work(slot: _Slot) -> None:
            """Forget the mode, but for that of a crash, and start it."""
            slot.restarts += 1
            if slot.mood.read().mode != "crash":
                slot.mood.set_mode("ok")
            slot.start_anew()

        return self._ask(name, work)

    def _ask(self, name: str, work: Callable[[_Slot], None]) -> Standing:
        """Have the thread do something with a slot; return how it is then."""
        slot = self._slots.get(name)
        if slot is None:
            known = ", ".join(self._slots) or "none"
            raise Unknown(
                f"nobody keeps a service {name[:40]!r}",
                field="service",
                remedy=f"There are: {known}",
            )
        if self._is_over.is_set() or not self._thread.is_alive():
            raise Unable("the keeper of the services does not run")
        future: Future[Standing] = Future()

        def answer() -> None:
            """Do it, and say how it went."""
            try:
                work(slot)
                slot.look()
                future.set_result(slot.standing())
            except (OSError, ValueError) as error:
                future.set_exception(Unable(f"it could not be done: {error}"))

        self._wishes.put(answer)
        try:
            return future.result(ASK_SECONDS)
        except TimeoutError as error:
            raise Unable(
                f"the keeper of {name} did not follow in time",
                remedy="Try again when this machine is less busy",
            ) from error

    def _keep(self) -> None:
        """Do what is wished, and look at everything in between."""
        slots = list(self._slots.values())
        try:
            for slot in slots:
                slot.begin()
            while not self._is_over.is_set():
                with contextlib.suppress(queue.Empty):
                    self._wishes.get(timeout=LOOK_SECONDS)()
                for slot in slots:
                    slot.look()
        finally:
            for slot in slots:
                slot.end()
                slot.place.clear()
