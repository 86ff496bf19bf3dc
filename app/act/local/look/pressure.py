"""Pressure: how long work waits for a thing of which there is too little."""

from app.act.local.look.lens import Lens, Window
from app.act.local.look.probe import Limit, Notes
from app.core.look.amounts import percent

# For so many percent of the time something waits.
_LIMITS = {
    "cpu": Limit(60.0, 15.0, percent, 55.0),
    "memory": Limit(10.0, 3.0, percent, 72.0),
    "io": Limit(40.0, 10.0, percent, 60.0),
}


def note_pressure(
    lens: Lens, window: Window, notes: Notes, title: str, kind: str
) -> None:
    """Note how long some, and all, waited for a kind of thing.

    Args:
        lens: where to read it.
        window: what happened meanwhile.
        notes: takes it.
        title: of the section.
        kind: cpu, memory or io.
    """
    with notes.trying(f"{title}: pressure"):
        for line in lens.text(f"proc/pressure/{kind}").splitlines():
            notes.say(title, f"pressure: {line}")
    name = f"pressure.{kind}.some_s"
    rate = window.rate(name)
    if rate is None:
        return
    usual = lens.past.rate(name, "clock.passed_s")
    what = f"share of time in which work waits for {kind}:"
    notes.compare(what, 100.0 * rate, usual, _LIMITS[kind])
