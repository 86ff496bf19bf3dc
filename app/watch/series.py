"""Series: one look at the machine as figures with names and units. Pure."""

from collections import defaultdict
from collections.abc import Mapping

from app.watch.claims import KINDS, Around
from app.watch.sampling import Sample

UNITS: Mapping[str, str] = {
    "cpu_percent": "%",
    "io_wait_percent": "%",
    "load1": "",
    "load_per_core": "",
    "memory_percent": "%",
    "swap_percent": "%",
    "pressure_cpu_percent": "%",
    "pressure_memory_percent": "%",
    "pressure_io_percent": "%",
    "net_in_bytes": "B/s",
    "net_out_bytes": "B/s",
    "net_errors": "1/s",
    "disk_read_bytes": "B/s",
    "disk_written_bytes": "B/s",
    "disk_percent": "%",
    "temperature_celsius": "°C",
    "service_up": "",
    "processes": "",
    "zombies": "",
    "process_cpu_percent": "% of a core",
    "process_memory_bytes": "B",
}
TOTALS = ("cpu_percent", "io_wait_percent", "memory_percent", "swap_percent")
RISES = {
    "net.in": "net_in_bytes",
    "net.out": "net_out_bytes",
    "net.errors": "net_errors",
    "net.drops": "net_errors",
    "disk.read": "disk_read_bytes",
    "disk.written": "disk_written_bytes",
}
# Of so many programs, those that take most.
MOST_PROGRAMS = 10
LEAST_SHARE = 1.0


def to_values(sample: Sample, around: Around) -> dict[str, float]:
    """Return what one look measured, by the names of its series."""
    figures = sample.snapshot.figures
    procs = sample.snapshot.procs
    found: defaultdict[str, float] = defaultdict(float)
    for name in TOTALS:
        if name in figures:
            found[name] = figures[name]
    if "load1" in figures:
        found["load1"] = figures["load1"]
        found["load_per_core"] = figures["load1"] / sample.cores
    for kind in KINDS:
        rise = sample.rises.get(f"pressure.{kind}.some_s")
        if rise is not None:
            found[f"pressure_{kind}_percent"] = min(100.0, 100.0 * rise)
    for name, rise in sample.rises.items():
        kind, _, device = name.partition(":")
        if kind in RISES and device != "lo":
            found[f"{RISES[kind]}:{device}"] += rise
    found["processes"] = len(procs)
    found["zombies"] = sum(one.state == "Z" for one in procs.values())
    return {**found, **_programs(sample), **_places(around)}


def _programs(sample: Sample) -> dict[str, float]:
    """Return what the largest programs take, all their processes together."""
    shares: defaultdict[str, float] = defaultdict(float)
    held: defaultdict[str, float] = defaultdict(float)
    for key, known in sample.known.items():
        shares[f"process_cpu_percent:{known.name}"] += sample.taken(key)
        rss = sample.snapshot.procs[key].rss
        held[f"process_memory_bytes:{known.name}"] += rss
    busy = {n: one for n, one in shares.items() if one >= LEAST_SHARE}
    return {**_most(busy), **_most(held)}


def _most(found: Mapping[str, float]) -> dict[str, float]:
    """Return the largest of some figures."""
    names = sorted(found, key=lambda name: -found[name])[:MOST_PROGRAMS]
    return {name: found[name] for name in names}


def _places(around: Around) -> dict[str, float]:
    """Return what was seen beside the processes."""
    disks, sensors = around.disks or {}, around.sensors or {}
    services = around.services or {}
    return {
        **{
            f"disk_percent:{path}": used
            for path, used in disks.items()
            if used is not None
        },
        **{f"temperature_celsius:{n}": one for n, one in sensors.items()},
        **{
            f"service_up:{name}": float(one.is_up)
            for name, one in services.items()
            if one is not None
        },
    }
