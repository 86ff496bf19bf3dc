"""Seeds: what real systems sent, and the example of each source."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.unit.sources.making import KINDS, make_source

HOME = Path(__file__).parents[2]
DATA = Path(os.environ.get("TEST_DATA", HOME.parent / "shared" / "data"))
# Which of our sources a capture was meant for, by how its name begins.
OF = {
    "alertmanager": "alertmanager",
    "prometheus": "prometheus",
    "vmalert": "prometheus",
    "zabbix": "zabbix",
    "netdata": "generic",
    "monit": "generic",
    "icinga2": "generic",
}
# Without settings of a site the generic source has nothing to look for.
GENERIC = {
    "name": "name || alarm || labels.alertname",
    "labels": {"host": "host", "odd": "to_string(@)"},
}
Headers = tuple[tuple[str, str], ...]


class Seed(NamedTuple):
    """A body that a system sends, and what comes with it."""

    source: str
    headers: Headers
    body: bytes


def options_of(kind: str) -> dict[str, Any]:
    """Return the settings that a source is fuzzed with."""
    return GENERIC if kind == "generic" else {}


def load_seeds() -> list[Seed]:
    """Return all there are; the captures where somebody has them."""
    return [*_examples(), *_captures()]


def _examples() -> Iterator[Seed]:
    """Yield the example of each source."""
    for kind in KINDS:
        example = make_source(kind, options_of(kind)).example
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in example.headers
        )
        yield Seed(kind, headers, example.body)


def _captures() -> Iterator[Seed]:
    """Yield what real systems sent."""
    json_type = (("content-type", "application/json"),)
    for file in sorted((DATA / "captured").glob("*.json")):
        kind = OF.get(file.stem.partition("_")[0])
        if kind is None:
            continue
        for body in _bodies(json.loads(file.read_text(encoding="utf-8"))):
            yield Seed(kind, json_type, body)


def _bodies(capture: Any) -> Iterator[bytes]:
    """Yield the bodies of a capture, whatever its form."""
    for one in capture if isinstance(capture, list) else [capture]:
        text = one.get("body") if isinstance(one, dict) else None
        yield (text if isinstance(text, str) else json.dumps(one)).encode()
