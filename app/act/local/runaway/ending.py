"""The end of one process: asked for first, and made in the end."""

import signal
import time

from pydantic import Field

from app.act.local.deed import Done
from app.act.local.hand import Hand, Unwilling
from app.act.local.runaway.burden import Burden
from app.act.local.runaway.culprit import recall
from app.act.local.runaway.identity import Identity
from app.act.local.runaway.pidfd import Grip
from app.act.local.runaway.sparing import (
    Sparing,
    SparingSettings,
    groups_of,
    names_of_who,
    refuse_told,
)
from app.core.brief import brief
from app.core.look.details import read_text
from app.core.look.past import Past
from app.core.look.snapshot import read_proc, read_procs
from app.models.job import JobState

# What is counted on this machine, for all deeds together.
ENDED = "one process ended"
KEEPERS = frozenset({"supervisord", "monit", "runsv", "s6-supervise"})


class EndSettings(SparingSettings):
    """How a process is ended, and which never.

    Attributes:
        grace_seconds: so long after SIGTERM comes SIGKILL.
        kill_seconds: so long after SIGKILL nothing more is expected.
        rest_seconds: so long after one was ended here no other one is, by
            whichever deed that was.
    """

    grace_seconds: float = Field(10.0, ge=0.1, le=600)
    kill_seconds: float = Field(5.0, ge=0.1, le=600)
    rest_seconds: float = Field(600.0, ge=0, le=86_400)


class Ender:
    """Ends one process that was measured, if it may be ended at all."""

    def __init__(self, settings: EndSettings, past: Past) -> None:
        """Take how, which never, and what is remembered of the machine."""
        self.sparing = Sparing(settings)
        self._settings = settings
        self._past = past

    def end(self, culprit: Burden, why: str, hand: Hand) -> Done:
        """End it, and say what came of it.

        Raises:
            Unwilling: it may not be ended, or is another by now.
            Stopped: the deed must end; a signal may have been sent.
        """
        who = culprit.identity
        if who is None and culprit.proc.state == "Z":
            raise Unwilling(
                f"{culprit}: its first thread has ended and others go on, so"
                " that the system does not show who it is: a person must end"
                " it"
            )
        if who is None:
            raise Unwilling(
                f"we are not shown who {culprit.proc} is: {culprit}; it is"
                " of another user, and reading that needs CAP_SYS_PTRACE"
            )
        if not hand.bounds.may_end:
            raise Unwilling(
                f"{who.name}[{who.pid}] is not ended: the job was not ruled on"
                " as destructive; what may be ended here must stand in the"
                " settings of both, the service and its hands"
            )
        self.sparing.refuse(who)
        refuse_told(names_of_who(who), groups_of(who), hand.bounds)
        if culprit.is_stuck:
            raise Unwilling(
                f"{culprit} is in uninterruptible sleep"
                f"{_waits_in(who.pid)}: no signal reaches it; look at its"
                " disk or its network file system"
            )
        hand.say(f"before: {culprit}")
        hand.say(f"because: {why}")
        remembered = recall(self._past, culprit)
        hand.say(f"past: {remembered or 'nothing is known of it'}")
        keeper = find_keeper(who, culprit.proc.parent)
        hand.say(f"kept by: {keeper or 'nobody that is known'}")
        hand.say(f"will be ended: {who}")
        with Grip(who) as grip:
            done = self._signal(grip, hand)
        after = f"; {keeper}" if keeper else ""
        return Done(f"{done.reason} ({why}){after}", done.state)

    def _signal(self, grip: Grip, hand: Hand) -> Done:
        """Send what is needed, and return how it ended."""
        name = f"{grip.known.name}[{grip.known.pid}]"
        hand.check()
        # It is written down before: what dies in between counts, too.
        rest = self._settings.rest_seconds
        if not hand.once(ENDED, rest):
            raise Unwilling(
                f"{name} is not ended: one was on this machine within the"
                f" last {rest:g} s (setting 'rest_seconds')"
            )
        began = time.monotonic()
        if not grip.send(signal.SIGTERM):
            return Done(f"{name} ended by itself before a signal was sent")
        hand.say("sent: SIGTERM")
        if grip.wait(self._settings.grace_seconds, hand):
            return _tell(hand, f"{name} ended on SIGTERM", began)
        hand.check()
        try:
            grip.compare()
        except Unwilling:
            if grip.has_ended:
                return _tell(hand, f"{name} ended on SIGTERM", began)
            raise
        if grip.send(signal.SIGKILL):
            hand.say("sent: SIGKILL")
        if grip.wait(self._settings.kill_seconds, hand):
            return _tell(hand, f"{name} ended on SIGKILL only", began)
        proc = read_proc(grip.known.pid)
        state = proc.state if proc is not None else "unknown"
        return Done(
            f"{name} did not end on SIGTERM and SIGKILL (state {state}"
            f"{_waits_in(grip.known.pid)})",
            JobState.FAILED,
        )


def _tell(hand: Hand, what: str, began: float) -> Done:
    """Say how it ended, and how long that took."""
    hand.say(f"{what}, after {time.monotonic() - began:.1f} s")
    return Done(what)


def _waits_in(pid: int) -> str:
    """Return in which call of the kernel a process waits, if shown."""
    place = read_text(pid, "wchan").strip()
    return f", in {place}" if place not in ("", "0") else ""


def find_keeper(who: Identity, parent: int) -> str:
    """Return who may start a process again, "" when nobody is known to."""
    for part in reversed(who.cgroup.split("/")):
        if part.endswith(".service") and not part.startswith("user@"):
            return f"systemd may start {brief(part)} again"
        if who.is_contained or part.startswith(("docker-", "cri-")):
            return "its container may start it again"
    parents = {proc.pid: proc for proc in read_procs().values()}
    above = parents.get(parent)
    if above is None or above.pid == 1:
        return ""
    if above.name in KEEPERS:
        return f"{brief(str(above))} keeps it and may start it again"
    return f"its parent {brief(str(above))} may start it again"
