"""The simulation finds what it is for: each fault that is put in is found."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from app.engine.leases import Lease
from app.engine.moves import Moves
from app.engine.sending import Sending
from app.guard import guard, standing
from app.guard.protection import Protection
from app.models.approval import Answer, ApprovalState
from app.verify.judging import Stretch
from tests.simulation.dealing import Deal
from tests.simulation.loop import SECOND
from tests.simulation.people import People
from tests.simulation.plots import PLOTS, play
from tests.simulation.sim import Violation
from tests.simulation.stories import begin, until

Break = Callable[[pytest.MonkeyPatch], None]


def sends_by_guess(patch: pytest.MonkeyPatch) -> None:
    """Send again what nobody knows anything of."""

    async def look_up(
        self: Sending, mission: Any, order: Any, backend: Any, _error: Any
    ) -> Any:
        """Send it again instead of looking it up."""
        return await self._note(mission, await backend.start(order))

    patch.setattr(Sending, "_look_up", look_up)


def forgets_the_halt(patch: pytest.MonkeyPatch) -> None:
    """Let the guard not look at the kill switch."""
    patch.setattr(standing, "halted", lambda _motion: None)


def trusts_everybody(patch: pytest.MonkeyPatch) -> None:
    """Let the guard ask nobody."""
    patch.setattr(guard, "ceiling", lambda _mode, _motion: None)


def touches_all(patch: pytest.MonkeyPatch) -> None:
    """Let nothing be protected."""
    patch.setattr(Protection, "find", lambda *_: "")


def says_nothing(patch: pytest.MonkeyPatch) -> None:
    """Let the log not tell how missions end."""
    patch.setattr(Moves, "tell", lambda *_: None)


def is_easily_content(patch: pytest.MonkeyPatch) -> None:
    """Call everything fixed that was measured once."""
    patch.setattr(Stretch, "has_held", lambda *_: True)


def never_loses_a_lease(patch: pytest.MonkeyPatch) -> None:
    """Let a node believe that what it had is its own for ever."""
    patch.setattr(Lease, "is_held", lambda _: True)


def answers_again(patch: pytest.MonkeyPatch) -> None:
    """Let what was answered be answered once more."""
    anything = dict.fromkeys(Answer, tuple(ApprovalState))
    patch.setattr("app.models.approval.ANSWERABLE", anything)


def wakes_late() -> None:
    """Freeze a node between the start it wrote down and its order."""
    sim = begin(Deal(), nodes=2)
    try:
        until(sim, "turned", "start")
        owner = sim.node_of(sim.points[0])
        sim.freeze(owner)
        sim.advance(12 * SECOND)
        until(sim, "turned", "claim_due")
        sim.thaw(owner)
        sim.drain(600)
    finally:
        sim.close()


def is_asked_again() -> None:
    """Refuse what was asked, and grant it afterwards."""
    sim = begin(Deal(), host="app-1")
    try:
        sim.run(1)
        people = People(sim)
        people.answer(1, Answer.REFUSE)
        people.answer(1, Answer.GRANT)
    finally:
        sim.close()


def plays(name: str) -> Callable[[], object]:
    """Return the play of a plot."""
    return lambda: play(PLOTS[name])


FAULTS: Mapping[Break, Callable[[], object]] = {
    sends_by_guess: plays("lost and forgotten"),
    forgets_the_halt: plays("halted while asking"),
    trusts_everybody: plays("nobody answers"),
    touches_all: plays("protected"),
    says_nothing: plays("fixed"),
    is_easily_content: plays("nothing helps"),
    never_loses_a_lease: wakes_late,
    answers_again: is_asked_again,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_is_put_in_is_found(
    fault: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each law can be broken, and says so when it is."""
    FAULTS[fault]()  # nothing is found in what is right
    fault(monkeypatch)
    with pytest.raises(Violation):
        FAULTS[fault]()
