"""Claims: what one look at the machine says is too much. Pure."""

from collections.abc import Iterator, Mapping
from functools import partial

import msgspec

from app.core.look.past import Past
from app.core.look.snapshot import Key
from app.watch.places import Files
from app.watch.rules import Claim, Text
from app.watch.sampling import Sample
from app.watch.services import Health
from app.watch.settings import Threshold, WatchSettings
from app.watch.suspects import Burners, Leaks, Suspect
from app.watch.wording import tell_burner, tell_busy, tell_leak, tell_level

RUNAWAY, LEAK = "ProcessRunaway", "ProcessMemoryLeak"
DISK, SERVICE = "HostOutOfDiskSpace", "ServiceDown"
MEMORY, CPU = "HostHighMemory", "HostHighCpuLoad"
SWAP, PRESSURE = "HostSwapHigh", "HostPressure"
NETWORK, TEMPERATURE = "HostNetworkErrors", "HostTemperatureHigh"
ZOMBIES, FILES = "TooManyZombies", "TooManyOpenFiles"
CLOCK = "ClockSkew"
# Each alert has one severity: it is a part of what it is found again by.
SEVERITY = {DISK: "critical", SERVICE: "critical", MEMORY: "critical"}
QUICK = frozenset(
    {RUNAWAY, LEAK, MEMORY, CPU, SWAP, PRESSURE, NETWORK, ZOMBIES, CLOCK}
)
KINDS = ("cpu", "memory", "io")
# A clock that was moved, and stays so, is right by then.
USED_TO_SECONDS = 3_600.0


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen beside the processes; None is not known now.

    So is a disk or a service that is None: it stays as it is.

    Attributes:
        disks: how full each file system is, in percent.
        sensors: how warm each is.
        files: who has many files open.
        services: how each service is.
    """

    disks: Mapping[str, float | None] | None = None
    sensors: Mapping[str, float] | None = None
    files: Mapping[Key, Files] | None = None
    services: Mapping[str, Health | None] | None = None

    @property
    def known(self) -> frozenset[str]:
        """Return the alerts of which all was seen."""
        seen = {
            DISK: self.disks,
            TEMPERATURE: self.sensors,
            FILES: self.files,
            SERVICE: self.services,
        }
        return QUICK | {n for n, one in seen.items() if one is not None}


class Claimant:
    """Says what is too much; knows what was so before."""

    def __init__(self, settings: WatchSettings, past: Past) -> None:
        """Take what is too much, and how this machine was."""
        self._limits = settings.thresholds
        self._may_name = may_name = settings.may_name
        self._burners = Burners(self._limits.process_cpu, may_name, past)
        self._leaks = Leaks(self._limits.process_memory, may_name, past)
        self._offset: float | None = None
        self._since = 0.0

    def resume(self, name: str, labels: Mapping[str, str]) -> None:
        """Take what was an alert before a restart."""
        if name == RUNAWAY:
            self._burners.resume(labels.get("process", ""))

    def claims(self, sample: Sample, around: Around) -> list[Claim]:
        """Return all that one look says."""
        found = [
            *self._processes(sample),
            *self._totals(sample),
            *self._devices(sample),
            *self._clock(sample),
            *self._places(sample, around),
        ]
        return [one for one in found if one.threshold.enabled]

    def _processes(self, sample: Sample) -> Iterator[Claim]:
        """Yield what is said of processes, and of all cores."""
        limits = self._limits
        busy = self._burners.weigh(sample)
        named = self._burners.stand_out(busy)
        for one in busy:
            if one.is_usual:
                continue
            yield Claim(
                name=RUNAWAY,
                labels={"process": one.name},
                threshold=limits.process_cpu,
                begins=one.name in named,
                lasts=True,
                tell=partial(tell_burner, one, busy, sample),
            )
        yield from self._spread(sample, busy, is_named=bool(named))
        for leak, begins, lasts in self._leaks.weigh(sample):
            yield Claim(
                name=LEAK,
                labels={"process": leak.name},
                threshold=limits.process_memory,
                begins=begins,
                lasts=lasts,
                tell=partial(tell_leak, leak, sample),
            )

    def _spread(
        self, sample: Sample, busy: list[Suspect], *, is_named: bool
    ) -> Iterator[Claim]:
        """Yield that the machine is busy, by no process that stands out."""
        figures = sample.snapshot.figures
        cpu = figures.get("cpu_percent", 0.0)
        load = figures.get("load1", 0.0) / sample.cores
        limits = self._limits
        seen = [
            (one, value)
            for one, value in ((limits.cpu, cpu), (limits.load, load))
            if one.enabled
        ]
        if not seen:
            return
        over = [one for one, value in seen if value >= one.limit]
        yield Claim(
            name=CPU,
            threshold=(over or [one for one, _ in seen])[0],
            begins=bool(over) and not is_named,
            lasts=any(value >= one.end for one, value in seen),
            tell=partial(tell_busy, sample, busy),
        )

    def _totals(self, sample: Sample) -> Iterator[Claim]:
        """Yield what is said of memory, swap, pressure and zombies."""
        limits, figures = self._limits, sample.snapshot.figures
        memory = figures.get("memory_percent", 0.0)
        text = f"held by {_holders(sample)}"
        yield _level(MEMORY, limits.memory, memory, "memory used", more=text)
        swap = figures.get("swap_percent", 0.0)
        yield _level(SWAP, limits.swap, swap, "swap used", more=text)
        for kind in KINDS:
            rise = sample.rises.get(f"pressure.{kind}.some_s")
            if rise is not None:
                threshold = getattr(limits, f"pressure_{kind}")
                what = f"share of time in which work waits for {kind}"
                labels = {"kind": kind}
                yield _level(PRESSURE, threshold, 100 * rise, what, labels)
        dead = [p for p in sample.snapshot.procs.values() if p.state == "Z"]
        parents = {one.parent for one in dead}
        some = sorted(
            str(p) for p in sample.snapshot.procs.values() if p.pid in parents
        )
        keepers = ", ".join(some[:3]) or "nobody who is left"
        count = float(len(dead))
        yield _level(
            ZOMBIES,
            limits.zombies,
            count,
            "zombies",
            unit="",
            more=f"not buried by {keepers}",
        )

    def _devices(self, sample: Sample) -> Iterator[Claim]:
        """Yield what is said of interfaces."""
        for name, rise in sample.rises.items():
            what, _, interface = name.partition(":")
            if what != "net.errors" or interface == "lo":
                continue
            drops = sample.rises.get(f"net.drops:{interface}", 0.0)
            yield _level(
                NETWORK,
                self._limits.network,
                rise + drops,
                f"errors and drops of {interface} in a second",
                {"interface": interface},
                unit="",
                more=f"errors {rise:.1f}, drops {drops:.1f}",
            )

    def _clock(self, sample: Sample) -> Iterator[Claim]:
        """Yield whether the clock was moved since we began."""
        moved = self._moved(sample)
        yield _level(
            CLOCK,
            self._limits.clock,
            abs(moved),
            "seconds by which the clock was moved",
            unit="s",
            more=f"it was set {'forward' if moved > 0 else 'back'}",
        )

    def _moved(self, sample: Sample) -> float:
        """Return how far the clock was moved, in seconds.

        When it has stayed there for long, that is the time.
        """
        now = sample.monotonic
        if self._offset is None:
            self._offset = sample.offset
        moved = sample.offset - self._offset
        if abs(moved) < self._limits.clock.end:
            self._since = now
        elif now - self._since >= USED_TO_SECONDS:
            self._offset, self._since, moved = sample.offset, now, 0.0
        return moved

    def _places(self, sample: Sample, around: Around) -> Iterator[Claim]:
        """Yield what is said of disks, sensors, files and services."""
        limits = self._limits
        for path, used in (around.disks or {}).items():
            labels = {"mountpoint": path}
            if used is None:
                yield _stay(DISK, limits.disk, labels)
            else:
                yield _level(DISK, limits.disk, used, f"{path} used", labels)
        for sensor, degrees in (around.sensors or {}).items():
            yield _level(
                TEMPERATURE,
                limits.temperature,
                degrees,
                f"temperature of {sensor}",
                {"sensor": sensor},
                unit="°C",
            )
        yield from self._files(sample, around.files or {})
        for name, health in (around.services or {}).items():
            labels = {"service": name}
            if health is None:
                yield _stay(SERVICE, limits.service, labels)
                continue
            yield Claim(
                name=SERVICE,
                labels=labels,
                threshold=limits.service,
                begins=not health.is_up,
                lasts=not health.is_up,
                tell=partial(_tell_service, name, health),
            )

    def _files(
        self, sample: Sample, files: Mapping[Key, Files]
    ) -> Iterator[Claim]:
        """Yield what is said of open files, of each program the worst."""
        worst: dict[str, tuple[Key, Files]] = {}
        for key, one in files.items():
            proc = sample.snapshot.procs.get(key)
            if proc is None:
                continue
            name = sample.name(proc)
            if not self._may_name(name):
                continue
            if name not in worst or worst[name][1].percent < one.percent:
                worst[name] = key, one
        for name, (key, one) in worst.items():
            yield _level(
                FILES,
                self._limits.open_files,
                one.percent,
                f"files that {name} has open, of those that it may",
                {"process": name},
                more=f"process {key[0]} has {one.count} of {one.most}",
            )


def _level(  # noqa: PLR0913 a figure has its limit, its unit and its words
    name: str,
    threshold: Threshold,
    value: float,
    what: str,
    labels: Mapping[str, str] | None = None,
    *,
    unit: str = "%",
    more: str = "",
) -> Claim:
    """Return the claim that a figure is too high."""
    sign = f" {unit}" if unit else ""
    return Claim(
        name=name,
        labels=labels or {},
        threshold=threshold,
        begins=value >= threshold.limit,
        lasts=value >= threshold.end,
        tell=lambda seconds: tell_level(
            what,
            f"{value:.3g}{sign}",
            f"{threshold.limit:g}{sign}",
            seconds,
            more,
        ),
    )


def _stay(name: str, threshold: Threshold, labels: Mapping[str, str]) -> Claim:
    """Return the claim about what could not be looked at."""
    return Claim(
        name=name,
        labels=labels,
        threshold=threshold,
        begins=False,
        lasts=True,
        tell=lambda _: Text(name, "Nothing is known."),
    )


def _holders(sample: Sample) -> str:
    """Return who holds most of the memory."""
    procs = sample.snapshot.procs
    most = sorted(sample.known, key=lambda key: -procs[key].rss)[:3]
    return ", ".join(
        f"{sample.known[key].name} {procs[key].rss / 1e6:.0f} MB"
        for key in most
    )


def _tell_service(name: str, health: Health, seconds: float) -> Text:
    """Return what is said of a service that is down."""
    return tell_level(f"service {name}", "down", "up", seconds, health.says)
