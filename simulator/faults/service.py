"""A service that is down: stopped, crashing, hanging, broken or slow.

All goes by the service's own files, which its keeper (keeping.py) follows:
the mode in NAME.json, and how it is in NAME.state.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from simulator.dummy import FROZEN, STOPPED, WRITES
from simulator.fault import Fault, FaultEnv, Option, Plan, Running, Spec
from simulator.journal import FILES, Journal, Made
from simulator.kept import Place
from simulator.moods import MoodFile
from simulator.problem import Unable

LOOP, NO_ROOM = "crash-loop", "no-room"
SHAPES = {
    "stopped": STOPPED,
    LOOP: "crash",
    "hang": FROZEN,
    "errors": "500",
    "slow": "slow",
    NO_ROOM: WRITES,
}
SEEN_SECONDS = 1.0
# One that cannot write ends soon, and is seen to be down.
DOWN_SECONDS = 5.0
PAUSE_SECONDS = 0.01


class Broken(Running):
    """A service that is not as it should be.

    It is over by another's hand when somebody had it started anew, and it
    has come up: where the disk is full, the first is not yet the second.
    """

    def __init__(self, place: Place, mode: str, journal: Journal) -> None:
        """Take the service, and break it."""
        self._place = place
        self._mode = mode
        self._mood = MoodFile(place.mood)
        self._journal = journal
        folder, name = str(place.folder), place.mood.name
        self._number = journal.note(Made(FILES, path=folder, pattern=name))
        self._mood.set_mode(mode)

    def is_going(self) -> bool:
        """Tell whether it is still broken."""
        if self._mood.read().mode == self._mode:
            return True
        state = read_state(self._place)
        return (state.get("state"), state.get("mode")) != ("running", "ok")

    def end(self) -> None:
        """Let it be as it should be; its keeper sees to that."""
        if self._mood.read().mode == self._mode:
            self._mood.set_mode("ok")
        self._journal.done(self._number)


class Starved(Broken):
    """A service that ended since it cannot write; room brings it back.

    Nobody need start it anew: its keeper tries again and again.
    """

    def is_going(self) -> bool:
        """Tell whether it is still down."""
        return not is_up(self._place)


class Service(Fault):
    """A dummy service that is broken in one of some ways."""

    def __init__(self, env: FaultEnv) -> None:
        """Take what it may use."""
        self._env = env
        names = env.settings.services
        self._has_any = bool(names)
        options = {
            "shape": Option(
                "stopped; crash-loop: no restart helps; hang: SIGSTOP;"
                " errors: it answers 500; slow: it answers after 5 s;"
                " no-room: it ends since the small disk is full",
                "stopped",
                choices=tuple(SHAPES),
            )
        }
        if names:
            options["service"] = Option("which one", names[0], choices=names)
        self.spec = Spec(
            name="service",
            purpose="A service is down: stopped, crashing, hanging, ...",
            unit="service",
            least=1,
            most=1,
            default=1,
            seconds=180,
            expects=("restart_service",),
            options=options,
        )

    def target(self, plan: Plan) -> dict[str, str]:
        """Return the labels by which an alert may name it."""
        host = self._env.settings.host
        if not self._has_any:
            return {"host": host}
        return {"host": host, "service": plan.word("service")}

    def expects(self, plan: Plan) -> tuple[str, ...]:
        """Return the right first actions: no restart ends a crash loop."""
        if plan.word("shape") == LOOP:
            return ("escalate", "collect_diagnostics")
        if plan.word("shape") == NO_ROOM:
            return ("free_disk_space",)
        return self.spec.expects

    def begin(self, plan: Plan) -> Running:
        """Break it, and see that its keeper follows."""
        if not self._has_any:
            raise Unable(
                "there is no service that could be broken",
                field="services",
                remedy="Name one in the settings, such as services: [shop]",
            )
        shape, settings = plan.word("shape"), self._env.settings
        if shape == NO_ROOM and settings.spool != "disk":
            raise Unable(
                "the services do not write to the small disk",
                field="spool",
                remedy="Set 'spool: disk' in the settings",
            )
        place = Place(plan.word("service"), settings.home / "services")
        # One that was mended a moment ago may not be seen so yet.
        if not is_followed(place, "ok"):
            raise Unable(
                f"{place.name} is kept by nobody, or broken already",
                field="options.service",
                remedy="It is kept while 'python -m simulator serve' runs",
            )
        found = read_state(place)
        if found.get("state") != "running":
            raise Unable(
                f"{place.name} does not run: {found.get('says', '')}",
                field="options.service",
                remedy="Mend that first: what is down cannot be broken",
            )
        return self._break(place, shape)

    def _break(self, place: Place, shape: str) -> Broken:
        """Break what runs, and return it broken."""
        mode = SHAPES[shape]
        kind = Starved if shape == NO_ROOM else Broken
        broken = kind(place, mode, self._env.journal)
        if not is_followed(place, mode):
            broken.end()
            raise Unable(
                f"the keeper of {place.name} did not follow in time",
                remedy="Try again when this machine is less busy",
            )
        if shape == NO_ROOM and not wait(
            lambda: not is_up(place), DOWN_SECONDS
        ):
            broken.end()
            raise Unable(
                f"{place.name} has room to write, and goes on",
                field="options.shape",
                remedy="Fill the small disk first: begin the fault disk",
            )
        return broken


def is_followed(place: Place, mode: str) -> bool:
    """Wait until its keeper has seen a mode; tell whether that was so."""
    return wait(lambda: read_state(place).get("mode") == mode, SEEN_SECONDS)


def is_up(place: Place) -> bool:
    """Tell whether its keeper says that it runs."""
    return bool(read_state(place).get("state") == "running")


def wait(tells: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is so; tell whether it was in time."""
    deadline = time.monotonic() + seconds
    while not tells():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_SECONDS)
    return True


def read_state(place: Place) -> dict[str, Any]:
    """Return how a service is as its keeper says, empty when it does not."""
    try:
        said = json.loads(place.state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def plugin(env: FaultEnv) -> Fault:
    """Return the kind."""
    return Service(env)
