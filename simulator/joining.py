"""Which alerts, decisions and jobs of the service belong to which fault.

An alert belongs to the fault whose target it names, and that runs, or ran a
moment ago. What an incident leads to belongs to the faults whose alerts are
in it. What may belong to several faults is kept apart: it counts for none.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulator.naming import Naming, hosts_of, is_on, name_of
from simulator.records import Alert, Decision, Fact, Job, Story

FIRING = "firing"


@dataclass(frozen=True)
class Limits:
    """How much room there is between what happened and what was told.

    Attributes:
        early: an alert may be so much older than its fault (clocks).
        grace: and may come so long after its fault was over.
        tolerance: so long after "fixed" a fault may be seen to end.
    """

    early: timedelta = timedelta(seconds=1)
    grace: timedelta = timedelta(seconds=60)
    tolerance: timedelta = timedelta(seconds=10)


@dataclass
class Owned:
    """What belongs to one fault.

    Attributes:
        fact: the fault.
        alerts: those that fire, in the order in which they were accepted.
        decisions: what was decided because of them, in order.
        jobs: what ran because of them, in order.
    """

    fact: Fact
    alerts: list[Alert] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    @property
    def hosts(self) -> set[str]:
        """Return every name that its alerts have for the machine."""
        return {name for one in self.alerts for name in hosts_of(one.labels)}

    def is_right(self, call: Decision | Job) -> bool:
        """Tell whether something is what this fault wants, on its target."""
        target, hosts = self.fact.target, self.hosts
        return call.action in self.fact.right and is_on(
            call.arguments, target, hosts
        )


@dataclass
class Joined:
    """The truth and the story, put together.

    Attributes:
        owned: what belongs to each fault, in the order of the faults.
        unsure: alerts that may belong to several faults.
        strays: jobs that belong to no fault, with those that they may be for.
    """

    owned: list[Owned]
    unsure: list[Alert] = field(default_factory=list)
    strays: list[tuple[Job, list[Owned]]] = field(default_factory=list)


class Joining:
    """Puts the truth and the story together."""

    def __init__(
        self, facts: Iterable[Fact], story: Story, limits: Limits
    ) -> None:
        """Take both, and how much room there is between them."""
        in_order = sorted(facts, key=lambda one: one.began_at)
        self._owned = [Owned(fact) for fact in in_order]
        self._story = story
        self._limits = limits
        self._of_incident: dict[int, list[Owned]] = defaultdict(list)
        self._maybe_of: dict[int, list[Owned]] = defaultdict(list)

    def join(self) -> Joined:
        """Return what belongs to which fault."""
        joined = Joined(self._owned)
        firing = sorted(
            (one for one in self._story.alerts if one.status == FIRING),
            key=lambda one: (one.at, one.id),
        )
        rest = [one for one in firing if not self._claim(one)]
        joined.unsure = [one for one in rest if not self._claim_by_host(one)]
        for owned in self._owned:
            owned.alerts.sort(key=lambda one: (one.at, one.id))
        for decision in sorted(self._story.decisions, key=lambda one: one.id):
            for owned in self._owner(decision, decision.at):
                owned.decisions.append(decision)
        for job in sorted(self._story.jobs, key=lambda one: one.id):
            owners = self._owner(job, job.started_at)
            for owned in owners:
                owned.jobs.append(job)
            if not owners:
                root = self._story.root(job.incident)
                joined.strays.append((job, self._maybe_of[root]))
        return joined

    def _near(self, alert: Alert, naming: Naming) -> list[Owned]:
        """Return the faults that an alert may be about.

        Those that run then come before those that are just over.
        """
        limits = self._limits
        near = [
            one
            for one in self._owned
            if one.fact.covers(alert.at, limits.early, limits.grace)
            and name_of(alert.labels, one.fact.target) is naming
        ]
        none = timedelta(0)
        running = [
            one for one in near if one.fact.covers(alert.at, none, none)
        ]
        return running or near

    def _claim(self, alert: Alert) -> bool:
        """Give an alert to the newest fault whose target it names."""
        near = self._near(alert, Naming.EXACT)
        if near:
            self._give(alert, near[-1])
        return bool(near)

    def _claim_by_host(self, alert: Alert) -> bool:
        """Give an alert that names only a machine away; tell if it is clear.

        It is of the fault that its incident is of, or of the only one on
        that machine. One that is about no fault is nobody's, and clear.
        """
        near = self._near(alert, Naming.HOST)
        root = self._story.root(alert.incident)
        same = [one for one in near if one in self._of_incident[root]]
        near = same or near
        if not near:
            return True
        targets = [one.fact.target for one in near]
        if all(target == targets[0] for target in targets):
            self._give(alert, near[-1])
            return True
        self._maybe_of[root] += near
        return False

    def _give(self, alert: Alert, owned: Owned) -> None:
        """Write down that an alert, and its incident, are of a fault."""
        owned.alerts.append(alert)
        owners = self._of_incident[self._story.root(alert.incident)]
        if alert.incident and owned not in owners:
            owners.append(owned)

    def _owner(
        self, call: Decision | Job, moment: datetime | None
    ) -> Sequence[Owned]:
        """Return the one fault that something was done for, or none.

        Of several in one incident it is the newest for which it is right,
        among those that it can be for at all.
        """
        owners = self._of_incident[self._story.root(call.incident)]
        if len(owners) < 2 or moment is None:
            return owners[-1:]
        early, grace = self._limits.early, self._limits.grace
        by_alert = sorted(owners, key=lambda one: one.alerts[0].at)
        return (
            _last(
                by_alert,
                lambda one: (
                    one.alerts[0].at <= moment
                    and one.fact.covers(moment, early, grace)
                    and one.is_right(call)
                ),
            )
            or _last(by_alert, lambda one: one.alerts[0].at <= moment)
            or by_alert[:1]
        )


def _last(
    among: Sequence[Owned], is_so: Callable[[Owned], bool]
) -> Sequence[Owned]:
    """Return the last for which something is so, as a list of one, or none."""
    return [one for one in among if is_so(one)][-1:]
