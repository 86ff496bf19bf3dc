"""Plays a scenario on a stage: one at a time, and ends clean.

    player = Player(stage)
    player.play(scenarios.find("flapping"))   # POST /api/scenarios/NAME
    player.playing()                          # None while nothing is played
    player.last()                             # and what came of the last
    player.stop()                             # DELETE /api/scenarios

``stop`` also belongs before every end of all faults, and before the stage
is closed: else the next step would begin new ones.
"""

import contextlib
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

from simulator.fault import Order
from simulator.problem import Conflict, Refused
from simulator.scenario import Scenario, Step
from simulator.stage import Stage
from simulator.truth import Truth, iso_now

LOOK_SECONDS = 0.5
SPARE_SECONDS = 10.0
STOP_SECONDS = 30.0
DONE, STOPPED, FAILED = "done", "stopped", "failed"


@dataclass
class _Run:
    """One scenario that is played, or was.

    Attributes:
        scenario: which.
        began_at: when.
        step: the last step that was taken, as "2-cpu".
        ended: done, stopped, failed; empty while it goes on.
        problem: why a step could not be taken, else empty.
        mine: the ids of the faults that it began.
        stopped: those of them that its end has ended.
    """

    scenario: Scenario
    began_at: str
    step: str
    ended: str
    problem: str
    mine: set[str]
    stopped: list[Truth]


class Player:
    """Plays scenarios; may be called by any thread."""

    def __init__(self, stage: Stage) -> None:
        """Take the stage, which is open."""
        self._stage = stage
        self._lock = threading.Lock()
        self._is_stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._run: _Run | None = None

    def play(self, scenario: Scenario) -> None:
        """Begin to play a scenario.

        Raises:
            Conflict: one is played already, or a fault that it needs runs.
        """
        with self._lock:
            run = self._run
            if run is not None and not run.ended:
                raise Conflict(
                    f"the scenario {run.scenario.name} is being played",
                    field="name",
                    remedy="Wait for its end, or stop it first",
                )
            self._check_free(scenario)
            self._run = _Run(scenario, iso_now(), "", "", "", set(), [])
            self._is_stopped.clear()
            self._thread = threading.Thread(
                target=self._perform,
                args=(self._run,),
                name="scenario",
                daemon=True,
            )
            self._thread.start()

    def stop(self) -> list[Truth]:
        """Stop what is played and end its faults; return those that ended.

        It returns once they have. Nothing that is played is nothing to
        stop.
        """
        with self._lock:
            run = self._run
            if run is None or run.ended or self._thread is None:
                return []
            self._is_stopped.set()
            self._thread.join(STOP_SECONDS)
            return list(run.stopped)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end of what is played; tell whether it came."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def playing(self) -> dict[str, Any] | None:
        """Return what is played as plain values, None while nothing is."""
        run = self._run
        return None if run is None or run.ended else _told(run)

    def last(self) -> dict[str, Any] | None:
        """Return what is played, or was played last, None before that.

        ``ended`` is null while it goes on, else done, stopped or failed;
        then ``problem`` says why.
        """
        return None if self._run is None else _told(self._run)

    def _check_free(self, scenario: Scenario) -> None:
        """Raise Conflict when a fault that it needs runs already."""
        needed = {step.order.kind for step in scenario.steps if step.order}
        for truth in self._stage.running():
            if truth.fault in needed:
                raise Conflict(
                    f"{truth.fault} runs, which this scenario begins itself",
                    field="name",
                    remedy=f"End it first: off {truth.fault}",
                )

    def _perform(self, run: _Run) -> None:
        """Take one step after the other, and leave nothing running."""
        # What ends in a way that nobody thought of has failed, too.
        ended = FAILED
        try:
            ended = DONE if self._take_all(run) else STOPPED
        except Refused as error:
            run.problem, ended = f"step {run.step}: {error}", FAILED
        finally:
            # A stage that was closed meanwhile has ended them itself.
            with contextlib.suppress(Refused):
                self._end_mine(run)
            run.ended = ended

    def _take_all(self, run: _Run) -> bool:
        """Take every step in its time; tell whether it came to its end."""
        began = time.monotonic()
        for number, step in enumerate(run.scenario.steps, start=1):
            wait = began + step.at - time.monotonic()
            if self._is_stopped.wait(max(wait, 0.0)):
                return False
            kind = step.order.kind if step.order else f"stop-{step.stop}"
            run.step = f"{number}-{kind}"
            self._take(run, step)
        # The stage ends a fault when its time is over, a moment later.
        end = began + run.scenario.seconds + SPARE_SECONDS
        while self._running(run) and time.monotonic() < end:
            if self._is_stopped.wait(LOOK_SECONDS):
                return False
        return True

    def _take(self, run: _Run, step: Step) -> None:
        """Take one step."""
        if step.order is None:
            # What has gone by another's hand meanwhile needs no end.
            if step.stop in self._running(run):
                self._stage.stop(step.stop)
            return
        order: Order = replace(
            step.order,
            scenario=run.scenario.name,
            step=run.step,
        )
        run.mine.add(self._stage.start(order).id)

    def _running(self, run: _Run) -> list[str]:
        """Return the kinds of a scenario's own faults that run."""
        return [
            truth.fault
            for truth in self._stage.running()
            if truth.id in run.mine
        ]

    def _end_mine(self, run: _Run) -> None:
        """End what a scenario began and nobody else has ended."""
        for kind in self._running(run):
            run.stopped += self._stage.stop(kind)


def _told(run: _Run) -> dict[str, Any]:
    """Return one scenario that is played, or was, as plain values."""
    return {
        "scenario": run.scenario.name,
        "purpose": run.scenario.purpose,
        "began_at": run.began_at,
        "seconds": run.scenario.seconds,
        "step": run.step,
        "steps": len(run.scenario.steps),
        "ended": run.ended or None,
        "problem": run.problem,
    }
