"""Look at the daemons of this machine: which failed, and what they wrote."""

from collections.abc import Mapping

from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe, why
from app.act.local.look.troubles import note_log
from app.core.brief import brief
from app.core.command import run_program
from app.core.daemons import Daemons
from app.core.errors import OutgoingFailed
from app.core.redaction import hide_secrets
from app.core.warden import Standing, State

TITLE = "daemons"
TOPICS = frozenset(
    {"service", "http", "logs", "database", "queue", "backup", "config",
     "certificate"}
)  # fmt: skip
MOST_UNITS, MOST_DECLARED, MOST_PROGRAMS = 20, 30, 10
LINES = 50
SECONDS = 3.0
# It is in none of these states for long when all is well.
WORD = {
    State.FAILED: 75.0,
    State.STARTING: 49.0,
    State.INACTIVE: 43.0,
}
# A program of supervisor that ended well may be one that does it once.
ENDED = WORD | {State.INACTIVE: 20.0}


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look, seconds=12.0)


def _look(lens: Lens, notes: Notes) -> None:
    """Note which daemons are not well, with the end of their logs."""
    with notes.trying(TITLE):
        # What systemd does not want to run is not looked at.
        for unit in _find_units(notes)[:MOST_UNITS]:
            _note_daemon(lens, unit, notes)
    for name in list(lens.host.services)[:MOST_DECLARED]:
        _note_daemon(lens, name, notes)
    with notes.trying(TITLE):
        _note_programs(lens, notes)


def _note_programs(lens: Lens, notes: Notes) -> None:
    """Note the programs of supervisor that are not well, or raise.

    One that was never started, or that somebody stopped, is as it should be.
    """
    found = Daemons(lens.host).survey(SECONDS)
    if not found:
        return
    ill = [
        one
        for one in found
        if not one.is_active
        and not (one.state is State.INACTIVE and one.refusal)
    ]
    ill.sort(key=lambda one: -WORD.get(one.state, 0.0))
    notes.say(TITLE, f"supervisor: {len(found)} programs, {len(ill)} not well")
    for one in ill[:MOST_PROGRAMS]:
        _note_standing(lens, one, notes, ENDED)


def _find_units(notes: Notes) -> list[str]:
    """Return the units that failed or start for long, or raise."""
    asked = [
        "list-units",
        "--state=failed,activating,auto-restart",
        "--plain",
        "--no-legend",
        "--no-pager",
        "--full",
    ]
    said = run_program("systemctl", asked, SECONDS)
    if said.status:
        text = (
            brief(hide_secrets(said.error or said.text))
            or f"status {said.status}"
        )
        raise OutgoingFailed(f"systemctl: {text}")
    rows = [line.split() for line in said.text.splitlines() if line.split()]
    if not rows:
        notes.say(TITLE, "systemd: no unit failed")
    return [row[0].lstrip("*●") or row[1] for row in rows]


def _note_daemon(lens: Lens, name: str, notes: Notes) -> None:
    """Note how a daemon is; if it is not well, the end of its log too."""
    try:
        found = Daemons(lens.host).state(name, SECONDS)
    except OutgoingFailed as error:
        notes.say(TITLE, f"{name}: {why(error)}")
        return
    _note_standing(lens, found, notes, WORD)


def _note_standing(
    lens: Lens,
    found: Standing,
    notes: Notes,
    weights: Mapping[State, float],
) -> None:
    """Note how a daemon is; if it is not well, the end of its log too.

    That the alert is about it has been said with more already.
    """
    restarts = f", restarted {found.restarts} times" if found.restarts else ""
    text = f"{found.name} ({found.warden}): {found.says}{restarts}"
    notes.say(TITLE, text)
    weight = weights.get(found.state, 0.0)
    # To supervisor it may be the name of a group, of which all are said.
    names = () if found.warden == "supervisor" else found.names
    is_said = lens.service in (found.name, *names)
    if weight and not is_said:
        notes.odd(weight, text)
        _note_log(lens, found, notes)


def _note_log(lens: Lens, found: Standing, notes: Notes) -> None:
    """Note the last lines that a daemon wrote."""
    with notes.trying(f"log of {found.name}"):
        lines = Daemons(lens.host).tail(found, LINES, SECONDS)
        note_log(notes, found.name, lines)
