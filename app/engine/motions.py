"""Motions: what is put to the guard, made out of the store as it is now.

A decision may have waited for hours: the incident, the inventory and the
settings are read again, and each argument is proved once more.
"""

from collections.abc import Collection, Iterator

import msgspec

from app.core.errors import Refused, Unreadable
from app.decide.vetting import vet
from app.engine.plans import Needs, Observed, Plan, World
from app.models.action import ActionSpec, Run
from app.models.case import Case
from app.models.incident import Incident
from app.models.inventory import Thing
from app.models.job import Job, on_host, target_of
from app.models.menu import Arguments
from app.models.mission import SECOND, Mission
from app.models.proposer import PERSON, UNDO, proposer_of
from app.models.ruling import Motion
from app.models.site import say_work
from app.models.verdict import Subject
from app.store.decisions import find_decision
from app.store.due import find_last
from app.store.heirs import find_heir
from app.store.incidents import find_incidents
from app.store.jobs import find_job
from app.store.ledger import Connection
from app.store.overtaken import find_over
from app.store.weighing import weigh_firing

# What a backend and a worker may take beside what is declared.
GRACE = 120 * SECOND
STALE = "stale"


class Motions:
    """Makes plans, motions and subjects."""

    def __init__(self, world: World) -> None:
        """Take what they are made of."""
        self._world = world

    def seconds_of(self, job: Job) -> int:
        """Return how long a job may take."""
        spec = self._world.catalogue.find(job.action)
        run = spec.find_way(job.backend, job.name) if spec else None
        return run.timeout_seconds if run else 0

    def hints_of(self, job: Job) -> Collection[str]:
        """Return which arguments of a job are hints."""
        spec = self._world.catalogue.find(job.action)
        return spec.hints.keys() if spec else ()

    def check_of(self, action: str) -> int:
        """Return how long it may take to measure an action, as moments."""
        spec = self._world.catalogue.find(action)
        check = spec.check if spec else None
        if check is None:
            return GRACE
        seconds = check.within_seconds + check.hold_seconds
        return (seconds + 3 * check.every_seconds) * SECOND + GRACE

    def plan(self, connection: Connection, mission: Mission) -> Plan | None:
        """Return what a mission follows now, None when it is gone by age."""
        plan = self._without_file(connection, mission)
        if plan is None:
            return None
        number = mission.incident_id
        casework = self._world.casework
        file = casework.open_file(connection, number, plan.target)
        over = find_over(connection, plan.decision, number)
        places = self._places(plan)
        changes = {"file": file, "over": over, "places": places}
        return msgspec.structs.replace(plan, **changes)

    def _without_file(
        self, connection: Connection, mission: Mission
    ) -> Plan | None:
        """Return what a mission follows, without the case: that costs most."""
        number = mission.incident_id
        incident = find_incidents(connection, [number]).get(number)
        row = find_decision(connection, mission.decision_id)
        if incident is None or row is None:
            return None
        spec = self._world.catalogue.find(row.action)
        arguments = msgspec.json.decode(row.arguments)
        return Plan(
            decision=row.id,
            incident=incident,
            spec=spec,
            action=row.action,
            arguments=arguments,
            target=self._target(spec, arguments),
            proposer=proposer_of(row.brain),
            confidence=row.confidence,
            asks=bool(row.asks),
            why=row.why,
            at=row.at,
            file=None,
        )

    def motion(
        self,
        plan: Plan,
        observed: Observed,
        approved: str,
        now: int,
    ) -> Motion:
        """Return what is put to the guard.

        Args:
            plan: what is to be done.
            observed: what was looked at just now.
            approved: the policy under which it was granted, or empty.
            now: the time.
        """
        spec = plan.spec
        run = self.find_way(spec, plan.arguments) if spec else None
        needs_none = plan.spec is None or plan.spec.run is None
        bare = Motion(
            incident=plan.incident.id,
            decision=plan.decision,
            spec=plan.spec,
            action=plan.action,
            arguments=plan.arguments,
            target=plan.target,
            places=plan.places,
            proposer=plan.proposer,
            confidence=plan.confidence,
            asks=plan.asks,
            why=plan.why,
            ungrounded=self._why_ungrounded(plan),
            source=plan.incident.source,
            problem=plan.incident.problem,
            severity=plan.incident.severity,
            state=plan.incident.state,
            firing=plan.incident.firing,
            over=plan.over,
            # What lies ahead is no news: the clock was set back since then.
            evidence_seconds=abs(now - plan.at) // SECOND,
            has_backend=needs_none or run is not None,
            backend=run.backend if run else "",
            job=run.job if run else "",
            halted=observed.halted,
            preconditions=observed.preconditions,
            approved=approved,
            now=now,
        )
        known = self._with_thing(self._with_case(bare, plan), plan)
        return self._with_work(known, plan)

    def find_way(self, spec: ActionSpec, arguments: Arguments) -> Run | None:
        """Return where an action can run that reaches its target."""
        host, names = self._names_of_host(spec, arguments)
        is_here = self._world.is_here(*names)
        for run in spec.ways:
            backend = self._world.backends.get(run.backend)
            if backend is None or not backend.knows(run.job):
                continue
            is_ours = spec.name in self._world.catalogue.own
            # What is ours works on no host: it runs wherever it is taken.
            if is_ours or backend.reaches(host, is_here=is_here):
                return run
        return None

    def reaches(self, connection: Connection, mission: Mission) -> bool:
        """Tell whether a mission's job would run from here as planned."""
        plan = self._without_file(connection, mission)
        job = find_job(connection, mission.job_id)
        if plan is None or plan.spec is None or job is None:
            return False
        run = self.find_way(plan.spec, plan.arguments)
        return run is not None and (run.backend, run.job) == (
            job.backend,
            job.name,
        )

    def _names_of_host(
        self, spec: ActionSpec | None, arguments: Arguments
    ) -> tuple[str, set[str]]:
        """Return the host of a call, and all that it is called."""
        thing = self._host(spec, arguments)
        named = str(arguments.get("host", ""))
        host = thing.host or thing.name if thing else named
        aliases = thing.aliases if thing else ()
        return host, {host, named, *aliases} - {""}

    def _with_case(self, motion: Motion, plan: Plan) -> Motion:
        """Return a motion with what the case says."""
        if plan.file is None:
            return motion
        case = plan.file.case
        hints: Arguments = {}
        if plan.spec is not None:
            decider = self._world.decider
            hints = decider.hints(plan.spec, plan.arguments, case)
        return msgspec.structs.replace(
            motion,
            hints=hints,
            labels=case.labels,
            name=case.name,
            is_flapping=case.is_flapping,
            maintenance=case.maintenance,
            siblings=case.siblings,
        )

    def _with_thing(self, motion: Motion, plan: Plan) -> Motion:
        """Return a motion with what the inventory knows of its target."""
        thing = self._host(plan.spec, plan.arguments)
        if thing is None:
            return motion
        return msgspec.structs.replace(
            motion,
            names=self._names(plan, thing),
            environment=thing.environment,
            team=thing.team,
            role=thing.role,
            group_size=self._group_size(thing),
        )

    def _with_work(self, motion: Motion, plan: Plan) -> Motion:
        """Return a motion with what people work on where it would run."""
        if plan.file is None:
            return motion
        _, names = self._names_of_host(plan.spec, plan.arguments)
        site = plan.file.site.known_as(
            {*names, *motion.names},
            environment=motion.environment,
            team=motion.team,
            role=motion.role,
        )
        work = say_work(plan.file.mutes, site)
        return msgspec.structs.replace(motion, at_work=work)

    def needs(self, connection: Connection, mission: Mission) -> Needs | None:
        """Return what a mission's action needs measured, if anything."""
        plan = self._without_file(connection, mission)
        spec = plan.spec if plan else None
        if plan is None or spec is None:
            return None
        if not (spec.preconditions or spec.check):
            return None
        return Needs(spec, self._subject(connection, plan))

    def _subject(self, connection: Connection, plan: Plan) -> Subject:
        """Return what is measured for a plan."""
        host, names = self._names_of_host(plan.spec, plan.arguments)
        number = plan.incident.id
        heir = find_heir(connection, number) or plan.incident
        # Counted, not read: a storm puts thousands into one incident.
        firing = weigh_firing(connection, [heir.id])[heir.id]
        return Subject(
            host=host,
            is_here=self._world.is_here(*names),
            action=plan.action,
            arguments=plan.arguments,
            labels=self._world.casework.find_labels(connection, number),
            source=plan.incident.source,
            firing=sum(firing.values()),
            ended_at=_ended_at(connection, heir),
            options=_options(plan.spec),
        )

    def _why_ungrounded(self, plan: Plan) -> str:
        """Return why an argument is not proved any more, or nothing.

        What a person wrote is vetted: it has its shape, and the inventory
        knows it. What takes something back has the arguments of that. What
        is ours has none, and is on no menu.
        """
        if plan.spec is None or plan.file is None:
            return "the action, or the incident, is not there any more"
        try:
            if plan.proposer.startswith(PERSON) or plan.proposer == UNDO:
                inventory = self._world.inventory()
                vet(plan.spec, plan.arguments, inventory)
            elif plan.action not in self._world.catalogue.own:
                self._prove(plan.file.case, plan)
        except Unreadable as error:
            return str(error)
        except Refused as error:
            return error.detail
        return ""

    def _prove(self, case: Case, plan: Plan) -> None:
        """Prove each argument once more, or raise Unreadable."""
        self._world.decider.prove(plan.action, plan.arguments, case)

    def _host(
        self, spec: ActionSpec | None, arguments: Arguments
    ) -> Thing | None:
        """Return what the inventory knows of a host, or None."""
        inventory = self._world.inventory()
        for name in _named(spec, arguments, ("host",)):
            host = inventory.find_host(str(arguments[name]))
            if host is not None:
                return host
        return None

    def _names(self, plan: Plan, host: Thing) -> tuple[str, ...]:
        """Return every name of what a plan touches, whichever was said."""
        things = [host]
        inventory = self._world.inventory()
        for name in _named(
            plan.spec, plan.arguments, ("service", "container")
        ):
            kind = plan.spec.parameters[name].inventory if plan.spec else ""
            said = str(plan.arguments[name])
            thing = inventory.find_on(kind, said, host.name)
            things += [thing] if thing is not None else []
        return tuple(n for one in things for n in (one.name, *one.aliases))

    def _places(self, plan: Plan) -> tuple[str, ...]:
        """Return a plan's target by its other names.

        Which one leads may have been otherwise when something ran there, and
        may be so on another node.
        """
        host = self._host(plan.spec, plan.arguments)
        if host is None:
            return ()
        named = _named(plan.spec, plan.arguments, ("host",))
        said = (str(plan.arguments[name]) for name in named)
        names = (*self._world.inventory().names_of(host), next(said))
        return tuple(sorted({on_host(one) for one in names} - {plan.target}))

    def _target(self, spec: ActionSpec | None, arguments: Arguments) -> str:
        """Return what an action works on, by the name that leads.

        One host has one lock and one budget, by whichever of its names an
        alert calls it.
        """
        if spec is None:
            return ""
        host = self._host(spec, arguments)
        if host is not None:
            return on_host(host.name)
        return target_of(spec, arguments)

    def _group_size(self, thing: Thing | None) -> int:
        """Return how many hosts are of the same role and environment."""
        if thing is None or not thing.role:
            return 0
        return sum(
            one.kind == thing.kind
            and (one.role, one.environment) == (thing.role, thing.environment)
            for one in self._world.inventory().things
        )


def _named(
    spec: ActionSpec | None, arguments: Arguments, kinds: Collection[str]
) -> Iterator[str]:
    """Yield the arguments that name things of some kinds."""
    for name, parameter in spec.parameters.items() if spec else ():
        if parameter.inventory in kinds and name in arguments:
            yield name


def _ended_at(connection: Connection, incident: Incident) -> int | None:
    """Return when an incident ended, None when nobody said that it did."""
    last = find_last(connection, [incident.id]).get(incident.id, ())
    # That nothing was heard of an episode for long is no measurement.
    is_said = all(one.ended != STALE for one in last)
    return incident.ends_at if is_said else None


def _options(spec: ActionSpec | None) -> dict[str, str | int | float]:
    """Return what an action's declaration says for its check."""
    return dict(spec.check.options) if spec and spec.check else {}
