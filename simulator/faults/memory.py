"""A process that takes memory: more and more, or much at once."""

import psutil

from simulator.child_fault import start_all
from simulator.fault import Fault, FaultEnv, Option, Plan, Running, Spec
from simulator.nursery import Task
from simulator.problem import Unable

KIND = "memory"
MB = 1024 * 1024
# What must be left for everybody else, besides all that it may take.
RESERVE_MB = 256


class Memory(Fault):
    """A leak, or a step."""

    def __init__(self, env: FaultEnv) -> None:
        """Take what it may use."""
        self._env = env
        most = env.settings.most.memory_mb
        self.spec = Spec(
            name="memory",
            purpose="A process takes memory and never gives it back.",
            unit="MB (a minute, when it leaks)",
            least=1,
            most=most,
            default=min(300, most),
            seconds=180,
            expects=("kill_process",),
            options={
                "shape": Option(
                    "leak: so much a minute; step: so much at once",
                    "leak",
                    choices=("leak", "step"),
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
        """Start its process, where there is room for all it may take."""
        cap = self._cap(plan)
        free = psutil.virtual_memory().available // MB
        if free < cap + RESERVE_MB:
            raise Unable(
                f"this machine has {free} MB free, and {cap} MB with"
                f" {RESERVE_MB} MB to spare are needed",
                field="level",
                remedy="Ask for less, or for a shorter time",
            )
        words = {
            "level": plan.level,
            "shape": plan.word("shape"),
            "cap_mb": cap,
        }
        task = Task(
            "memory", self._env.settings.program(KIND), plan.seconds, words
        )
        return start_all(self._env.children, task)

    def _cap(self, plan: Plan) -> int:
        """Return how many MB it takes at the very most."""
        if plan.word("shape") == "step":
            return plan.level
        grown = plan.level * plan.seconds // 60 + 1
        return min(grown, self._env.settings.most.memory_mb)


def plugin(env: FaultEnv) -> Fault:
    """Return the kind."""
    return Memory(env)
