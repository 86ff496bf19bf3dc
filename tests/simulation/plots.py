"""The plots: short stories, each with its end; played with every crash."""

from collections.abc import Callable, Mapping

import msgspec

from app.models.alert import Status
from app.models.approval import Answer
from app.models.job import JobState
from tests.simulation.dealing import Deal, Dealer
from tests.simulation.history import OLDER
from tests.simulation.hosts import BROKEN
from tests.simulation.loop import SECOND
from tests.simulation.people import People
from tests.simulation.reckoning import reckon
from tests.simulation.scene import PROTECTED
from tests.simulation.sim import Simulation

# Longer than every deadline of a mission, one after the other.
PATIENCE = 900.0
Act = Callable[[Simulation, People], bool]
IDLE = Deal(effect="nothing", seconds=3.0)
HEALS = Deal(seconds=3.0)


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """One story.

    Attributes:
        choices: what the brain chooses, one after the other.
        end: how the mission ends when nothing dies.
        starts: how often a job starts then.
        host: which host is sick.
        deals: what becomes of each order.
        acts: what people do when all rests, each until it is done once.
        knows_keys: whether the receiver finds jobs by their keys.
        older: another problem of the host, which began before; or empty.
    """

    choices: tuple[str, ...]
    end: str
    starts: int
    host: str = "web-1"
    deals: tuple[Deal, ...] = (HEALS,)
    acts: tuple[Act, ...] = ()
    knows_keys: bool = True
    older: str = ""


def play(plot: Plot, crash_at: int = 0, *, undoes: bool = False) -> Simulation:
    """Play a plot to its end, and reckon; the process may die once.

    Args:
        plot: the story.
        crash_at: at which point it dies, 0 for never.
        undoes: whether turns that are undone are points as well.
    """
    sim = Simulation(Dealer(plot.choices, plot.deals))
    sim.crash_at, sim.undoes = crash_at, undoes
    sim.stage.receiver.knows_keys = plot.knows_keys
    people = People(sim)
    left = list(plot.acts)

    def act(sim: Simulation) -> bool:
        """Let people do what they do next."""
        sim.monitor()
        if not left or not left[0](sim, people):
            return sim.can_fold()
        del left[0]
        return True

    try:
        sim.on_rest = act
        sim.stage.hosts.all[plot.host].value = BROKEN
        if plot.older:
            sim.tell(plot.host, plot.older)
            sim.advance(SECOND)
        sim.monitor()
        sim.drain(PATIENCE)
        late = sim.stage.receiver.late
        sim.run(100.0 if late else 2.0)
        reckon(sim)
    finally:
        sim.close()
    return sim


def says(answer: Answer, who: str = "ana") -> Act:
    """Return that a person answers the open question."""

    def act(sim: Simulation, people: People) -> bool:
        """Answer it when there is one."""
        asked = sim.asked
        return bool(asked) and not people.answer(asked[-1], answer, who)

    return act


def while_running(do: Callable[[Simulation, People], object]) -> Act:
    """Return that something happens as soon as a job runs."""

    def act(sim: Simulation, people: People) -> bool:
        """Do it when one runs."""
        works = sim.stage.receiver.works
        is_on = any(w.state is JobState.STARTED for w in works)
        if is_on:
            do(sim, people)
        return is_on

    return act


def heals(sim: Simulation, _people: People) -> None:
    """Let the host get well by itself."""
    for host in sim.stage.hosts.all.values():
        host.value = 10.0


def when_asked(do: Callable[[Simulation, People], object]) -> Act:
    """Return that something happens as soon as people are asked."""

    def act(sim: Simulation, people: People) -> bool:
        """Do it when they are."""
        is_asked = bool(sim.asked)
        if is_asked:
            do(sim, people)
        return is_asked

    return act


def ends_older(sim: Simulation, _people: People) -> None:
    """Let the problem that was decided on be over, and another one not."""
    for host, problem in list(sim.told):
        if problem == OLDER:
            sim.tell(host, problem, Status.RESOLVED)


def halts(_sim: Simulation, people: People) -> None:
    """Let a person halt everything."""
    people.halt()


def halts_by_file(sim: Simulation, _people: People) -> None:
    """Let the file of the kill switch be there."""
    sim.stage.halt_by_file("the file is there")


def aborts(sim: Simulation, people: People) -> None:
    """Let a person abort what runs."""
    for job in sim.stage.audit.state.jobs.values():
        if job.is_live:
            people.abort(job.id)


def aborts_what_is_well(sim: Simulation, people: People) -> None:
    """Let a person abort what runs, on a host that is well by then."""
    heals(sim, people)
    aborts(sim, people)


def edits(sim: Simulation, people: People) -> None:
    """Let a person edit what is asked, to a host that is well all along."""
    people.answer(sim.asked[-1], Answer.EDIT, "ana", "app-2")


GRANT, REFUSE = Answer.GRANT, Answer.REFUSE
LONG = Deal(seconds=25.0)
PLOTS: Mapping[str, Plot] = {
    "fixed": Plot(choices=("clean",), end="fixed", starts=1),
    "nothing to do": Plot(choices=("no_action",), end="no_action", starts=0),
    "handed over": Plot(choices=("escalate",), end="escalated", starts=0),
    "granted": Plot(
        choices=("clean",),
        host="app-1",
        acts=(says(GRANT),),
        end="fixed",
        starts=1,
    ),
    "refused": Plot(
        choices=("clean",),
        host="app-1",
        acts=(says(REFUSE),),
        end="escalated",
        starts=0,
    ),
    "nobody answers": Plot(
        choices=("clean",), host="app-1", end="escalated", starts=0
    ),
    "four eyes": Plot(
        choices=("wipe",),
        acts=(says(GRANT), says(GRANT, "bo")),
        end="fixed",
        starts=1,
    ),
    "edited": Plot(
        choices=("clean",),
        host="app-1",
        acts=(when_asked(edits), says(GRANT, "bo")),
        # What is good there was good before: the alert goes on.
        end="escalated",
        starts=1,
    ),
    "the second helps": Plot(
        choices=("clean", "sync"), deals=(IDLE, HEALS), end="fixed", starts=2
    ),
    "nothing helps": Plot(
        choices=("clean", "sync"),
        deals=(IDLE, IDLE),
        end="escalated",
        starts=2,
    ),
    "it fails": Plot(
        choices=("clean", "sync"),
        deals=(Deal(end=JobState.FAILED, effect="nothing", seconds=3),),
        end="fixed",
        starts=2,
    ),
    "taken back": Plot(
        choices=("tune",),
        deals=(Deal(effect="harms", seconds=3.0), IDLE),
        end="escalated",
        starts=2,
    ),
    "nobody knows": Plot(
        choices=("clean",),
        deals=(Deal(end=JobState.UNKNOWN, seconds=3.0),),
        end="escalated",
        starts=1,
    ),
    "the answer is lost": Plot(
        choices=("clean",),
        deals=(Deal(kind="loses", seconds=3.0),),
        end="fixed",
        starts=1,
    ),
    "lost and forgotten": Plot(
        choices=("clean",),
        deals=(Deal(kind="loses", seconds=3.0),),
        knows_keys=False,
        end="escalated",
        starts=1,
    ),
    "sent again": Plot(
        choices=("sync",), deals=(Deal(kind="breaks"),), end="fixed", starts=1
    ),
    "not sent again": Plot(
        choices=("clean",),
        deals=(Deal(kind="breaks"),),
        end="escalated",
        starts=0,
    ),
    "busy at first": Plot(
        choices=("clean",), deals=(Deal(kind="busy"),), end="fixed", starts=1
    ),
    "not taken": Plot(
        choices=("clean",),
        deals=(Deal(kind="refuses"),),
        end="escalated",
        starts=0,
    ),
    "never arrives": Plot(
        choices=("clean",),
        deals=(Deal(kind="hangs"),),
        end="escalated",
        starts=0,
    ),
    "arrives late": Plot(
        choices=("clean",),
        deals=(Deal(kind="late"),),
        end="escalated",
        starts=1,
    ),
    "too long": Plot(
        choices=("clean",),
        deals=(Deal(seconds=500.0),),
        end="escalated",
        starts=1,
    ),
    "well before an answer": Plot(
        choices=("clean",),
        host="app-1",
        acts=(when_asked(heals),),
        end="resolved",
        starts=0,
    ),
    "well while it runs": Plot(
        choices=("stop",),
        deals=(LONG,),
        acts=(while_running(heals),),
        end="resolved",
        starts=1,
    ),
    "another problem goes on": Plot(
        choices=("clean", "sync"),
        host="app-1",
        older=OLDER,
        acts=(when_asked(ends_older), says(GRANT)),
        end="fixed",
        starts=1,
    ),
    "its problem is over": Plot(
        choices=("stop",),
        deals=(LONG,),
        older=OLDER,
        acts=(while_running(ends_older),),
        end="escalated",
        starts=1,
    ),
    "halted while asking": Plot(
        choices=("clean",),
        host="app-1",
        acts=(when_asked(halts), says(GRANT)),
        end="escalated",
        starts=0,
    ),
    "halted while it runs": Plot(
        choices=("clean",),
        deals=(LONG,),
        acts=(while_running(halts),),
        end="escalated",
        starts=1,
    ),
    "halted by file": Plot(
        choices=("clean",),
        deals=(LONG,),
        acts=(while_running(halts_by_file),),
        end="escalated",
        starts=1,
    ),
    "aborted": Plot(
        choices=("clean",),
        deals=(LONG,),
        acts=(while_running(aborts),),
        end="escalated",
        starts=1,
    ),
    "aborted and well": Plot(
        choices=("clean",),
        deals=(LONG,),
        acts=(while_running(aborts_what_is_well),),
        end="escalated",
        starts=1,
    ),
    "only suggested": Plot(
        choices=("clean",), host="tip-1", end="escalated", starts=0
    ),
    "only observed": Plot(
        choices=("clean",), host="lab-1", end="observed", starts=0
    ),
    "no backend": Plot(choices=("carry",), end="escalated", starts=0),
    "protected": Plot(
        choices=("clean",), host=PROTECTED, end="escalated", starts=0
    ),
}
