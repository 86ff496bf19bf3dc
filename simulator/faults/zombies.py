"""A process that never asks how its children ended."""

from simulator.child_fault import start_all
from simulator.fault import Fault, FaultEnv, Plan, Running, Spec
from simulator.nursery import Task

KIND = "zombies"


class Zombies(Fault):
    """Ended processes that stay in the table."""

    def __init__(self, env: FaultEnv) -> None:
        """Take what it may use."""
        self._env = env
        most = env.settings.most.zombies
        self.spec = Spec(
            name="zombies",
            purpose="A process leaves its ended children unreaped.",
            unit="zombies",
            least=1,
            most=most,
            default=min(100, most),
            seconds=120,
            expects=("escalate", "collect_diagnostics"),
        )

    def target(self, plan: Plan) -> dict[str, str]:
        """Return the labels by which an alert may name it."""
        del plan
        return {
            "host": self._env.settings.host,
            "process": self._env.settings.program(KIND),
        }

    def begin(self, plan: Plan) -> Running:
        """Start its process."""
        task = Task(
            "zombies",
            self._env.settings.program(KIND),
            plan.seconds,
            {"level": plan.level},
        )
        return start_all(self._env.children, task)


def plugin(env: FaultEnv) -> Fault:
    """Return the kind."""
    return Zombies(env)
