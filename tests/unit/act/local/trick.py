"""Deeds for tests: small, real, and they write down what they did."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from app.act.local.deed import Done
from app.act.local.hand import Hand
from app.core.configfile import Section
from app.core.errors import NotAccepted

FOLDER = Path(__file__).parent / "tricks"


class TrickSettings(Section):
    """Where a trick writes what it did."""

    ledger: str = "/dev/null"


class Anything(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments as the tests of all backends send them."""

    host: str
    service: str


class Busy(Anything, frozen=True, forbid_unknown_fields=True):
    """Arguments that are never right at this moment."""

    def __post_init__(self) -> None:
        """Refuse them for now."""
        raise NotAccepted("not now", may_retry=True)


class Trick:
    """Says two lines, a moment apart."""

    takes: type[msgspec.Struct] = Anything
    lines: tuple[str, ...] = ("line 1", "line 2")
    seconds = 0.1

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger

    def do(self, arguments: Any, hand: Hand) -> Done:
        """Write down that it was started, and say the lines."""
        del arguments
        with self._ledger.open("a") as file:
            file.write(f"start {hand.key}\n")
        for line in self.lines:
            hand.say(line)
            hand.wait(self.seconds)
        return Done("")


class Endless(Trick):
    """Says one line, and waits for its end."""

    lines = ("line 1",)
    seconds = 80_000.0


class Never(Trick):
    """Is never done: its arguments are not right."""

    takes: type[msgspec.Struct] = Busy


def read(env: Any) -> Path:
    """Return the ledger that the settings name."""
    return Path(env.settings(TrickSettings).ledger)


def settings_of(folder: Path, names: Iterator[str] | tuple[str, ...]) -> Any:
    """Return the settings of tricks that write into one ledger."""
    ledger = str(folder / "ledger")
    return {name: {"ledger": ledger} for name in names}


def count_starts(folder: Path, key: str) -> int:
    """Return how often a job was really begun."""
    ledger = folder / "ledger"
    if not ledger.exists():
        return 0
    return ledger.read_text().splitlines().count(f"start {key}")


ARGUMENTS: Mapping[str, str] = {"host": "web-01", "service": "nginx"}
