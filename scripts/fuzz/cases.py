"""A case, what became of it, and what a part of the fuzzing came to."""

import base64
import itertools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

MEGABYTE = 1_048_576
# What went wrong, by kind; nothing of it may happen even once.
BROKEN, HANG, LOST, GROWTH = "5xx", "hang", "lost", "growth"
WRONG = (BROKEN, HANG, LOST, GROWTH)


class Case(NamedTuple):
    """One thing that is tried; it can be kept in a file and played again.

    Attributes:
        part: parsers, door or pages.
        target: a source, or a method and an address.
        headers: what is sent with it.
        body: what is sent.
        role: who sends it, empty for a stranger.
        database: sqlite or postgres.
    """

    part: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    role: str = ""
    database: str = "sqlite"

    def save(self, file: Path, why: str) -> None:
        """Keep it for a replay."""
        tree = {
            **self._asdict(),
            "body": base64.b64encode(self.body).decode(),
            "why": why,
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Self:
        """Return what was kept."""
        tree: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return cls(
            part=tree["part"],
            target=tree["target"],
            headers=tuple((name, value) for name, value in tree["headers"]),
            body=base64.b64decode(tree["body"]),
            role=tree["role"],
            database=tree["database"],
        )


@dataclass
class Score:
    """What a part of the fuzzing came to.

    Attributes:
        name: the part, and whom it was played as.
        folder: where cases that fail are kept.
        cases: how many were tried.
        wrong: how often each thing went wrong that must not.
        answers: how many answers were of which hundred, such as 4xx.
        later: how often somebody was told to come again (503).
        growth: by how many bytes the process grew.
        notes: what else there is to say.
    """

    name: str
    folder: Path
    cases: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    later: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    growth: int = 0
    notes: list[str] = field(default_factory=list)

    def fail(self, kind: str, why: str, case: Case | None = None) -> None:
        """Write down what went wrong; keep the case."""
        self.wrong[kind] += 1
        if case is None:
            self.notes.append(f"{kind}: {why}")
            return
        stem = self.name.replace(" ", "-")
        places = (
            self.folder / f"{stem}-{kind}-{number}.json"
            for number in itertools.count(1)
        )
        file = next(place for place in places if not place.exists())
        case.save(file, why)
        self.notes.append(f"{kind}: {why}: --replay {file}")

    def count(self, status: int) -> None:
        """Count an answer."""
        self.answers[f"{status // 100}xx"] += 1

    @property
    def is_good(self) -> bool:
        """Tell whether nothing went wrong."""
        return not self.wrong.total()

    def __str__(self) -> str:
        """Return it as a line, and one more for each note."""
        told = ", ".join(f"{self.wrong[kind]} {kind}" for kind in WRONG)
        kinds = sorted(self.answers.items())
        answers = ", ".join(f"{count} {kind}" for kind, count in kinds)
        line = (
            f"{self.name:<26} {self.cases:>7} cases, {told},"
            f" {self.later} told to come again, grew by"
            f" {self.growth / MEGABYTE:.0f} MB"
            + (f" ({answers})" if answers else "")
        )
        return "\n".join([line, *(f"    {note}" for note in self.notes)])
