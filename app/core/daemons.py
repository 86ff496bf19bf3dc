"""Who keeps a daemon of this machine running, and how it is restarted.

Asked from threads; everything has an end. A daemon is kept by a command of
its own when the settings declare one, else by supervisor when it has such a
program, else by systemd.
"""

import time
from contextlib import suppress

from app.core.declared import Commands
from app.core.errand import Errand
from app.core.errors import NotAccepted, OutgoingFailed
from app.core.host import HostSettings
from app.core.supervisor import Supervisor
from app.core.systemd import Systemd
from app.core.warden import Standing, State, Warden, fit_name

ASK_SECONDS = 5.0
# How long a daemon gets to come up, and must then stay up.
UP_SECONDS = 30.0
STAY_SECONDS = 3.0
LOOK_SECONDS = 0.25
# Whatever its warden says, its end is waited for no longer.
MOST_ENDING_SECONDS = 600.0
TAIL_LINES = 30
FORGETFUL = Errand()


class Daemons:
    """Knows the wardens of this machine."""

    def __init__(self, host: HostSettings) -> None:
        """Take what is said about this machine."""
        self._wardens: dict[str, Warden] = {"command": Commands(host.services)}
        if host.supervisor:
            self._wardens["supervisor"] = Supervisor(host.supervisor)
        self._wardens["systemd"] = Systemd()

    def state(self, name: str, seconds: float = ASK_SECONDS) -> Standing:
        """Return how a daemon is; unknown when nobody keeps it.

        Raises:
            NotAccepted: that is no name.
            OutgoingFailed: somebody who may keep it does not answer: then
                nobody knows who does.
        """
        name = fit_name(name)
        until = time.monotonic() + seconds
        for warden in self._wardens.values():
            left = max(0.1, round(until - time.monotonic(), 1))
            found = warden.look(name, left)
            if found is not None:
                return found
        raise OutgoingFailed(f"nobody keeps {name}")

    def survey(self, seconds: float = ASK_SECONDS) -> tuple[Standing, ...]:
        """Return how all are that supervisor keeps, or raise as state."""
        warden = self._wardens.get("supervisor")
        if not isinstance(warden, Supervisor):
            return ()
        return warden.survey(seconds)

    def tail(
        self,
        standing: Standing,
        lines: int = TAIL_LINES,
        seconds: float = ASK_SECONDS,
    ) -> tuple[str, ...]:
        """Return the last lines that a daemon wrote, or raise as state."""
        warden = self._wardens[standing.warden]
        return warden.tail(standing, lines, seconds)

    def restart(
        self,
        name: str,
        seconds: float = UP_SECONDS,
        errand: Errand = FORGETFUL,
    ) -> Standing:
        """Restart a daemon and return how it is once it stays up.

        Args:
            name: what its warden calls it; an alias is refused.
            seconds: how long it may take to come up.
            errand: how it is waited, and where is written what must not be
                forgotten when we die meanwhile.

        Raises:
            NotAccepted: it must not be restarted; nothing was done.
            OutgoingFailed: it was told to, and does not stay up.
        """
        before = self._look_before(name)
        notes = errand.notes
        if before.limit is not None:
            ours = notes.count(before.name, before.limit.seconds)
            if not before.limit.has_room(ours):
                raise NotAccepted(
                    f"{before.name} was restarted from here {ours} times, and"
                    " would reach its start limit"
                )
        notes.add(before.name)
        self._wardens[before.warden].restart(before, errand)
        return self._watch(before, seconds, errand)

    def resume(self, keeper: str, name: str, since: float) -> str:
        """Start again what was ended and not started; return what was done.

        Args:
            keeper: which warden ended it.
            name: what he calls it.
            since: when it was about to be ended, by the wall clock.

        Raises:
            OutgoingFailed: it cannot be done now; later perhaps.
        """
        warden = self._wardens.get(keeper)
        if not isinstance(warden, Supervisor):
            return f"{keeper} does not keep {name} any more"
        return warden.resume(name, since)

    def _look_before(self, name: str) -> Standing:
        """Return how a daemon is that may be restarted, or raise."""
        try:
            found = self.state(name)
        except NotAccepted:
            raise
        except OutgoingFailed as error:
            raise NotAccepted(str(error), may_retry=True) from error
        if found.refusal:
            raise NotAccepted(found.refusal)
        if found.state is State.UNKNOWN:
            raise NotAccepted(found.says)
        if found.name != fit_name(name):
            text = f"{name} is another name of {found.name}: say that one"
            raise NotAccepted(text)
        return found

    def _watch(
        self, before: Standing, seconds: float, errand: Errand
    ) -> Standing:
        """Return how it is once another run of it stays up, or raise."""
        warden = self._wardens[before.warden]
        ended_by = time.monotonic() + min(
            before.ending_seconds, MOST_ENDING_SECONDS
        )
        until = time.monotonic() + seconds + STAY_SECONDS
        seen = _Seen(before)
        while time.monotonic() < until and not seen.is_lost:
            with suppress(OutgoingFailed):
                seen.add(warden.look(before.name, ASK_SECONDS))
            if seen.up_seconds >= STAY_SECONDS and seen.last is not None:
                return seen.last
            if seen.is_ending and time.monotonic() < ended_by:
                # One that hangs is killed by its warden: only then it comes.
                until = time.monotonic() + seconds + STAY_SECONDS
            errand.wait(LOOK_SECONDS)
        raise OutgoingFailed(f"it was restarted and does not stay up: {seen}")


class _Seen:
    """What is seen of a daemon after its restart.

    Attributes:
        last: how it was last.
    """

    def __init__(self, before: Standing) -> None:
        """Take how it was before."""
        self.last: Standing | None = None
        self._before = before
        self._up_since = 0.0

    def __str__(self) -> str:
        """Return the last of it for people."""
        if self.last is None:
            return "nobody says how it is"
        if self.last.is_active and not self._is_another(self.last):
            return f"{self.last.says}, and was not started again"
        return self.last.says

    def add(self, found: Standing | None) -> None:
        """Take how it is now."""
        earlier, self.last = self.last, found
        if found is None or not (found.is_active and self._is_another(found)):
            self._up_since = 0.0
        elif self._up_since and earlier is not None:
            if earlier.run != found.run:
                self._up_since = time.monotonic()
        else:
            self._up_since = time.monotonic()

    @property
    def up_seconds(self) -> float:
        """Return how long one run of it has been up."""
        return time.monotonic() - self._up_since if self._up_since else 0.0

    @property
    def is_ending(self) -> bool:
        """Tell whether the run from before has not ended yet."""
        return (
            self.last is not None
            and self.last.state is State.STARTING
            and bool(self.last.run)
            and not self._is_another(self.last)
        )

    @property
    def is_lost(self) -> bool:
        """Tell whether it was started again, failed, and was given up."""
        return (
            self.last is not None
            and self.last.state is State.FAILED
            and bool(self.last.run)
            and self._is_another(self.last)
        )

    def _is_another(self, found: Standing) -> bool:
        """Tell whether this run is another one; so it is when nobody says."""
        return not found.run or found.run != self._before.run
