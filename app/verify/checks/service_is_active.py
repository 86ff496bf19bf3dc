"""Whether systemd of this machine says that a service is active."""

from app.core.configfile import Section
from app.core.errors import OutgoingFailed
from app.core.program import ask_program
from app.models.gauge import Gauge, argument, elsewhere
from app.models.shape import SHAPES
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

GAUGE = Gauge(check="service_is_active", unit="active", is_floor=True)
PROPERTIES = "LoadState,ActiveState,SubState,NRestarts"
SECONDS = 5.0
ACTIVE = ("active", "reloading", "refreshing")
# What systemctl manages beside services.
SUFFIXES = (".socket", ".timer", ".target", ".mount", ".path", ".slice")


class ServiceIsActive:
    """Asks systemctl, which asks systemd."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock."""
        self._clock = env.clock

    async def measure(self, subject: Subject) -> Reading:
        """Return 1 while it is active; nothing where systemd is not."""
        if not subject.is_here:
            return GAUGE.miss(self._clock.now(), elsewhere(subject))
        unit = unit_of(argument(subject, "service"))
        asked = ["show", f"--property={PROPERTIES}", "--", unit]
        text = await ask_program("systemctl", asked, SECONDS)
        said = dict(
            line.split("=", 1) for line in text.splitlines() if "=" in line
        )
        now = self._clock.now()
        state = said.get("ActiveState", "")
        if not state:
            return GAUGE.miss(now, "systemd does not run this machine")
        if said.get("LoadState") == "not-found":
            return GAUGE.miss(now, f"systemd knows no {unit}")
        says = f"{unit} is {state} ({said.get('SubState', '')})"
        if said.get("NRestarts", "0") not in ("0", ""):
            says += f", restarted by systemd {said['NRestarts']} times"
        return GAUGE.read(now, float(state in ACTIVE), 1.0, says)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means; what was active and is not is worse."""
        return GAUGE.judge(before, after)


def unit_of(service: str) -> str:
    """Return the unit of a service, or raise OutgoingFailed."""
    name = SHAPES["service"].fit(service)
    if name is None:
        raise OutgoingFailed("the service's name is none")
    return name if name.endswith(SUFFIXES) else f"{name}.service"


def plugin(env: CheckEnv) -> Check:
    """Return the check; it takes no settings."""
    env.settings(Section)
    return ServiceIsActive(env)
