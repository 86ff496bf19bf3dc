#!/usr/bin/env python3
"""Judge the shipped gate by strangers' lessons, which it never learned from.

    python -m scripts.judge_strangers tests/evals/strangers
    python -m scripts.judge_strangers tests/evals/strangers --without-severity

Their authors had seen neither an alert of a set nor what the gate got wrong.
Nothing of these files may wander into the lessons: then they measure nothing.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import msgspec

from app.act import actions
from app.act.catalogue import make_catalogue
from app.core.registry import scan
from app.decide.gate.lessons import Lesson, parse
from app.decide.gate.training import Judged, Teacher, judge
from app.decide.gate.weighing import SHIPPED
from app.decide.gate.weights import load
from app.decide.grounding import Grounder
from app.decide.knowledge import read_knowledge
from app.models.inventory import Inventory
from scripts.evals.figures import Sure, calibration_error
from scripts.hold_out_files import line

TIMES = 4


def read_strangers(folder: Path) -> list[Lesson]:
    """Return the lessons of a folder."""
    return [
        one
        for file in sorted(folder.glob("*.txt"))
        for one in parse(file.read_text("utf-8").splitlines(), file.name)
    ]


def ungraded(lessons: Iterable[Lesson]) -> list[Lesson]:
    """Return lessons of monitoring that says nothing of how bad it is."""
    return [
        msgspec.structs.replace(one, severities=("none",)) for one in lessons
    ]


def judge_all(lessons: list[Lesson]) -> dict[str, list[Judged]]:
    """Return what the shipped gate makes of each telling, by its file."""
    catalogue = make_catalogue(scan(actions), ())
    knowledge = read_knowledge()
    teacher = Teacher(Grounder(catalogue, Inventory(), knowledge), knowledge)
    model = load(SHIPPED).actions
    found: dict[str, list[Judged]] = {}
    for one in teacher.see_all(lessons, TIMES):
        judged = found.setdefault(lessons[one.lesson].file, [])
        judged.append(judge(model, one))
    return found


def miscalibration(judged: list[Judged], *, is_strict: bool) -> float:
    """Return how far the gate's confidence is from the truth (ECE)."""
    facts = load(SHIPPED).facts
    sure = [
        Sure(
            facts.calibrate(one.raw),
            one.is_right if is_strict else one.is_accepted,
        )
        for one in judged
    ]
    return calibration_error(sure) or 0.0


def silent_wrongly(judged: Iterable[Judged]) -> int:
    """Return how often it would keep silent where somebody is needed."""
    return sum(
        one.action == "no_action" and not one.is_accepted for one in judged
    )


def main() -> None:
    """Print a table of the files, and how sure the gate rightly is."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--without-severity", action="store_true")
    asked = options.parse_args()
    lessons = read_strangers(asked.folder)
    found = judge_all(ungraded(lessons) if asked.without_severity else lessons)
    print(
        "| lessons | tellings | strict % | accepted % | unsafe | unasked"
        " | over-escalation % |"
    )
    print("|---|---|---|---|---|---|---|")
    for file, judged in found.items():
        print(line(file, judged))
    every = [one for judged in found.values() for one in judged]
    print(line("all", every))
    strict = miscalibration(every, is_strict=True)
    accepted = miscalibration(every, is_strict=False)
    print(f"ECE, strict: {strict:.3f}; accepted: {accepted:.3f}")
    print(f"silent where somebody is needed: {silent_wrongly(every)}")


if __name__ == "__main__":
    main()
