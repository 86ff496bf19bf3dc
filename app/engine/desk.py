"""The desk: all that decides, made together; and decisions for a trial.

A trial asks a brain as the service would, and writes nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry

from app.core.clock import Clock
from app.core.configfile import Config, Section
from app.core.errors import Refused
from app.core.spans import Meters as SpanMeters
from app.core.spans import Spans, TelemetrySettings
from app.decide.budgets import bounds_of
from app.decide.deciding import Decided, Decider
from app.decide.reins import (
    DecideSettings,
    Known,
    Reins,
    Wish,
    change_reins,
    check_settings,
    holding,
    read_reins,
)
from app.decide.runbooks import RunbookSettings, open_runbooks
from app.engine.casework import Casework
from app.engine.counsel import Counsel
from app.engine.decidemeters import Meters
from app.engine.decider import DecidingChore, Parts
from app.engine.keeper import Keeper
from app.engine.moves import Moves
from app.engine.trials import Trials
from app.fold.rules import Rules
from app.models.action import Catalogue
from app.models.alert import Alert
from app.models.case import Case
from app.models.inventory import Inventory
from app.store.aside import ask_aside
from app.store.claims import Claims
from app.store.decisions import Spent, count_spent
from app.store.ledger import Connection
from app.store.location import Location
from app.store.reading import Reader

# So many trials at once: each may take a model its time.
MOST_TRIALS = 4


# The sections of the settings that the desk reads.
SECTIONS: Mapping[str, type[Section]] = {
    "decide": DecideSettings,
    "runbooks": RunbookSettings,
    "telemetry": TelemetrySettings,
}


class Room(msgspec.Struct, frozen=True):
    """What the desk is put into."""

    keeper: Keeper
    reader: Reader
    rules: Rules
    catalogue: Catalogue
    location: Location
    clock: Clock
    registry: CollectorRegistry
    home: Path
    wait_seconds: float
    inventory: Callable[[], Inventory]
    is_door_busy: Callable[[], bool] = bool
    moves: Moves | None = None


class Desk:
    """Where decisions are made."""

    def __init__(self, decider: Decider, config: Config, room: Room) -> None:
        """Take who decides, what is set, and what is around.

        Raises:
            ConfigError: a setting is wrong, or a runbook cannot be read.
        """
        self.decider = decider
        self.settings = config.read(DecideSettings, "decide")
        self._room = room
        check_settings(self.settings, self.known)
        telemetry = config.read(TelemetrySettings, "telemetry")
        folder = config.read(RunbookSettings, "runbooks")
        self._places = asyncio.Semaphore(MOST_TRIALS)
        self._trials = Trials(self.settings, room.clock)
        runbooks = open_runbooks(folder, room.home)
        self.casework = Casework(
            room.rules,
            self.settings,
            runbooks,
            room.clock,
            room.inventory,
        )
        meters = Meters(room.registry)
        self.spans = Spans(telemetry, SpanMeters(room.registry))
        self.chore = DecidingChore(
            Parts(
                keeper=room.keeper,
                reader=room.reader,
                casework=self.casework,
                counsel=Counsel(decider, self.settings, room.clock, meters),
                claims=Claims(room.location, room.wait_seconds),
                settings=self.settings,
                clock=room.clock,
                meters=meters,
                spans=self.spans,
                is_door_busy=room.is_door_busy,
                moves=room.moves,
            )
        )

    async def close(self) -> None:
        """Give back what brains hold open."""
        await self.decider.close()

    @property
    def known(self) -> Known:
        """Return the names of brains and actions that there are."""
        specs = self._room.catalogue.specs
        return Known(set(self.decider.brains), {one.name for one in specs})

    def reins(self) -> Reins:
        """Return what is set at this moment; on a thread."""
        return self._room.reader.ask(lambda c: read_reins(c, self.settings))

    def change_reins(self, connection: Connection, wish: Wish) -> Reins:
        """Set what a person wants; in a turn.

        Raises:
            Refused: it makes no sense, or somebody was first.
        """
        now = self._room.clock.now()
        return change_reins(connection, self.settings, self.known, wish, now)

    def check_brain(self, brain: str) -> None:
        """Raise Refused when there is no such brain; empty is the usual."""
        known = self.known.brains
        if brain and brain not in known:
            there = ", ".join(sorted(known)) or "none"
            raise Refused(
                422,
                "no_such_brain",
                f"There is no brain {brain[:80]!r}; there are: {there}.",
                field="brain",
                remedy="Configure it under 'brains' in the settings.",
            )

    async def try_incident(self, number: int, brain: str = "") -> Decided:
        """Return what would be decided on an incident now.

        Raises:
            Refused: there is none, or no such brain.
        """
        self.check_brain(brain)
        case, reins = await ask_aside(self._find, number)
        return await self._try(case, reins, brain)

    async def try_alert(
        self, source: str, alert: Alert, brain: str = ""
    ) -> Decided:
        """Return what would be decided on an alert that is not stored.

        Raises:
            Refused: there is no such brain.
        """
        self.check_brain(brain)
        case = self.casework.of_alert(source, alert)
        reins = await ask_aside(self.reins)
        return await self._try(case, reins, brain)

    def _find(self, number: int) -> tuple[Case, Reins]:
        """Return the case of an incident, and what is set; on a thread."""
        with self._room.reader.snapshot() as connection:
            file = self.casework.open_file(connection, number)
        if file is None:
            raise Refused(
                404,
                "not_found",
                f"There is no incident {number}.",
                field="incident",
                remedy="List what there is with GET /api/v1/incidents.",
            )
        return file.case, file.reins

    async def _try(self, case: Case, reins: Reins, brain: str) -> Decided:
        """Ask a brain in its time."""
        seconds = self.settings.timeout_seconds
        self._trials.admit(await ask_aside(self._spent))
        try:
            with holding(reins):
                # To wait for the trials of others takes of its time as well.
                async with asyncio.timeout(seconds), self._places:
                    decided = await self.decider.decide(case, reins, brain)
        except TimeoutError as error:
            raise Refused(
                503,
                "brain_too_slow",
                f"There was no answer within {seconds:g} s.",
                remedy="Raise decide.timeout_seconds, or take another brain.",
            ) from error
        self._trials.add(decided.decision)
        return decided

    def _spent(self) -> Spent:
        """Return what decisions took so far; on a thread."""
        bounds = bounds_of(self._room.clock.now())
        return self._room.reader.ask(
            lambda c: count_spent(c, 0, bounds["minute"], bounds["day"])
        )
