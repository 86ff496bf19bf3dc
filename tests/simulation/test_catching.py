"""The simulation finds what it is for: each fault that is put in is found."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from app.engine.leases import Lease
from app.engine.moves import Moves
from app.engine.sending import Sending
from app.guard import guard, standing
from app.guard.protection import Protection
from app.models.approval import Answer, ApprovalState
from app.models.mission import Mission
from app.verify.judging import Stretch
from tests.simulation import history
from tests.simulation.dealing import Deal
from tests.simulation.people import People
from tests.simulation.plots import PLOTS, play
from tests.simulation.sim import Violation
from tests.simulation.stories import begin, lose_lease, until

# Histories in which budgets are spent.
HABITUAL = (19, 59, 167)
Break = Callable[[pytest.MonkeyPatch], None]


def sends_by_guess(patch: pytest.MonkeyPatch) -> None:
    """Send again what nobody knows anything of."""

    async def look_up(
        self: Sending, mission: Any, order: Any, backend: Any, _error: Any
    ) -> Any:
        """Send it again instead of looking it up."""
        return await self._note(mission, await backend.start(order))

    patch.setattr(Sending, "_look_up", look_up)


def looks_only_once(patch: pytest.MonkeyPatch) -> None:
    """Send again on what was seen before the first try."""
    look = Sending._why_not
    seen: dict[int, str] = {}

    async def why_not(self: Sending, mission: Mission) -> str:
        """Return what was seen first."""
        if mission.id not in seen:
            seen[mission.id] = await look(self, mission)
        return seen[mission.id]

    patch.setattr(Sending, "_why_not", why_not)


def forgets_the_halt(patch: pytest.MonkeyPatch) -> None:
    """Let the guard not look at the kill switch."""
    patch.setattr(standing, "halted", lambda _motion: None)


def trusts_everybody(patch: pytest.MonkeyPatch) -> None:
    """Let the guard ask nobody."""
    patch.setattr(guard, "ceiling", lambda _mode, _motion: None)


def touches_all(patch: pytest.MonkeyPatch) -> None:
    """Let nothing be protected."""
    patch.setattr(Protection, "find", lambda *_: "")


def counts_nothing(patch: pytest.MonkeyPatch) -> None:
    """Let no budget ever be spent."""
    patch.setattr(guard, "find_limit", lambda *_: None)


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
        lose_lease(sim, sim.node_of(sim.points[0]))
    finally:
        sim.close()


def wakes_between_tries() -> None:
    """Freeze a node between two tries of what may be sent again."""
    sim = begin(Deal(kind="breaks"), "sync", nodes=2)
    try:
        for _ in range(2):
            until(sim, "start", "sj-")
            sim.release(sim.points[0])
        lose_lease(sim, next(one for one in sim.nodes if one.leases))
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


def has_habits() -> None:
    """Do the same to one host again and again, in some histories."""
    for seed in HABITUAL:
        history.play(seed)


def plays(name: str) -> Callable[[], object]:
    """Return the play of a plot."""
    return lambda: play(PLOTS[name])


FAULTS: Sequence[tuple[Break, Callable[[], object]]] = (
    (sends_by_guess, plays("lost and forgotten")),
    (looks_only_once, plays("sent again")),
    (forgets_the_halt, plays("halted while asking")),
    (trusts_everybody, plays("nobody answers")),
    (touches_all, plays("protected")),
    (counts_nothing, has_habits),
    (says_nothing, plays("fixed")),
    (is_easily_content, plays("nothing helps")),
    (never_loses_a_lease, wakes_late),
    (never_loses_a_lease, wakes_between_tries),
    (answers_again, is_asked_again),
)


@pytest.mark.parametrize(("fault", "story"), FAULTS)
def test_a_fault_that_is_put_in_is_found(
    fault: Break,
    story: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each law can be broken, and says so when it is."""
    story()  # nothing is found in what is right
    fault(monkeypatch)
    with pytest.raises(Violation):
        story()
