"""The limits: what holds back what runs too soon, too widely, or in vain.

They are reckoned from the starts that were seen, with their moments, and
from what arrived at the receiver; the guard counts rows.
"""

from collections.abc import Callable

from app.models.job import Job, Order
from tests.simulation.laws import (
    SECOND,
    UNDO,
    WINDOW,
    Ran,
    Start,
    State,
    host_of,
)
from tests.simulation.scene import HOSTS, PROTECTED, ROLES, lead, the_scene

# As the scene's policy has them: half of a group, but one host in any case;
# more than six of ten, of five at least.
LEAST = 1
ENOUGH = 5
OF_TEN = 6
BAD = ("failed", "timed_out", "unknown")


def has_cooled_down(start: Start, _state: State) -> str:
    """Return that the same ran here a moment ago, or nothing."""
    job = start.job
    seconds = the_scene().catalogue.get(job.action).cooldown_seconds
    if job.proposer == UNDO:
        return ""
    for one in start.ran:
        same = (one.job.action, host_of(one.job)) == (job.action, host_of(job))
        ago = start.now - one.at
        # What ran at a later hour than now: the clock was set back meanwhile.
        if same and 0 <= ago < seconds * SECOND:
            return f"it ran here {ago / SECOND:g} s ago, as job {one.job.id}"
    return ""


def spares_the_group(start: Start, _state: State) -> str:
    """Return that too many of its group were touched, or nothing."""
    job = start.job
    name = host_of(job)
    role, place = ROLES.get(name, ""), HOSTS.get(name, "")
    if job.risk == "observe" or not role:
        return ""
    group = [
        one for one in HOSTS if (ROLES.get(one), HOSTS[one]) == (role, place)
    ]
    touched = {
        host_of(one.job)
        for one in _lately(start)
        if one.job.action == job.action
    }
    # All of its place count, whatever they are for.
    there = [one for one in touched if HOSTS.get(one) == place]
    if name in touched or len(there) < max(LEAST, len(group) // 2):
        return ""
    return f"it touched {len(there)} in {place} already"


def is_not_in_vain(start: Start, _state: State) -> str:
    """Return that too much of what ran did not help, or nothing."""
    if start.job.risk == "observe":
        return ""
    lately = [one.job for one in _lately(start) if one.job.risk != "observe"]
    bad = [
        one for one in lately if one.state in BAD or one.verdict == "not_fixed"
    ]
    known = [one for one in lately if one.verdict or one in bad]
    if len(known) < ENOUGH or 10 * len(bad) <= OF_TEN * len(known):
        return ""
    return f"{len(bad)} of {len(known)} did not help"


def works_elsewhere(order: Order, job: Job) -> str:
    """Return that an order touches what was not ruled on, or nothing."""
    host = lead(order.arguments["host"])
    if host == PROTECTED:
        return f"{order.key} works on {host}, which is protected"
    if host != host_of(job):
        return f"{order.key} works on {host}, and was ruled for {job.target}"
    return ""


def _lately(start: Start) -> list[Ran]:
    """Return what ran in the window."""
    since = start.now - WINDOW
    return [one for one in start.ran if one.is_since(since)]


STARTS: tuple[Callable[[Start, State], str], ...] = (
    has_cooled_down,
    spares_the_group,
    is_not_in_vain,
)
