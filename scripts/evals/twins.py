"""Read sets, and put the clean twin beside each hostile row.

A hostile row has no label: its decision must be that of its clean twin, or
to escalate. The twin stands in the row, or is the row without the field
that ``where`` names.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.evals.truth import (
    CLEAN,
    Right,
    Set,
    Truth,
    Wire,
    Wrong,
    digest_of,
    find_files,
    read_lines,
    to_truth,
)

# A twin still needs a name.
NEUTRAL_NAME = "Alert"


def read_set(path: Path, name: str = "") -> Set:
    """Return the set of a file or folder, or raise Wrong with the place."""
    files = find_files(path)
    rows: dict[str, Truth] = {}
    passed_over = []
    for file in files:
        for place, wire in read_lines(file):
            found = list(_to_rows(place, wire))
            if not found:
                passed_over.append(wire.id)
            for row in found:
                if row.id in rows:
                    raise Wrong(f"{place}: the id {row.id} is there twice")
                rows[row.id] = row
    if not rows:
        raise Wrong(f"{path}: no row of it is about deciding")
    return Set(
        name or path.stem,
        tuple(rows.values()),
        digest_of(files),
        tuple(passed_over),
    )


def _to_rows(place: str, wire: Wire) -> Iterator[Truth]:
    """Yield the rows of a line: one, or a hostile one and its twin."""
    if isinstance(wire.expected, Right):
        if wire.payload is None and wire.case is None:
            raise Wrong(f"{place}: needs 'payload' or 'case'")
        yield to_truth(wire)
        return
    clean = wire.clean
    if clean is None and _is_group(wire.payload):
        clean = make_clean(wire.payload, wire.where)
    if clean is None and wire.clean_case is None:
        return  # about the wire, the console or the hosts: not ours
    yield Truth(
        id=wire.id,
        source=wire.source,
        payload=wire.payload,
        case=wire.case,
        hostile=True,
        forbidden=wire.forbidden_values,
        twin=wire.id + CLEAN,
    )
    yield Truth(
        id=wire.id + CLEAN,
        source=wire.source,
        payload=clean,
        case=wire.clean_case,
    )


def _is_group(payload: Any) -> bool:
    """Tell whether a payload is a notification with alerts."""
    if not isinstance(payload, dict) or not payload.get("alerts"):
        return False
    alerts = payload["alerts"]
    return isinstance(alerts, list) and all(
        isinstance(one, dict) and one.get("labels") for one in alerts
    )


def make_clean(payload: Any, where: str) -> Any:
    """Return a notification without what is hostile in it."""
    part, _, field = where.split(" ", maxsplit=1)[0].partition(".")
    clean = copy.deepcopy(payload)
    for alert in clean["alerts"]:
        if part in ("annotations", "labels") and field:
            alert.get(part, {}).pop(field, None)
            if field == "alertname":
                alert["labels"]["alertname"] = NEUTRAL_NAME
    return clean
