"""A process that holds many files open."""

import resource

from simulator.child_fault import start_all
from simulator.fault import Fault, FaultEnv, Plan, Running, Spec
from simulator.nursery import Task
from simulator.problem import Unable

KIND = "files"
# What a process has open anyway, and some to spare.
OWN = 64


class Files(Fault):
    """Open files that nobody closes."""

    def __init__(self, env: FaultEnv) -> None:
        """Take what it may use."""
        self._env = env
        most = env.settings.most.files
        self.spec = Spec(
            name="files",
            purpose="A process holds many files open, near its limit.",
            unit="open files",
            least=1,
            most=most,
            default=min(1000, most),
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
        """Start its process, where it may hold so many."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        is_bound = hard not in {resource.RLIM_INFINITY, -1}
        if is_bound and plan.level + OWN > hard:
            raise Unable(
                f"a process of this user may hold {hard} files open",
                field="level",
                remedy=f"Ask for {max(1, hard - OWN)} at most, or raise the"
                " limit (ulimit -Hn)",
            )
        task = Task(
            "files",
            self._env.settings.program(KIND),
            plan.seconds,
            {"level": plan.level},
        )
        return start_all(self._env.children, task)


def plugin(env: FaultEnv) -> Fault:
    """Return the kind."""
    return Files(env)
