"""A process that writes, and has each piece on the disk."""

from simulator.child_fault import Children, start_all
from simulator.fault import Fault, FaultEnv, Plan, Running, Spec
from simulator.journal import FILES, Made
from simulator.nursery import Task

KIND = "io"
FILE = "io.bin"


class Io(Fault):
    """A busy disk."""

    def __init__(self, env: FaultEnv) -> None:
        """Take what it may use."""
        self._env = env
        self.spec = Spec(
            name="io",
            purpose="A process keeps the disk busy: it writes and syncs.",
            unit="MB/s",
            least=1,
            most=500,
            default=20,
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
        home, most = self._env.settings.home, self._env.settings.most
        # The file has a name for a moment only, but one can be killed then.
        made = Made(FILES, path=str(home), pattern=FILE)
        number = self._env.journal.note(made)
        try:
            return self._start(plan, str(home / FILE), most.disk_mb)
        finally:
            self._env.journal.done(number)

    def _start(self, plan: Plan, path: str, cap: int) -> Children:
        """Start the process that writes, into a file of a bounded size."""
        words = {"level": plan.level, "path": path, "cap_mb": cap}
        task = Task(
            "io", self._env.settings.program(KIND), plan.seconds, words
        )
        return start_all(self._env.children, task)


def plugin(env: FaultEnv) -> Fault:
    """Return the kind."""
    return Io(env)
