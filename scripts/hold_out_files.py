#!/usr/bin/env python3
"""Judge each file of lessons by a gate that learned from the others alone.

The files have their own authors and subjects, so this is harder than what
``reflex train`` reports: no lesson of the subject was seen at all.

    python -m scripts.hold_out_files
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from app.act import actions
from app.act.catalogue import make_catalogue
from app.core.registry import scan
from app.decide.gate.lessons import ACTING, Lesson, read_lessons
from app.decide.gate.model import learn
from app.decide.gate.strays import find_strays
from app.decide.gate.training import (
    ROUNDS,
    SEED,
    Judged,
    Seen,
    Teacher,
    judge,
    to_examples,
)
from app.decide.gate.weighing import SHIPPED
from app.decide.gate.weights import load
from app.decide.grounding import Grounder
from app.decide.knowledge import read_knowledge
from app.models.inventory import Inventory

TIMES = 4


def hold_out(
    lessons: Sequence[Lesson], seen: Sequence[Seen], file: str
) -> list[Judged]:
    """Return the lessons of one file, judged by what the others teach."""
    known = [s for s in seen if lessons[s.lesson].file != file]
    model = learn(to_examples(known), ROUNDS, SEED)
    return [judge(model, s) for s in seen if lessons[s.lesson].file == file]


def line(name: str, judged: Sequence[Judged]) -> str:
    """Return the figures of one file as a row of a table."""
    least = load(SHIPPED).facts.thresholds
    acting = [one for one in judged if one.action in ACTING]
    unsafe = [one for one in acting if not one.is_accepted]
    unasked = [one for one in unsafe if one.raw >= least[one.action]]
    needed = [one for one in judged if one.seen.action in ACTING]
    over = [one for one in needed if one.action == "escalate"]
    return (
        f"| {name} | {len(judged)}"
        f" | {100 * np.mean([one.is_right for one in judged]):.1f}"
        f" | {100 * np.mean([one.is_accepted for one in judged]):.1f}"
        f" | {len(unsafe)} | {len(unasked)}"
        f" | {100 * len(over) / max(1, len(needed)):.1f} |"
    )


def tell(lessons: list[Lesson], files: Iterable[str]) -> None:
    """Print the table of all files."""
    catalogue = make_catalogue(scan(actions), [Path("config") / "actions"])
    knowledge = read_knowledge()
    teacher = Teacher(Grounder(catalogue, Inventory(), knowledge), knowledge)
    strays = find_strays(lessons)
    seen = list(teacher.see_all(lessons, TIMES, strays))
    print(
        "| lessons | tellings | strict % | accepted % | unsafe | unasked"
        " | over-escalation % |"
    )
    print("|---|---|---|---|---|---|---|")
    every: list[Judged] = []
    for file in files:
        judged = hold_out(lessons, seen, file)
        every += judged
        print(line(file, judged), flush=True)
    print(line("all", every))


def main() -> None:
    """Hold out each file of lessons in turn."""
    lessons = read_lessons()
    tell(lessons, sorted({lesson.file for lesson in lessons}))


if __name__ == "__main__":
    main()
