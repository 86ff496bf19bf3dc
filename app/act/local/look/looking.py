"""Looking: all probes of a topic at once, and what stands out said first."""

import time
from collections.abc import Mapping

from app.act.local.look.aside import KNOWN, Aside
from app.act.local.look.lens import Lens
from app.act.local.look.probe import (
    FIGURE,
    LEAST_COUNT,
    LONG_SECONDS,
    Notes,
    Oddity,
    Probe,
    why,
)
from app.core.look.amounts import span
from app.core.look.past import EVERY_SECONDS
from app.core.redaction import hide_secrets
from app.models.evidence import MOST_LINES, NOTHING, Evidence, Section

GENERAL = "general"
# Lines of a section: of the topic that is asked for, and of a short round.
MOST_OF_TOPIC = 80
MOST_OF_SHORT = 14
LEFT_OUT = "(the rest was left out: it would be too long)"


def pick(probes: Mapping[str, Probe], topic: str) -> dict[str, Probe]:
    """Return the probes of a topic; of ``general`` all."""
    return {
        name: probe
        for name, probe in probes.items()
        if topic in probe.topics or topic == GENERAL
    }


def look_round(
    probes: Mapping[str, Probe], lens: Lens, *, is_short: bool = False
) -> tuple[list[Section], list[Oddity]]:
    """Return what probes see; one that hangs or fails says so.

    Args:
        probes: which, by name.
        lens: what they look through.
        is_short: whether a few lines of each are enough.
    """
    most = MOST_OF_SHORT if is_short else MOST_OF_TOPIC
    begun: dict[str, tuple[Notes, Aside[None] | Exception]] = {}
    for name, probe in probes.items():
        begun[name] = _begin(name, probe, lens)
    since = time.monotonic()
    sections: list[Section] = []
    oddities: list[Oddity] = []
    for name, (notes, one) in begun.items():
        probe = probes[name]
        left = probe.seconds - (time.monotonic() - since)
        try:
            if isinstance(one, Exception):
                raise one
            one.get(min(max(0.0, left), lens.seconds_left))
        except KNOWN as error:
            notes.say(probe.title, f"not readable: {why(error)}")
        sections += notes.sections(most)
        oddities += notes.oddities()
    return sections, oddities


def _begin(
    name: str, probe: Probe, lens: Lens
) -> tuple[Notes, "Aside[None] | Exception"]:
    """Begin one probe, in a thread of its own."""
    notes = Notes()
    try:
        return notes, Aside(f"probe {name}", lambda: probe.look(lens, notes))
    except KNOWN as error:
        return notes, error


def say_first(oddities: list[Oddity], past_seconds: float) -> tuple[str, ...]:
    """Return what stands out, the worst first, each once.

    Args:
        oddities: all of it.
        past_seconds: how far back it is known how the machine was.
    """
    worst = sorted(oddities, key=lambda one: -one.weight)
    texts = list(dict.fromkeys(hide_secrets(one.text) for one in worst))
    if all(one.weight <= FIGURE for one in oddities):
        texts.insert(0, NOTHING)
    said = texts[: MOST_LINES - 1]
    if past_seconds < LONG_SECONDS:
        is_none = past_seconds < EVERY_SECONDS * LEAST_COUNT
        what = "no past yet" if is_none else "a short past"
        said.append(
            f"{what} to compare with: this machine has been watched for"
            f" {span(past_seconds)}"
        )
    return tuple(said)


def bounded(evidence: Evidence, most: int) -> str:
    """Return evidence as text, without secrets and not too long."""
    text = hide_secrets(str(evidence))
    raw = text.encode(errors="replace")
    if len(raw) <= most:
        return text
    room = most - len(LEFT_OUT) - 1
    kept = raw[:room].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}\n{LEFT_OUT}\n"
