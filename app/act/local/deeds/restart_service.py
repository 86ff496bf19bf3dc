"""Restart one service that may be restarted here, and see it stay up."""

from typing import Annotated

import msgspec
from pydantic import Field

from app.act.local.deed import Deed, DeedEnv, Done, fit
from app.act.local.hand import Hand, Unwilling
from app.act.local.restart.untouched import is_listed, refuse, spare
from app.core.configfile import Section
from app.core.daemons import Daemons
from app.core.errors import NotAccepted, OutgoingFailed
from app.core.warden import Standing

Listed = Annotated[str, Field(min_length=1, max_length=127)]
LOG = "the last lines of its log:"


class RestartSettings(Section):
    """What may be restarted here.

    Attributes:
        services: patterns; a database must stand here by its whole name.
            What has a command of its own in ``host.services`` needs none.
        protected: patterns of what is never restarted, beside what is
            built in.
        wait_seconds: how long a service gets to come up.
    """

    services: tuple[Listed, ...] = Field((), max_length=1_000)
    protected: tuple[Listed, ...] = Field((), max_length=1_000)
    wait_seconds: float = Field(30.0, gt=0, le=600)


class ServiceArguments(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True
):
    """Which service of which host."""

    host: str
    service: str


class RestartService:
    """Restarts what the settings list."""

    takes: type[msgspec.Struct] = ServiceArguments

    def __init__(self, settings: RestartSettings, daemons: Daemons) -> None:
        """Take what may be restarted, and who restarts it."""
        self._settings = settings
        self._daemons = daemons

    def do(self, arguments: ServiceArguments, hand: Hand) -> Done:
        """Say how it is, restart it, wait, and say how it is then."""
        fit("host", arguments.host)
        service = fit("service", arguments.service)
        before = self._admit(service, hand.bounds.services)
        hand.say(f"before: {_told(before)}")
        self._say_log(before, hand)
        hand.check()
        try:
            after = self._daemons.restart(
                before.name, self._settings.wait_seconds, hand.errand
            )
        except NotAccepted as error:
            raise Unwilling(str(error)) from error
        except OutgoingFailed:
            self._say_log(before, hand)
            raise
        hand.say(f"after: {_told(after)}")
        return Done(f"{before.name} was restarted by {_by(after)}")

    def _admit(self, service: str, told: tuple[str, ...]) -> Standing:
        """Return how a service is that may be restarted, or raise.

        Args:
            service: its name.
            told: what the policy protects beside our own settings.
        """
        # What is never restarted is not even looked at.
        settings = self._settings
        protected = (*settings.protected, *told)
        spare(service, protected)
        try:
            found = self._daemons.state(service)
        except OutgoingFailed as error:
            raise Unwilling(str(error)) from error
        refuse(found, settings.services, protected)
        if found.warden != "command" and not is_listed(
            found.name, settings.services
        ):
            raise Unwilling(
                f"{found.name} is not listed on this machine: see"
                " backends.local.deeds.restart-service.services"
            )
        return found

    def _say_log(self, standing: Standing, hand: Hand) -> None:
        """Write what it said last, as far as we are shown it."""
        try:
            lines = self._daemons.tail(standing)
        except OutgoingFailed as error:
            hand.say(f"its log: {error}")
            return
        if lines:
            hand.say("\n".join((LOG, *lines)))
        else:
            hand.say("its log shows us nothing")


def _told(standing: Standing) -> str:
    """Return for people how a service is."""
    seconds = standing.seconds
    since = "" if seconds is None else f", for {seconds:.0f} s"
    pid = f", process {standing.pid}" if standing.pid else ""
    return f"{standing.says}{since}{pid}"


def _by(standing: Standing) -> str:
    """Return who restarted it, and how it is now."""
    who = {"command": "its own command"}.get(standing.warden, standing.warden)
    return f"{who}: {standing.says}"


def plugin(env: DeedEnv) -> Deed:
    """Return the deed."""
    return RestartService(env.settings(RestartSettings), Daemons(env.host))
