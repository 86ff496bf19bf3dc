"""A clock that is wrong: that of a dummy service, never the machine's."""

from simulator.fault import Fault, FaultEnv, Option, Plan, Running, Spec
from simulator.journal import FILES, Journal, Made
from simulator.moods import MoodFile
from simulator.problem import Unable

MOST_SECONDS = 86_400


class WrongClock(Running):
    """A service that tells a wrong time."""

    def __init__(self, mood: MoodFile, journal: Journal, skew: int) -> None:
        """Take the service's file, and how wrong its clock is to be."""
        self._mood = mood
        self._journal = journal
        folder, name = str(mood.path.parent), mood.path.name
        self._number = journal.note(Made(FILES, path=folder, pattern=name))
        self._was_there = mood.path.exists()
        mood.set_skew(skew)

    def is_going(self) -> bool:
        """Tell whether the service still has a wrong clock."""
        return self._mood.read().skew_seconds != 0

    def end(self) -> None:
        """Let it tell the right time again."""
        if self._was_there and self._mood.path.exists():
            self._mood.set_skew(0)
        else:
            self._mood.remove()
        self._journal.done(self._number)


class Clock(Fault):
    """A skew that can be seen; no clock is changed."""

    def __init__(self, env: FaultEnv) -> None:
        """Take what it may use."""
        self._env = env
        names = env.settings.services
        self.spec = Spec(
            name="clock",
            purpose="A service tells a wrong time; no clock is changed.",
            unit="seconds",
            least=-MOST_SECONDS,
            most=MOST_SECONDS,
            default=300,
            seconds=120,
            expects=("escalate", "collect_diagnostics"),
            options={"service": Option("which one", names[0], choices=names)}
            if names
            else {},
        )

    def target(self, plan: Plan) -> dict[str, str]:
        """Return the labels by which an alert may name it."""
        host = self._env.settings.host
        if "service" not in plan.options:
            return {"host": host}
        return {"host": host, "service": plan.word("service")}

    def begin(self, plan: Plan) -> Running:
        """Tell the service how wrong its clock is."""
        if "service" not in plan.options or not plan.level:
            raise Unable(
                "there is no service whose clock could be wrong"
                if plan.level
                else "a clock that is 0 seconds off is right",
                field="level" if plan.options else "services",
                remedy="Give a level other than 0, and a service",
            )
        name = plan.word("service")
        path = self._env.settings.home / "services" / f"{name}.json"
        return WrongClock(MoodFile(path), self._env.journal, plan.level)


def plugin(env: FaultEnv) -> Fault:
    """Return the kind."""
    return Clock(env)
