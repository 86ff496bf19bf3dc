"""Lessons: one line says of a kind of alert what is right, in many words.

A lesson is told again and again with other names, hosts, severities and
styles of sources, so that what is learned is the meaning and not the text.
The format stands in docs/reflex.md.
"""

from collections.abc import Iterable, Iterator
from importlib.resources import files

import msgspec

from app.models.origins import TOPICS

COLUMNS = 7
SEVERITIES = ("none", "info", "warning", "error", "critical")
ACTIONS = (
    "collect_diagnostics",
    "escalate",
    "free_disk_space",
    "free_memory",
    "kill_process",
    "no_action",
    "restart_container",
    "restart_pod",
    "restart_service",
)
ACTING = frozenset(ACTIONS) - {"collect_diagnostics", "escalate", "no_action"}


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the lessons."""

    action: str
    ok: tuple[str, ...]
    topic: str
    severities: tuple[str, ...]
    names: tuple[str, ...]
    texts: tuple[str, ...]
    labels: dict[str, tuple[str, ...]]
    file: str


def read_lessons() -> list[Lesson]:
    """Return every lesson that comes with the product."""
    here = files("app.decide") / "lessons"
    found = []
    for entry in sorted(here.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".txt"):
            lines = entry.read_text("utf-8").splitlines()
            found += list(parse(lines, entry.name))
    return found


def parse(lines: Iterable[str], file: str) -> Iterator[Lesson]:
    """Yield the lesson of each line, or raise ValueError with its place."""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = [part.strip() for part in line.split(" | ")]
        try:
            yield _to_lesson(columns, file)
        except ValueError as error:
            raise ValueError(f"{file}:{number}: {error}") from error


def _to_lesson(columns: list[str], file: str) -> Lesson:
    """Return a line as a lesson, or raise what is wrong with it."""
    if len(columns) != COLUMNS:
        raise ValueError(f"{len(columns)} columns, not {COLUMNS}")
    action, ok, topic, severities, names, texts, labels = columns
    others = tuple(ok.split()) if ok != "-" else ()
    for one in (action, *others):
        if one not in ACTIONS:
            raise ValueError(f"there is no action {one!r}")
    if topic not in TOPICS:
        raise ValueError(f"there is no topic {topic!r}")
    for one in severities.split():
        if one not in SEVERITIES:
            raise ValueError(f"there is no severity {one!r}")
    return Lesson(
        action=action,
        ok=others,
        topic=topic,
        severities=tuple(severities.split()),
        names=tuple(_listed(names)),
        texts=tuple(_listed(texts)),
        labels=dict(_labels(labels)),
        file=file,
    )


def _listed(column: str) -> Iterator[str]:
    """Yield the alternatives of a column."""
    if column != "-":
        yield from (part.strip() for part in column.split(";") if part.strip())


def _labels(column: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each label with its alternatives."""
    for word in column.split() if column != "-" else ():
        key, equals, values = word.partition("=")
        if not equals or not key or not values:
            raise ValueError(f"{word!r} is not key=value")
        yield key, tuple(value for value in values.split(",") if value)
