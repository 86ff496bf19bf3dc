"""Which incidents need a decision: those without one for what they are now.

Only what is open is decided on. A decision holds until the incident is
reopened, its target changes, another class of problem joins it, the one that
it is for is over and others are not, it gets worse, or a person asks: ten
thousand alerts of one incident are one.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from app.engine.opening import is_busy
from app.models.alert import Severity
from app.models.incident import Incident, State
from app.models.mission import End, Mission, Stage
from app.models.proposer import CODE
from app.models.strand import RANKS
from app.store.casefile import MOST_PROBLEMS, find_problems, find_renewed
from app.store.decisions import find_latest, is_without_call, to_problems
from app.store.incidents import find_incidents
from app.store.ledger import Connection
from app.store.missions import find_newest

SECOND = 1_000_000
# What changed shortly before a decision was written may not be in its case.
SLACK = 60 * SECOND
# A mission that ended so has done nothing about an incident that is open.
LAPSED = (End.RESOLVED, End.SUPPRESSED, End.MERGED)
# And these have done what was to be done about one problem of it.
DONE = (End.FIXED, End.NO_ACTION, End.OBSERVED)


class Due(msgspec.Struct, frozen=True):
    """An incident that needs a decision.

    Attributes:
        number: its number.
        why: new, again, reopened, asked, target, problem, severity or over.
        last: the decision before, or 0.
        begins_at: not before this moment.
    """

    number: int
    why: str
    last: int = 0
    begins_at: int = 0


def find_due(
    connection: Connection, numbers: Collection[int], rest_seconds: float
) -> dict[int, Due]:
    """Return those of some incidents that need a decision.

    Args:
        connection: a snapshot.
        numbers: which incidents.
        rest_seconds: so long after a decision mere changes wait, so that
            the symptoms of one fault are decided on together.
    """
    found = find_incidents(connection, numbers)
    open_ones = {n: i for n, i in found.items() if i.state == State.OPEN}
    missions = find_newest(connection, open_ones)
    # What runs is measured first, and what did harm is taken back.
    busy = {n for n, one in missions.items() if is_busy(one)}
    open_ones = {n: i for n, i in open_ones.items() if n not in busy}
    latest = find_latest(connection, open_ones)
    seen = {number: int(row.seq) for number, row in latest.items()}
    renewed = find_renewed(connection, seen)
    settled = {
        number: row
        for number, row in latest.items()
        if number not in renewed
        and not is_without_call(row.why)
        and open_ones[number].changed_at > row.at - SLACK
    }
    problems = find_problems(connection, settled)
    due = {}
    for number, incident in open_ones.items():
        row = latest.get(number)
        if row is None:
            due[number] = Due(number, "new")
        elif _is_asked_again(missions.get(number), row.id):
            due[number] = Due(number, "again", row.id)
        elif number in renewed:
            why = renewed[number].partition(".")[2]
            due[number] = Due(number, why, row.id)
        elif _has_lapsed(missions.get(number), row.note):
            due[number] = Due(number, "again", row.id)
        elif number in settled:
            why = _compare(row, incident, problems, missions.get(number))
            if why:
                wait = row.at + int(rest_seconds * SECOND)
                due[number] = Due(number, why, row.id, wait)
    return due


def _is_asked_again(mission: Mission | None, last: int) -> bool:
    """Tell whether a mission wants another decision after a last one."""
    if mission is None or mission.stage != Stage.DECIDING:
        return False
    return mission.decision_id == last


def _has_lapsed(mission: Mission | None, note: str) -> bool:
    """Tell whether nothing follows a decision any more.

    Its incident was muted, merged or flapping, and is open again; or it was
    so when the decision was written, which has a note then.
    """
    if mission is None or not mission.is_over:
        return mission is None and bool(note)
    return mission.end in LAPSED or bool(note)


def _is_left(
    mission: Mission | None, row: Any, problems: Mapping[int, set[str]]
) -> bool:
    """Tell whether a decision is done with, and other problems are not.

    What people have is theirs; what waits for something is overtaken by
    the worker that looks after it.
    """
    if mission is None or mission.end not in DONE:
        return False
    if row.brain.startswith(CODE):
        # It only looks at what people have already.
        return False
    going = problems[mission.incident_id]
    # Of very many only some are known.
    return 0 < len(going) < MOST_PROBLEMS and row.problem not in going


def _compare(
    row: Any,
    incident: Incident,
    problems: Mapping[int, set[str]],
    mission: Mission | None,
) -> str:
    """Return what is news since a decision, or nothing."""
    if incident.target != row.target:
        return "target"
    before, after = Severity(row.severity), Severity(incident.severity)
    if RANKS[after] > RANKS[before]:
        return "severity"
    known = to_problems(row)
    if len(known) < MOST_PROBLEMS and problems[incident.id] - set(known):
        return "problem"
    return "over" if _is_left(mission, row, problems) else ""
