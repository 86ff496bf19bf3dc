"""Whether a service is one that the site lets be restarted."""

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field

from app.core.configfile import Section
from app.models.gauge import Gauge, argument
from app.models.inventory import Inventory
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check, CheckEnv

GAUGE = Gauge(check="service_is_listed", is_floor=True)
Listed = Annotated[str, Field(min_length=1, max_length=127)]


class ServiceSettings(Section):
    """What may be restarted on every host, beside what the inventory says."""

    services: tuple[Listed, ...] = ()


class ServiceIsListed:
    """Compares the action's service with a list and the inventory."""

    def __init__(self, env: CheckEnv) -> None:
        """Take the clock, the list and the inventory."""
        self._clock = env.clock
        self._services = env.settings(ServiceSettings).services
        self._inventory = env.inventory

    async def measure(self, subject: Subject) -> Reading:
        """Return 1 for a service of the list; nothing when nobody lists."""
        service = argument(subject, "service").removesuffix(".service")
        now = self._clock.now()
        if any(fnmatchcase(service, one) for one in self._services):
            return GAUGE.read(now, 1.0, 1.0, f"{service} is listed")
        found = is_in(self._inventory(), service, subject)
        if found is None and not self._services:
            says = f"nobody lists the services of {subject.host}"
            return GAUGE.miss(now, says)
        says = f"{service} is {'' if found else 'not '}listed"
        return GAUGE.read(now, float(bool(found)), 1.0, says)

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Return what a reading means; a list is never worse than before."""
        del before
        return GAUGE.judge(None, after)


def is_in(inventory: Inventory, service: str, subject: Subject) -> bool | None:
    """Tell whether the inventory lets a service be acted upon.

    None when it knows no service of this host: then it does not list them.
    """
    host = inventory.find_host(subject.host)
    name = subject.host if host is None else host.name
    thing = inventory.find_on("service", service, name)
    if thing is not None:
        return thing.actions is None or subject.action in thing.actions
    is_kept = any(inventory.on_host("service", name))
    return False if is_kept else None


def plugin(env: CheckEnv) -> Check:
    """Return the check."""
    return ServiceIsListed(env)
