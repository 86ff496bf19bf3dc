"""The watch: looks at this machine again and again, and tells of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import httpx
import msgspec

from app.core.clock import Clock
from app.core.errors import OutgoingFailed
from app.core.host import HostSettings
from app.core.log import get_log
from app.core.look.past import EVERY_SECONDS, Past
from app.core.look.readings import Readings
from app.core.look.snapshot import Key as ProcKey
from app.core.look.totals import MOST_DISKS, disk_places
from app.core.machine import Looks, look
from app.watch import textfile
from app.watch.claims import SEVERITY, Around, Claimant
from app.watch.keeping import Keep
from app.watch.places import Files, read_disks, read_files, read_sensors
from app.watch.rules import (
    MOST_ALERTS,
    Alert,
    Began,
    Ended,
    Key,
    Rules,
    Text,
)
from app.watch.sampling import Sample, sample
from app.watch.sending import Outbox, Sender
from app.watch.series import UNITS, to_values
from app.watch.services import Services
from app.watch.settings import SUBJECTS, WatchSettings

# How often what costs more, or asks others, is looked at.
SERVICE_SECONDS, SLOW_SECONDS = 2.0, 10.0
# After so many rounds without an answer nothing is known any more.
PATIENCE = 5
# What hangs keeps a place: each has its own, and none of anybody else's.
PLACES = 2
T = TypeVar("T")
log = get_log("watch")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a watch stands.

    Attributes:
        name: what this machine is called in alerts.
        host: what is said about it.
        url: where alerts are posted.
        headers: what opens that.
        clock: the time.
        readings: takes what was measured.
        state: the file in which what is told outlives a restart, if any.
    """

    name: str
    host: HostSettings
    url: str
    headers: dict[str, str]
    clock: Clock
    readings: Readings
    state: Path | None = None


class Side(Generic[T]):
    """Looks at one thing at its own pace; one that hangs hangs alone."""

    def __init__(
        self, name: str, read: Callable[[], Awaitable[T]], seconds: float
    ) -> None:
        """Take what is read, and how often."""
        self._name = name
        self._read = read
        self._seconds = seconds
        self._found: T | None = None
        self._at = float("-inf")

    async def run(self) -> None:
        """Look, until cancelled."""
        was_told = False
        while True:
            try:
                self._found = await self._read()
            except OutgoingFailed as error:
                if not was_told:
                    log.warning(
                        "watch.missed", what=self._name, reason=str(error)
                    )
                was_told = True
            else:
                self._at = time.monotonic()
                was_told = False
            await asyncio.sleep(self._seconds)

    def newest(self) -> T | None:
        """Return what was seen last, None when that is long ago."""
        is_old = time.monotonic() - self._at > PATIENCE * self._seconds
        return None if is_old else self._found


def aside(call: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    """Return what asks a call that may hang, in places of its own."""
    looks = Looks(PLACES)

    async def ask() -> T:
        """Return what it says, or raise OutgoingFailed."""
        return await look(call, looks=looks)

    return ask


class Watch:
    """Looks at this machine, and posts what is too much."""

    def __init__(self, settings: WatchSettings, place: Place) -> None:
        """Take what is too much, and where we are."""
        self._settings = settings
        self._place = place
        self._past = Past(place.clock)
        self._kept_at = float("-inf")
        self._claimant = Claimant(settings, self._past)
        self._rules = Rules()
        self._was_left_out = self._are_disks_left_out = False
        self._alerts: dict[Key, Alert] = {}
        self._last: Sample | None = None
        self._outbox = Outbox(settings.repeat_seconds)
        self._keep = Keep(place.state, place.url)
        self._sender = Sender(
            self._outbox, place.url, place.headers, place.clock
        )
        self._folder = Path(settings.textfile) if settings.textfile else None
        self._looks = Looks(PLACES)
        # What is written may hang with its disk, and is no look.
        self._keeping, self._writing = Looks(1), Looks(1)

    async def run(self) -> None:
        """Watch, until cancelled."""
        every = self._settings.every_seconds
        async with (
            httpx.AsyncClient(
                timeout=30.0, trust_env=False, follow_redirects=False
            ) as client,
            asyncio.TaskGroup() as group,
        ):
            checks, host = self._settings.services, self._place.host
            services = Services(checks, host, client)
            sides = (
                Side("disks", aside(self._disks), every),
                Side("sensors", aside(read_sensors), SLOW_SECONDS),
                Side("files", aside(self._files), SLOW_SECONDS),
                Side(
                    "services",
                    lambda: services.look(time.monotonic()),
                    max(every, SERVICE_SECONDS),
                ),
            )
            await self._resume()
            for side in sides:
                group.create_task(side.run())
            group.create_task(self._sender.run())
            disks, sensors, files, health = sides
            await self._go_on(
                lambda: Around(
                    disks=disks.newest(),
                    sensors=sensors.newest(),
                    files=files.newest(),
                    services=health.newest(),
                )
            )

    async def _go_on(self, around: Callable[[], Around]) -> None:
        """Look at the machine, until cancelled."""
        every = self._settings.every_seconds
        due, was_told = time.monotonic(), False
        while True:
            try:
                await self._round(around)
            except OutgoingFailed as error:
                if not was_told:
                    log.warning("watch.missed", reason=str(error))
                was_told = True
            else:
                was_told = False
            due = max(due + every, time.monotonic())
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _round(self, around: Callable[[], Around]) -> None:
        """Look once, and tell what has begun and ended."""
        found = self._last = await self._ask(self._look)
        if not found.shares:
            # Nothing is known yet of what moves.
            return
        seen = around()
        values = to_values(found, seen)
        self._place.readings.add(values, UNITS)
        claims = self._claimant.claims(found, seen)
        changes = self._rules.step(
            found.at, found.monotonic, claims, seen.known
        )
        self._tell_left_out()
        for change in changes:
            if isinstance(change, Began):
                await self._raise(change)
            else:
                self._resolve(change)
        told = self._outbox.alerts()
        if self._keep.is_new(told):
            keep = partial(self._keep.write, told)
            await look(keep, looks=self._keeping)
        if self._folder is not None:
            write = partial(textfile.write, self._folder, values)
            await look(write, looks=self._writing)

    def _tell_left_out(self) -> None:
        """Log that there are more alerts than are told, once in a row."""
        count = self._rules.left_out
        if count and not self._was_left_out:
            log.error("watch.left_out", alerts=count, most=MOST_ALERTS)
        self._was_left_out = bool(count)

    async def _resume(self) -> None:
        """Go on with what was told before a restart.

        It is over when it is not claimed any more, as all else.
        """
        try:
            kept = await self._ask(self._keep.read)
        except OutgoingFailed as error:
            log.warning("watch.missed", what="state", reason=str(error))
            return
        for alert in kept:
            self._sender.add(alert)
        newest = {one.fingerprint: one for one in kept}
        for alert in newest.values():
            if alert.ends_at is None:
                self._go_on_with(alert)

    def _go_on_with(self, alert: Alert) -> None:
        """Take up one alert that was not over."""
        labels = {k: v for k, v in alert.labels.items() if k in SUBJECTS}
        key = (alert.name, tuple(sorted(labels.items())))
        self._alerts[key] = alert
        if self._label(key) != alert.labels:
            # We are called otherwise now: nobody would ever end it.
            self._resolve(Ended(key, max(alert.starts_at, self._now())))
            return
        self._rules.resume(key, alert.starts_at, time.monotonic())
        self._claimant.resume(alert.name, labels)
        log.info("watch.alert_resumed", alert=alert.name, labels=labels)

    def _now(self) -> int:
        """Return the present moment."""
        return self._place.clock.now()

    def _label(self, key: Key) -> dict[str, str]:
        """Return all labels of an alert."""
        name, labels = key
        return {
            **self._settings.labels,
            "alertname": name,
            "host": self._place.name,
            "severity": SEVERITY.get(name, "warning"),
            **dict(labels),
        }

    def _look(self) -> Sample:
        """Return the machine as it is; in a thread."""
        found = sample(self._last, self._place.clock.now())
        if found.monotonic - self._kept_at >= EVERY_SECONDS:
            self._kept_at = found.monotonic
            self._past.keep(found.snapshot, found.counters)
        return found

    async def _raise(self, change: Began) -> None:
        """Tell that something has begun."""
        name, labels = change.key
        claim = change.claim
        try:
            text = await self._ask(partial(claim.tell, change.seconds))
        except OutgoingFailed as error:
            # The evidence is not to be had: the alert is.
            text = Text(name, f"Nothing more is known: {error}")
        alert = Alert(
            name=name,
            labels=self._label(change.key),
            text=text,
            starts_at=change.starts_at,
        )
        self._alerts[change.key] = alert
        log.info("watch.alert_raised", alert=name, labels=dict(labels))
        self._sender.add(alert)

    def _resolve(self, change: Ended) -> None:
        """Tell that something is over."""
        alert = self._alerts.pop(change.key)
        log.info("watch.alert_resolved", alert=alert.name)
        ended = msgspec.structs.replace(alert, ends_at=change.ends_at)
        self._sender.add(ended)

    async def _ask(self, call: Callable[[], T]) -> T:
        """Return what a call says that may hang, or raise OutgoingFailed."""
        return await look(call, looks=self._looks)

    def _disks(self) -> dict[str, float | None]:
        """Return how full each file system is."""
        named, found = self._settings.disks, disk_places()
        self._tell_disks([p for p in found[MOST_DISKS:] if p not in named])
        folders = self._place.host.folders
        return read_disks(named, folders, found[:MOST_DISKS])

    def _tell_disks(self, left_out: list[str]) -> None:
        """Log that there are more disks than are watched, once in a row."""
        if left_out and not self._are_disks_left_out:
            log.error(
                "watch.disks_left_out",
                disks=len(left_out),
                most=MOST_DISKS,
                first=left_out[0],
                remedy="name those that matter in watch.disks",
            )
        self._are_disks_left_out = bool(left_out)

    def _files(self) -> dict[ProcKey, Files]:
        """Return who has many files open."""
        return read_files(self._last.snapshot.procs if self._last else {})
