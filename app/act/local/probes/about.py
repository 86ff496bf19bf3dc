"""Look at the service that the alert is about, however it is.

One that runs and answers with errors, or hangs, has neither failed nor is
it starting: only its own log says what is wrong.
"""

from app.act.local.look.lens import Lens
from app.act.local.look.logfiles import find_logs, read_end
from app.act.local.look.probe import FIGURE, Notes, Probe, why
from app.act.local.look.troubles import note_log
from app.core.daemons import Daemons
from app.core.errors import OutgoingFailed
from app.core.look.amounts import span
from app.core.warden import Standing, State
from app.models.origins import TOPICS

TITLE = "the service of the alert"
LINES = 200
SECONDS = 3.0
# The alert names it: that it does not run is worse than of another one.
WEIGHT = {
    State.FAILED: 82.0,
    State.INACTIVE: 73.0,
    State.STARTING: 66.0,
    State.UNKNOWN: 20.0,
}
ERRORS = 58.0


def plugin(_env: object) -> Probe:
    """Return the probe."""
    return Probe(TITLE, frozenset(TOPICS), _look, seconds=12.0)


def _look(lens: Lens, notes: Notes) -> None:
    """Note how the service is, and the errors and the end of its logs."""
    name = lens.service
    if not name:
        return
    daemons = Daemons(lens.host)
    found = None
    try:
        found = daemons.state(name, SECONDS)
    except OutgoingFailed as error:
        notes.say(TITLE, f"{name}: {why(error)}")
    if found is not None:
        _note_state(found, notes)
        _note_journal(daemons, found, notes)
    # What its warden does not hear it may write by itself.
    _note_files(lens, dict.fromkeys(_names(name, found)), notes)


def _note_state(found: Standing, notes: Notes) -> None:
    """Note how it is; of one that runs it is a plain figure."""
    text = f"{found.name} ({found.warden}): {found.says}"
    if found.seconds is not None:
        text += f", so for {span(found.seconds)}"
    notes.say(TITLE, text)
    notes.odd(WEIGHT.get(found.state, FIGURE), text)


def _note_journal(daemons: Daemons, found: Standing, notes: Notes) -> None:
    """Note what its warden has of its log."""
    if found.state is State.UNKNOWN:
        return
    with notes.trying(f"log of {found.name}"):
        lines = daemons.tail(found, LINES, SECONDS)
        note_log(notes, found.name, lines, weight=ERRORS)


def _names(name: str, found: Standing | None) -> list[str]:
    """Return what its files may be called."""
    names = [name, *(found.names if found else ())]
    return [one.removesuffix(".service").partition("@")[0] for one in names]


def _note_files(lens: Lens, names: dict[str, None], notes: Notes) -> None:
    """Note the errors and the end of its own log files."""
    for one in find_logs(lens.root, (name for name in names if name)):
        title = f"log of {one.path}"
        with notes.trying(title):
            lines = read_end(one.path, LINES)
            note_log(notes, str(one.path), lines, weight=ERRORS, age=one.age)
