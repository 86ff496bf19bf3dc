"""People: they answer, propose, abort and halt, through the real engine."""

from collections.abc import Sequence
from functools import partial

from app.engine.approving import Reply
from app.engine.proposing import Proposal
from app.engine.stopping import Stop
from app.models.approval import Answer
from tests.simulation.sim import Simulation


class People:
    """What people do to a simulation."""

    def __init__(self, sim: Simulation) -> None:
        """Take the simulation."""
        self._sim = sim

    def answer(
        self, number: int, answer: Answer, who: str = "ana", host: str = ""
    ) -> str:
        """Answer a question; return why that was refused, or nothing."""
        reply = Reply(
            approval=number,
            person=who,
            answer=answer,
            arguments={"host": host} if host else {},
        )
        approving = self._sim.nodes[0].approving
        what = f"{who} says {answer} to approval {number} {host}"
        return self._sim.person(what, partial(approving.take, reply=reply))

    def grant_all(self, who: Sequence[str]) -> None:
        """Let several people grant whatever is asked."""
        for number in self._sim.asked:
            for name in who:
                self.answer(number, Answer.GRANT, name)

    def propose(self, incident: int, action: str, host: str) -> str:
        """Propose an action; return why that was refused, or nothing."""
        wish = Proposal(
            incident=incident,
            action=action,
            arguments={"host": host},
            author="ana",
        )
        proposing = self._sim.nodes[0].proposing
        what = f"ana proposes {action} on {host} for incident {incident}"
        return self._sim.person(what, partial(proposing.propose, wish=wish))

    def abort(self, job: int) -> str:
        """Abort a job; return why that was refused, or nothing."""
        stopping = self._sim.nodes[0].stopping
        stop = Stop(author="ana", reason="it must end")
        work = partial(stopping.abort, number=job, stop=stop)
        return self._sim.person(f"ana aborts job {job}", work)

    def halt(self) -> str:
        """Halt everything."""
        stopping = self._sim.nodes[0].stopping
        stop = Stop(author="ana", reason="enough")
        return self._sim.person("ana halts", partial(stopping.halt, stop=stop))

    def resume(self) -> str:
        """Let things start again."""
        stopping = self._sim.nodes[0].stopping
        stop = Stop(author="ana", reason="go on")
        work = partial(stopping.resume, stop=stop)
        return self._sim.person("ana resumes", work)
