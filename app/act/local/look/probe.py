"""The probe: one read-only look at this machine, and what it notes."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from app.act.local.look.aside import KNOWN
from app.act.local.look.lens import Lens
from app.core.errors import OutgoingFailed
from app.core.look.past import Usual
from app.core.redaction import hide_secrets
from app.models.evidence import Section

LINE_CHARS = 300
# So much of a line is looked at for secrets.
LOOKED_CHARS = 8_192
# Nobody takes a past of a few looks for what is usual.
LEAST_COUNT = 10
# What is only unlike a shorter past weighs less than any plain limit; what
# was always so in a shorter past is not excused by it.
LONG_SECONDS = 600.0
# A plain figure: nothing is wrong with it, and people want to know it.
FIGURE = 1.0
_CONTROL = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]+")


class Oddity(msgspec.Struct, frozen=True, order=True):
    """One thing that is not as it should be.

    Attributes:
        weight: how bad it is: 100 is broken, 70 is beyond a limit, 45 is
            unlike the past, 20 is worth a thought, FIGURE is a plain one.
        text: what it is, with figures, in one line.
    """

    weight: float
    text: str


class Limit(msgspec.Struct, frozen=True):
    """When a figure stands out.

    Attributes:
        most: more is bad whatever was usual.
        step: it must be so much above the past to be unlike it.
        show: how the figure is written.
        weight: how bad more than ``most`` is.
    """

    most: float
    step: float
    show: Callable[[float], str]
    weight: float = 70.0


class Notes:
    """What a probe has seen so far; what it noted stays if it hangs."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lines: dict[str, list[str]] = {}
        self._odd: list[Oddity] = []

    def say(self, title: str, *lines: str) -> None:
        """Add lines to a section."""
        self._lines.setdefault(title, []).extend(map(one_line, lines))

    def odd(self, weight: float, text: str) -> None:
        """Add what stands out."""
        self._odd.append(Oddity(weight, one_line(text)))

    def compare(
        self, what: str, now: float, usual: Usual | None, limit: Limit
    ) -> None:
        """Add a figure to what stands out if it does."""
        text = f"{what} {limit.show(now)}"
        is_known = usual is not None and usual.count >= LEAST_COUNT
        if usual is None or not is_known:
            if now >= limit.most:
                self.odd(limit.weight, text)
            return
        text += f", usually {usual.show(limit.show)}"
        is_new = now > max(usual.high + limit.step, 1.5 * usual.median)
        is_long = usual.seconds >= LONG_SECONDS
        if now >= limit.most:
            change = 10 if is_new else -20
            self.odd(limit.weight + (change if is_long else 0), text)
        elif is_new:
            self.odd(45.0 if is_long else 30.0, text)

    @contextmanager
    def trying(self, title: str) -> Iterator[None]:
        """Say in a section why it could not be read, and go on."""
        try:
            yield
        except KNOWN as error:
            self.say(title, f"not readable: {why(error)}")

    def sections(self, most: int) -> list[Section]:
        """Return all sections, each with so many lines at most."""
        return [
            Section(title, tuple(_cut(list(lines), most)))
            for title, lines in list(self._lines.items())
        ]

    def oddities(self) -> list[Oddity]:
        """Return all that stands out."""
        return list(self._odd)


class Probe(msgspec.Struct, frozen=True):
    """One read-only look.

    Attributes:
        title: what it looks at, in a few words.
        topics: to which topics it belongs; it is always part of ``general``.
        look: notes what it sees; it may hang.
        seconds: how long it is waited for.
    """

    title: str
    topics: frozenset[str]
    look: Callable[[Lens, Notes], None]
    seconds: float = 8.0


def why(error: BaseException) -> str:
    """Return in a line why something could not be read."""
    if isinstance(error, PermissionError):
        return f"{error.strerror}: it needs more rights".lower()
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    if isinstance(error, OutgoingFailed):
        return str(error)
    return f"it says what is not known here ({type(error).__name__})"


def one_line(text: str) -> str:
    """Return a text as one line that moves no terminal."""
    # What is cut first may be the half of a secret, and none is known by its
    # half. A control character neither ends one nor hides one.
    text = hide_secrets(whole_words(text, LOOKED_CHARS))
    text = hide_secrets(_CONTROL.sub(" ", text))
    return text[:LINE_CHARS].rstrip()


def whole_words(text: str, most: int) -> str:
    """Return the beginning of a text without a word that was cut."""
    if len(text) <= most:
        return text
    return text[:most].rpartition(" ")[0]


def _cut(lines: Sequence[str], most: int) -> Sequence[str]:
    """Return lines up to a bound, and how many were left out."""
    if len(lines) <= most:
        return lines
    return [*lines[:most], f"({len(lines) - most} more lines)"]
