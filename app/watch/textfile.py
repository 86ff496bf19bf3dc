"""The textfile: readings for node_exporter's textfile collector."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

NAME = "smokejumper.prom"
PREFIX = "smokejumper_watch_"
# What the part behind the colon of a series is.
LABELS = {
    "disk_percent": "mountpoint",
    "service_up": "service",
    "temperature_celsius": "sensor",
    "process_cpu_percent": "process",
    "process_memory_bytes": "process",
}
OTHER = "device"
# node_exporter runs as another user.
MODE = 0o644


def to_text(values: Mapping[str, float]) -> str:
    """Return readings as Prometheus writes them."""
    families: dict[str, list[str]] = {}
    for series, value in values.items():
        kind, _, subject = series.partition(":")
        label = LABELS.get(kind, OTHER)
        part = f'{{{label}="{_escape(subject)}"}}' if subject else ""
        line = f"{PREFIX}{kind}{part} {value:.6g}"
        families.setdefault(kind, []).append(line)
    lines = []
    for kind, some in sorted(families.items()):
        lines += [f"# TYPE {PREFIX}{kind} gauge", *some]
    return "\n".join(lines) + "\n"


def write(folder: Path, values: Mapping[str, float]) -> None:
    """Write the file anew; whoever reads sees the old one or the new one.

    Raises:
        OSError: it cannot be written there.
    """
    handle, path = tempfile.mkstemp(prefix=f".{NAME}.", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(to_text(values))
            os.fchmod(file.fileno(), MODE)
        Path(path).replace(folder / NAME)
    except BaseException:
        with suppress(OSError):
            Path(path).unlink()
        raise


def _escape(text: str) -> str:
    """Return the value of a label as Prometheus writes it."""
    plain = text.encode("utf-8", "replace").decode()
    return plain.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
