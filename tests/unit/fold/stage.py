"""A bench with people who mute, for the tests of mutes and hold-down."""

from typing import Any

from app.core.clock import to_iso
from app.fold.folding import Turn
from app.fold.muting import add_mute, end_mute, plan_mute
from app.models.matcher import read_matchers
from app.models.mute import Mute, MuteKind, Wish
from app.models.tables import EntryRow, MuteRow
from app.models.timetable import Timetable
from app.store.location import Location
from tests.unit.fold.turns import MINUTE, SECOND, Bench, Said

HOUR = 60 * MINUTE


def host(name: str, problem: str = "DiskFull", **more: Any) -> Said:
    """Return an alert about a host."""
    labels = {"alertname": problem, "instance": name}
    mark = f"{name}/{problem}"
    values = {"fingerprint": mark, "name": problem, "labels": labels}
    return Said(**{**values, "starts": 0, **more})


class Stage(Bench):
    """Folding on one database, where people mute and time passes.

    Silence ends nothing here: the only moments that are due are our own.
    """

    def __init__(self, location: Location, **settings: Any) -> None:
        super().__init__(location, stale_seconds=0, **settings)

    def settle(self) -> list[Turn]:
        """Fold until there is nothing more to do at once."""
        turns = [self.turn()]
        while turns[-1].is_full:
            turns.append(self.turn())
        return turns

    def wait(self, minutes: float) -> list[Turn]:
        """Let time pass, then fold."""
        self.clock.advance(minutes * 60)
        return self.settle()

    def mute(
        self, matchers: str, begins: float, ends: float, **more: Any
    ) -> Mute:
        """Mute something from and until some minutes from now."""
        now = self.clock.now()
        times = Timetable(
            starts_at=now + int(begins * MINUTE),
            ends_at=now + int(ends * MINUTE),
            rule=more.get("rule", ""),
        )
        wish = Wish(
            kind=MuteKind.MAINTENANCE,
            matchers=read_matchers(matchers),
            times=times,
            author="ana",
            comment=more.get("comment", "kernel updates"),
        )
        plan = plan_mute(wish, now)
        with self.ledger.turn() as connection:
            return add_mute(connection, plan, now)

    def end(self, mute: Mute) -> None:
        """End a mute early."""
        with self.ledger.turn() as connection:
            who = ("ben", "it went well")
            end_mute(connection, mute.id, who, self.clock.now())

    def state(self) -> str:
        """Return where the only incident stands."""
        return str(self.incident().state)

    def entries(self, kind: str) -> list[Any]:
        """Return what the log says of one kind."""
        return [row for row in self.rows(EntryRow) if row.kind == kind]

    def mutes(self) -> list[Any]:
        """Return the rows of all mutes."""
        return self.rows(MuteRow)

    def after(self, minutes: float) -> str:
        """Return the time in some minutes, as people read it."""
        return to_iso(self.clock.now() + int(minutes * 60 * SECOND)) or ""
