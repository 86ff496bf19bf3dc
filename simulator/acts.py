"""The faults that run, and how each of them ends.

Not thread-safe: the stage calls it, always on its own thread.
"""

import contextlib
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.fault import Fault, Order, Plan, Running, make_plan
from simulator.problem import Conflict, Refused, Unable, Unknown
from simulator.truth import PERSON, REMEDY, TIME, Truth, TruthLog, iso_now

MOST_ROUNDS = 3


@dataclass
class Act:
    """One fault that runs.

    Attributes:
        truth: what is known of it.
        running: the trouble itself.
        until: when it is over, by the clock that only goes forward.
    """

    truth: Truth
    running: Running
    until: float


class Acts:
    """All that runs now: one of each kind at most."""

    def __init__(
        self,
        faults: Mapping[str, Fault],
        truths: TruthLog,
        most_seconds: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the kinds, the log, the cap on time, and a clock."""
        self._faults = faults
        self._truths = truths
        self._most_seconds = most_seconds
        self._clock = clock
        self._acts: dict[str, Act] = {}
        self._prepared: set[str] = set()
        # Ends that could not be written yet: the disk was full, say.
        self._owed: list[Truth] = []

    def prepare(self) -> None:
        """Make what must be there all the time, as far as it goes.

        A kind that cannot be made ready says so when it is asked for.
        """
        for kind in self._faults:
            try:
                self._prepare(kind)
            except Refused:
                continue

    def begin(self, order: Order) -> Truth:
        """Begin a fault, or raise Refused; nothing is left of it then."""
        fault = self.find(order.kind)
        if order.kind in self._acts:
            raise _runs_already(self._acts[order.kind].truth)
        plan = make_plan(fault.spec, order, self._most_seconds)
        self._prepare(order.kind)
        # An alert may come before all of it is there: it began before.
        began_at = iso_now()
        try:
            running = fault.begin(plan)
        except OSError as error:
            raise Unable(
                f"{order.kind} could not begin: {error.strerror}",
                field="folder",
                remedy="Make room where the simulator's folder is",
            ) from error
        truth = _truth_of(fault, order, plan, began_at)
        try:
            self._truths.write(truth)
        except OSError as error:
            running.end()
            raise Unable(
                f"its truth cannot be written: {error.strerror}",
                field="folder",
                remedy="Make room where the simulator's folder is",
            ) from error
        until = self._clock() + plan.seconds
        self._acts[order.kind] = Act(truth, running, until)
        return truth

    def end(self, kind: str | None) -> list[Truth]:
        """End one kind, or all, as a person wants it."""
        if kind is not None:
            self.find(kind)
        kinds = list(self._acts) if kind is None else [kind]
        found = [self._end(one, PERSON) for one in kinds if one in self._acts]
        self._pay()
        return found

    def look(self) -> None:
        """End what is over by time, note what somebody else ended."""
        for kind, act in list(self._acts.items()):
            # Whoever looks late, as after a SIGSTOP, cannot know of a remedy.
            if self._clock() >= act.until:
                self._end(kind, TIME)
            elif not _is_going(act.running):
                self._end(kind, REMEDY)
        self._pay()

    def running(self) -> list[Truth]:
        """Return what runs now, oldest first."""
        return [act.truth for act in self._acts.values()]

    def put_away(self) -> None:
        """End all of it, and undo what was made ready."""
        self.end(None)
        for kind in sorted(self._prepared):
            with contextlib.suppress(OSError, Refused):
                self._faults[kind].put_away()
        self._prepared.clear()

    def find(self, kind: str) -> Fault:
        """Return a kind, or raise Unknown."""
        fault = self._faults.get(kind)
        if fault is None:
            raise Unknown(
                f"there is no kind of fault {kind!r}",
                field="kind",
                remedy=f"Choose one of: {', '.join(self._faults)}",
            )
        return fault

    def _prepare(self, kind: str) -> None:
        """Make a kind ready, or raise Refused."""
        if kind not in self._prepared:
            self._faults[kind].prepare()
            self._prepared.add(kind)

    def _end(self, kind: str, by: str) -> Truth:
        """End one that runs, and write it down."""
        act = self._acts.pop(kind)
        # What cannot be removed now stays in the journal, for a sweep.
        with contextlib.suppress(OSError):
            act.running.end()
        truth = act.truth.ended(by)
        self._owed.append(truth)
        return truth

    def _pay(self) -> None:
        """Write down the ends that are not written yet."""
        while self._owed:
            try:
                self._truths.write(self._owed[0])
            except OSError:
                return
            self._owed.pop(0)


def _is_going(running: Running) -> bool:
    """Tell whether it goes on; what cannot be seen now goes on."""
    try:
        return running.is_going()
    except OSError:
        return True


def _truth_of(fault: Fault, order: Order, plan: Plan, at: str) -> Truth:
    """Return the truth of a fault that has begun."""
    return Truth(
        id=str(uuid.uuid4()),
        fault=order.kind,
        level=plan.level,
        unit=fault.spec.unit,
        seconds=plan.seconds,
        target=fault.target(plan),
        expects=order.expects or fault.expects(plan),
        scenario=order.scenario,
        step=order.step,
        began_at=at,
    )


def _runs_already(truth: Truth) -> Conflict:
    """Say what runs, and how it ends."""
    return Conflict(
        f"{truth.fault} runs already: {truth.level} {truth.unit}, since"
        f" {truth.began_at}, for {truth.seconds} s",
        field="kind",
        remedy=f"Wait, or end it: python -m simulator off {truth.fault}"
        f" (DELETE /api/faults/{truth.fault})",
    )
