"""What the tests of probes share: made-up moments, and rounds of probes."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.act.local import probes
from app.act.local.look.lens import Lens
from app.act.local.look.looking import look_round
from app.act.local.look.probe import Oddity, Probe
from app.core.clock import SystemClock
from app.core.host import HostSettings
from app.core.look.past import Past
from app.core.look.snapshot import TICKS, Key, Proc, Snapshot
from app.core.registry import scan

SECONDS = 20.0
WINDOW_SECONDS = 0.3
MB = 1_000_000


def make_proc(
    pid: int, *, seconds: float = 0.0, rss: int = MB, start: float = 1.0
) -> Proc:
    """Return a process that has worked for some seconds."""
    return Proc(
        pid, int(start * TICKS), "worker", "S", 1, int(seconds * TICKS), rss, 1
    )


def make_snapshot(
    at: float,
    procs: Sequence[Proc] = (),
    figures: Mapping[str, float] | None = None,
) -> Snapshot:
    """Return a machine that was so at a moment."""
    by_key: dict[Key, Proc] = {proc.key: proc for proc in procs}
    return Snapshot(monotonic=at, procs=by_key, figures=dict(figures or {}))


def all_probes() -> dict[str, Probe]:
    """Return every probe there is."""
    return {name: make(None) for name, make in scan(probes).items()}


class Round:
    """One round of some probes, and what came of it."""

    def __init__(
        self,
        *names: str,
        past: Past | None = None,
        root: Path = Path("/"),
        made: Mapping[str, Probe] | None = None,
        host: HostSettings | None = None,
        service: str = "",
    ) -> None:
        known = all_probes()
        chosen = dict(made or {}) | {name: known[name] for name in names}
        self.lens = Lens(
            past or Past(SystemClock()),
            host or HostSettings(),
            window_seconds=WINDOW_SECONDS,
            seconds=SECONDS,
            root=root,
        )
        self.lens.service = service
        since = time.monotonic()
        self.sections, self.oddities = look_round(chosen, self.lens)
        self.lasted = time.monotonic() - since

    @property
    def first(self) -> list[str]:
        """Return what stands out, the worst first."""
        worst: list[Oddity] = sorted(self.oddities, key=lambda o: -o.weight)
        return [one.text for one in worst]

    def lines(self, title: str) -> list[str]:
        """Return what a section says."""
        return [
            line
            for one in self.sections
            if one.title == title
            for line in one.lines
        ]


def write(root: Path, path: str, text: str) -> None:
    """Write a file of a machine that is made up."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
