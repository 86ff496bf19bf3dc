"""Casework: the case of an incident, made out of the store.

app/decide/casing.py makes the case of an alert; here the incident's own
counts, history, statistics, mutes and the runbook are added to it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from app.core.clock import Clock
from app.core.shape import SHAPES
from app.decide.casing import Told, keep_labels, make_case, tidy, told_by
from app.decide.reins import DecideSettings, Reins, read_reins
from app.decide.runbooks import Runbooks
from app.fold.mutes import find_mutes
from app.fold.rules import Rules
from app.fold.standing import labels_of
from app.models.alert import Alert
from app.models.case import Case, Happening
from app.models.incident import ahead
from app.models.inventory import Inventory
from app.models.job import on_host
from app.models.matcher import fit_all
from app.models.mute import Mute
from app.models.record import Standpoint
from app.models.site import Site, make_site
from app.store.casefile import Facts, Lead, find_facts, find_lead
from app.store.ledger import Connection
from app.store.tried import find_failed

LINE = 300
DAY = 86_400_000_000
decode = msgspec.json.decode


class Casefile(msgspec.Struct, frozen=True):
    """A case, and what the incident and the settings were at that moment.

    Attributes:
        case: what a brain is shown.
        standpoint: what the incident was.
        state: where it stood.
        version: its version.
        reins: what was set.
        site: where it is.
        mutes: those that are on, whatever they are about.
    """

    case: Case
    standpoint: Standpoint
    state: str
    version: int
    reins: Reins
    site: Site
    mutes: tuple[Mute, ...]


class Casework:
    """Makes cases: of incidents, and of alerts that nobody stored."""

    def __init__(
        self,
        rules: Rules,
        settings: DecideSettings,
        runbooks: Runbooks,
        clock: Clock,
        inventory: Callable[[], Inventory],
    ) -> None:
        """Take how alerts are named, what is set, and what there is."""
        self._rules = rules
        self._settings = settings
        self._runbooks = runbooks
        self._clock = clock
        self._inventory = inventory

    def open_file(
        self, connection: Connection, number: int, place: str = ""
    ) -> Casefile | None:
        """Return the case of an incident, or None when there is none.

        Args:
            connection: a snapshot.
            number: which incident.
            place: what a job would work on, when that is known by now: what
                did not help there counts, whatever alerts call it.
        """
        within = self._rules.windows.together
        facts = find_facts(connection, number, within)
        if facts is None:
            return None
        incident, main = facts.incident, facts.main
        failed = find_failed(
            connection,
            incident.target,
            {*self._places(facts), place} - {""},
            self._clock.now() - self._settings.remember_days * DAY,
        )
        mutes = _find_mutes(connection, self._clock.now())
        labels = labels_of(facts.strand, main)
        rules = self._rules.naming_of(main.source).targets
        return Casefile(
            case=self._make(facts, failed, mutes),
            standpoint=Standpoint(
                incident=number,
                target=incident.target,
                problem=main.problem,
                problems=tuple(facts.problems),
                severity=incident.severity,
                seq=facts.seq,
            ),
            state=incident.state,
            version=incident.version,
            reins=read_reins(connection, self._settings),
            site=make_site(labels, rules),
            mutes=mutes,
        )

    def find_labels(
        self, connection: Connection, number: int
    ) -> dict[str, str]:
        """Return the labels of an incident's case, and nothing else of it."""
        lead = find_lead(connection, number)
        return {} if lead is None else keep_labels(_labels_of(lead))

    def find_runbook(self, labels: Mapping[str, str]) -> str:
        """Return what the runbook of some labels says, or nothing."""
        return self._runbooks.find(labels)

    def of_alert(self, source: str, alert: Alert) -> Case:
        """Return the case of an alert that is only tried."""
        told = told_by(source, alert)
        rules = self._rules.naming_of(source).targets
        case = make_case(told, self._clock.now(), rules)
        runbook = self._runbooks.find(case.labels)
        return msgspec.structs.replace(case, runbook=runbook)

    def _places(self, facts: Facts) -> Iterator[str]:
        """Yield what jobs may work on: the hosts that an alert names.

        Each by all its names: a job is known by the one that led then.
        """
        inventory = self._inventory()
        named = keep_labels(_labels_of(facts)).values()
        for said in {facts.incident.target_name, *named}:
            name = SHAPES["host"].fit(said)
            if name is not None:
                host = inventory.find_host(name)
                known = inventory.names_of(host) if host else ()
                yield from map(on_host, (name, *known))

    def _make(
        self,
        facts: Facts,
        failed: tuple[Happening, ...],
        mutes: Sequence[Mute],
    ) -> Case:
        """Return the case of what is known."""
        incident, main, now = facts.incident, facts.main, self._clock.now()
        rules = self._rules.naming_of(main.source).targets
        case = make_case(_tell(facts), now, rules)
        others = sorted({tidy(name, LINE) for name in facts.names})
        labels = labels_of(facts.strand, main)
        return msgspec.structs.replace(
            case,
            incident=incident.id,
            severity=incident.severity,
            target_kind=incident.target_kind,
            target=tidy(incident.target_name),
            problem=tidy(main.problem),
            repeats=max(0, facts.told - incident.episodes) + _said(facts),
            episodes=max(1, incident.episodes),
            is_flapping=ahead(incident.flapping_until, now) is not None,
            siblings=facts.siblings,
            together=tuple(n for n in others if n != case.name),
            history=facts.history,
            failed=failed,
            similar=facts.similar,
            maintenance=_muted_by(mutes, labels),
            runbook=self._runbooks.find(labels),
        )


def _tell(facts: Facts) -> Told:
    """Return the main alert of an incident as its source told it.

    When it is gone by age, its strand still says what identifies it.
    """
    main, row = facts.main, facts.alert
    annotations = {} if row is None else decode(row.annotations)
    return Told(
        source=main.source,
        name=main.name,
        status="resolved" if not facts.incident.firing else "firing",
        severity=main.severity,
        summary=main.summary if row is None else row.summary,
        labels=_labels_of(facts),
        annotations=annotations,
        starts_at=main.begins_at,
    )


def _labels_of(known: Facts | Lead) -> dict[str, str]:
    """Return what the main alert is labelled with."""
    if known.alert is None:
        return known.strand.labels
    labels: dict[str, str] = decode(known.alert.labels)
    return labels


def _said(facts: Facts) -> int:
    """Return how often the main alert was said again, word for word."""
    return 0 if facts.alert is None else int(facts.alert.repeats)


def _find_mutes(connection: Connection, now: int) -> tuple[Mute, ...]:
    """Return the mutes whose time has begun, and is not over."""
    return tuple(
        mute
        for mute in find_mutes(connection, now).mutes
        if mute.slot is not None and mute.slot.until > now
    )


def _muted_by(mutes: Iterable[Mute], labels: dict[str, str]) -> str:
    """Return what mutes an episode now, or nothing."""
    found = [
        tidy(mute.label, LINE)
        for mute in mutes
        if fit_all(mute.wish.matchers, labels)
    ]
    return "; ".join(found[:3])
