"""The simulation finds what it is for: each fault that is put in is found."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from app.core.errors import OutgoingFailed
from app.engine import casework, measuring, running, starting
from app.engine.leases import Lease
from app.engine.motions import Motions
from app.engine.moves import Moves
from app.engine.sending import Sending
from app.engine.ways import Hold
from app.guard import guard, standing
from app.guard.protection import Protection
from app.models.action import ActionSpec
from app.models.alert import Status
from app.models.approval import Answer, ApprovalState
from app.models.job import JobState, Order, order_of
from app.models.mission import End, Ended, Mission
from app.models.verdict import Reading, Subject
from app.ports import Backend
from app.store.tried import find_failed
from app.verify.checking import Verifier
from app.verify.judging import Stretch
from tests.simulation import history, holding
from tests.simulation.dealing import Deal
from tests.simulation.people import People
from tests.simulation.plots import PLOTS, play
from tests.simulation.scene import ALIASED, PROTECTED
from tests.simulation.sim import Violation
from tests.simulation.stories import begin, lose_lease, until

# Some histories in which a limit holds something back, and in which more
# would start if it did not; scripts.simulate --seed says it of any other.
MET: Mapping[str, Sequence[int]] = {
    holding.BUDGET: (3, 19, 83),
    holding.COOL_DOWN: (7, 23, 39),
    holding.TARGETS: (27, 107, 187),
    holding.GROUP: (43, 75, 91),
    holding.BREAKER: (15, 31, 47),
}
Break = Callable[[pytest.MonkeyPatch], None]


def sends_by_guess(patch: pytest.MonkeyPatch) -> None:
    """Send again what nobody knows anything of."""

    async def look_up(
        self: Sending,
        mission: Mission,
        order: Order,
        backend: Backend,
        _error: OutgoingFailed,
        hold: Hold,
    ) -> Mission:
        """Send it again instead of looking it up."""
        return await self._send_again(mission, order, backend, hold)

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


def never_rests(patch: pytest.MonkeyPatch) -> None:
    """Let nothing have to cool down."""
    patch.setattr(guard, "cool_down", lambda *_: None)


def touches_many(patch: pytest.MonkeyPatch) -> None:
    """Let an action run on as many targets as there are."""
    patch.setattr(guard, "blast_radius", lambda *_: None)


def knows_no_group(patch: pytest.MonkeyPatch) -> None:
    """Let no host be one of a group."""
    patch.setattr(Motions, "_group_size", lambda *_: 0)


def never_gives_up(patch: pytest.MonkeyPatch) -> None:
    """Let the breaker never open."""
    patch.setattr(guard, "open_breaker", lambda *_: None)


def aims_elsewhere(patch: pytest.MonkeyPatch) -> None:
    """Order something else than what was ruled on and written down."""

    def make(*known: Any) -> Order:
        """Return an order for what is protected."""
        return replace(order_of(*known), arguments={"host": PROTECTED})

    patch.setattr(starting, "order_of", make)


def says_nothing(patch: pytest.MonkeyPatch) -> None:
    """Let the log not tell how missions end."""
    patch.setattr(Moves, "tell", lambda *_: None)


def is_easily_content(patch: pytest.MonkeyPatch) -> None:
    """Call everything fixed that was measured once."""
    patch.setattr(Stretch, "has_held", lambda *_: True)


def knows_one_name(patch: pytest.MonkeyPatch) -> None:
    """Let what failed be known only by the name that an alert says."""

    def find_by_key(*known: Any) -> Any:
        """Look at the incident's own target alone."""
        connection, target, _places, since = known
        return find_failed(connection, target, (), since)

    patch.setattr(casework, "find_failed", find_by_key)


def counts_by_one_name(patch: pytest.MonkeyPatch) -> None:
    """Let what ran be known only by the name that leads on this node."""
    patch.setattr(Motions, "_places", lambda *_: ())


def believes_one_end(patch: pytest.MonkeyPatch) -> None:
    """Take what is good after an action for its doing."""

    async def follow(
        self: Verifier, spec: ActionSpec, subject: Subject, _before: object
    ) -> Reading:
        """Judge what is read now, and nothing else."""
        return self.judge(spec, None, await self.measure(spec, subject))

    patch.setattr(Verifier, "follow", follow)


def credits_what_was_ended(patch: pytest.MonkeyPatch) -> None:
    """Take what a person ended for what had its time."""
    patch.setattr(measuring, "_had_its_time", lambda _: True)


def closes_unmeasured(patch: pytest.MonkeyPatch) -> None:
    """Take every job for one that never ran, and its incident for over."""
    so: dict[str, Any] = {"is_checked": False, "quiet": End.RESOLVED}
    so["state"] = JobState.FAILED
    patch.setattr(running, "Ended", lambda **said: Ended(**{**said, **so}))


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


def fails_by_two_names() -> None:
    """Let what did not help on a host be chosen by its other name."""
    sim = begin(Deal(effect="nothing"))
    try:
        sim.drain(600)
        sim.send("web-1", ALIASED, Status.FIRING, sim.stage.clock.now())
        sim.run(60)
        assert len(sim.stage.audit.state.missions) == 2
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


def meets(limit: str) -> Callable[[], object]:
    """Return the play of some histories that come to a limit."""

    def story() -> None:
        """Play each of them, and fail when the limit holds nothing back."""
        for seed in MET[limit]:
            assert history.play(seed).held[limit]

    return story


def again(seed: int) -> Callable[[], object]:
    """Return the play of one history."""
    return lambda: history.play(seed)


def plays(name: str) -> Callable[[], object]:
    """Return the play of a plot."""
    return lambda: play(PLOTS[name])


FAULTS: Sequence[tuple[Break, Callable[[], object], str]] = (
    (sends_by_guess, plays("lost and forgotten"), "started twice"),
    (looks_only_once, plays("sent again"), "sent without a look before it"),
    (forgets_the_halt, plays("halted while asking"), "it starts while halted"),
    (trusts_everybody, plays("nobody answers"), "nobody granted it"),
    (touches_all, plays("protected"), "the target is protected"),
    (aims_elsewhere, plays("fixed"), "which is protected"),
    (counts_nothing, meets(holding.BUDGET), "it ran here . times already"),
    (never_rests, meets(holding.COOL_DOWN), "it ran here .* s ago"),
    (touches_many, meets(holding.TARGETS), "it touched . targets already"),
    (knows_no_group, meets(holding.GROUP), "it touched . in prod already"),
    (never_gives_up, meets(holding.BREAKER), ". of . did not help"),
    (says_nothing, plays("fixed"), "the log tells 0 ends"),
    (is_easily_content, plays("nothing helps"), "was not good for long"),
    (knows_one_name, fails_by_two_names, "it failed as job 1"),
    (counts_by_one_name, again(19), "it ran here 2 times already"),
    (counts_by_one_name, again(234), "two jobs on"),
    (counts_by_one_name, again(39), "it ran here .* s ago"),
    (believes_one_end, plays("edited"), "fixed and one end was measured"),
    (credits_what_was_ended, plays("aborted and well"), "never let help"),
    (closes_unmeasured, plays("fixed"), "nobody measured what ran"),
    (never_loses_a_lease, wakes_late, "sent by who has lost it"),
    (never_loses_a_lease, wakes_between_tries, "sent by who has lost it"),
    (answers_again, is_asked_again, "from refused to granted"),
)


@pytest.mark.parametrize(("fault", "story", "words"), FAULTS)
def test_a_fault_that_is_put_in_is_found(
    fault: Break,
    story: Callable[[], object],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each law can be broken, and says so when it is."""
    story()  # nothing is found in what is right
    fault(monkeypatch)
    with pytest.raises(Violation, match=f"\\A.*{words}"):
        story()
