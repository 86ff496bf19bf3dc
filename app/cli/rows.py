"""Rows of the store as commands print them: times as ISO 8601 texts."""

from typing import Any

import msgspec

from app.core.clock import to_iso
from app.models.cluster import FOREVER

MOMENTS = ("at", "until")


def show_row(row: Any) -> dict[str, Any]:
    """Return a row: moments for people, JSON as JSON, hashes as digits."""
    return {name: _show(name, value) for name, value in row._asdict().items()}


def _show(name: str, value: Any) -> Any:
    """Return one value for people."""
    if name in MOMENTS or name.endswith(("_at", "_until")):
        return None if value == FOREVER else to_iso(value)
    if isinstance(value, bytes):
        return value.hex()
    return msgspec.json.decode(value) if name == "body" else value
