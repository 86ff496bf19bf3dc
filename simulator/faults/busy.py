"""Processes that have much to do and are healthy: nothing is wrong.

Each works a part of the time and rests between; none grows or runs away.
They are what a runaway process must be told from.
"""

from simulator.child_fault import start_all
from simulator.fault import Fault, FaultEnv, Option, Plan, Running, Spec
from simulator.nursery import Task

KIND = "busy"


class Busy(Fault):
    """Some busy processes that nobody should touch."""

    def __init__(self, env: FaultEnv) -> None:
        """Take what it may use."""
        self._env = env
        most = env.settings.most.cpu_processes
        self.spec = Spec(
            name="busy",
            purpose="Healthy processes that work a part of the time.",
            unit="% of one core, each",
            least=1,
            most=60,
            default=30,
            seconds=120,
            expects=("no_action",),
            options={
                "processes": Option(
                    "how many", min(3, most), least=1, most=most
                ),
            },
        )

    def target(self, plan: Plan) -> dict[str, str]:
        """Return the labels by which an alert may name it."""
        del plan
        return {
            "host": self._env.settings.host,
            "process": self._env.settings.program(KIND),
        }

    def begin(self, plan: Plan) -> Running:
        """Start its processes."""
        words = {"level": plan.level, "nice": 0, "rests": True}
        task = Task(
            "cpu", self._env.settings.program(KIND), plan.seconds, words
        )
        count = plan.number("processes")
        return start_all(self._env.children, task, count)


def plugin(env: FaultEnv) -> Fault:
    """Return the kind."""
    return Busy(env)
