"""Processes that use the CPU, each so much of one core."""

from simulator.child_fault import start_all
from simulator.fault import Fault, FaultEnv, Option, Plan, Running, Spec
from simulator.nursery import Task

KIND = "cpu"


class Cpu(Fault):
    """A runaway process, or some of them."""

    def __init__(self, env: FaultEnv) -> None:
        """Take what it may use."""
        self._env = env
        most = env.settings.most.cpu_processes
        self.spec = Spec(
            name="cpu",
            purpose="A process runs away: it uses the CPU without end.",
            unit="% of one core",
            least=1,
            most=100,
            default=90,
            seconds=120,
            expects=("kill_process",),
            options={
                "processes": Option("how many", 1, least=1, most=most),
                "nice": Option("0 ordinary, 19 last", 0, least=0, most=19),
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
        words = {"level": plan.level, "nice": plan.number("nice")}
        task = Task(
            "cpu", self._env.settings.program(KIND), plan.seconds, words
        )
        count = plan.number("processes")
        return start_all(self._env.children, task, count)


def plugin(env: FaultEnv) -> Fault:
    """Return the kind."""
    return Cpu(env)
