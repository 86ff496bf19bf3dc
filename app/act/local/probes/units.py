"""Look at the daemons of this machine: which failed, and what they wrote."""

from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe, whole_words, why
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
MOST_UNITS, MOST_DECLARED = 20, 30
LINES = 50
MOST_CHARS = 499
SECONDS = 3.0
# It is in none of these states for long when all is well.
WORD = {
    State.FAILED: 75.0,
    State.STARTING: 49.0,
    State.INACTIVE: 43.0,
}


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, TOPICS, _look, seconds=12.0)


def _look(lens: Lens, notes: Notes) -> None:
    """Note which daemons are not well, with the end of their logs."""
    daemons = Daemons(lens.host)
    with notes.trying(TITLE):
        # What systemd does not want to run is not looked at.
        for unit in _find_units(notes)[:MOST_UNITS]:
            _note_daemon(daemons, unit, notes)
    for name in list(lens.host.services)[:MOST_DECLARED]:
        _note_daemon(daemons, name, notes)


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


def _note_daemon(daemons: Daemons, name: str, notes: Notes) -> None:
    """Note how a daemon is; if it is not well, the end of its log too."""
    try:
        found = daemons.state(name, SECONDS)
    except OutgoingFailed as error:
        notes.say(TITLE, f"{name}: {why(error)}")
        return
    restarts = f", restarted {found.restarts} times" if found.restarts else ""
    text = f"{found.name} ({found.warden}): {found.says}{restarts}"
    notes.say(TITLE, text)
    weight = WORD.get(found.state, 0.0)
    if weight:
        notes.odd(weight, text)
        _note_log(daemons, found, notes)


def _note_log(daemons: Daemons, found: Standing, notes: Notes) -> None:
    """Note the last lines that a daemon wrote."""
    title = f"log of {found.name}"
    with notes.trying(title):
        lines = daemons.tail(found, LINES, SECONDS)
        # Its lines were cut: the last word may be the half of a secret.
        whole = [whole_words(line, MOST_CHARS) for line in lines]
        notes.say(title, *(whole or ("it wrote nothing",)))
