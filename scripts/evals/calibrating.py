"""Fit what the number of a language model means, on labelled alerts.

Folds go by the names of alerts: what is said about a calibration comes from
alerts whose names it never saw. What is kept is fitted on all of them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from app.decide.calibration import (
    FEWEST,
    Bin,
    Calibration,
    Measured,
    Reached,
    find_fault,
)
from app.decide.platt import fit, spread
from scripts.evals.contestants import Contestant
from scripts.evals.figures import (
    Sure,
    calibration_error,
    coverage,
    reliability,
)
from scripts.evals.keeping import Shelf
from scripts.evals.matching import is_right
from scripts.evals.running import Runner, Told
from scripts.evals.scoring import LEASTS, Prediction
from scripts.evals.truth import Truth, Wrong

FOLDS = 5


class Known(msgspec.Struct, frozen=True):
    """One answer of a model whose alert has a label.

    Attributes:
        name: of the alert.
        raw: the model's own number.
        is_right: whether its call is the one that is expected.
    """

    name: str
    raw: float
    is_right: bool


async def ask(
    told: Sequence[Told], brain: Contestant, jobs: int
) -> list[list[Prediction]]:
    """Return what a brain says about the rows of each set."""
    rounds = await Runner(None, jobs, fresh=False).run(told, [brain])
    return [list(one.predictions) for one in rounds]


def recall(
    told: Sequence[Told], brain: str, folder: Path
) -> list[list[Prediction]]:
    """Return what a brain said in a recorded run, or raise Wrong."""
    shelves = (
        Shelf.reopen(
            folder,
            f"{one.rows.name}--{brain}",
            {"set": one.rows.digest, "brain": brain},
        )
        for one in told
    )
    return [list(shelf.found.values()) for shelf in shelves]


def calibrate(
    brain: str, told: Sequence[Told], said: Sequence[Sequence[Prediction]]
) -> Calibration:
    """Return a calibration of all answers that can be judged.

    Raises:
        Wrong: there are too few, of several models, or they say nothing.
    """
    known: list[Known] = []
    for one, answers in zip(told, said, strict=True):
        known += _judge(one, answers)
    if len(known) < FEWEST:
        raise Wrong(
            f"{len(known)} labelled rows have a number of the model, and a"
            f" calibration needs {FEWEST}: take more sets, or a server that"
            " gives logprobs"
        )
    names = {one.name for one in known}
    if len(names) < FOLDS:
        raise Wrong(
            f"the rows are of {len(names)} alert names, too few to hold some"
            f" back: take at least {FOLDS}"
        )
    model, build = _find_model(a for answers in said for a in answers)
    slope, shift = _fit(known)
    made = Calibration(
        brain=brain,
        model=model,
        build=build,
        slope=round(slope, 4),
        shift=round(shift, 4),
        cases=len(known),
        names=len(names),
        origin={one.rows.name: one.rows.digest for one in told},
        measured=measure(known),
    ).stamped()
    fault = find_fault(made)
    if fault:
        raise Wrong(f"the number of {model} {fault}: it stays unknown")
    return made


def _judge(told: Told, answers: Iterable[Prediction]) -> Iterable[Known]:
    """Yield the answers that have a number and a label."""
    truths: dict[str, Truth] = {row.id: row for row in told.rows.rows}
    for one in answers:
        truth = truths.get(one.id)
        if truth is None or truth.expected is None or one.chosen is None:
            continue
        if one.surety is not None:
            yield Known(
                told.cases[one.id].name,
                one.surety,
                is_right(one.chosen, truth.expected),
            )


def _find_model(answers: Iterable[Prediction]) -> tuple[str, str]:
    """Return the one model that answered, and its build if that is one."""
    sure = [one for one in answers if one.surety is not None]
    models = sorted({one.model for one in sure})
    if len(models) != 1:
        raise Wrong(f"several models answered: {', '.join(models)}")
    builds = {one.build for one in sure}
    return models[0], builds.pop() if len(builds) == 1 else ""


def measure(known: Sequence[Known]) -> Measured:
    """Return figures of answers whose alert names were held back."""
    fold = _fold(known)
    after = []
    for number in range(FOLDS):
        learned = [one for one in known if fold[one.name] != number]
        slope, shift = _fit(learned)
        after += [
            Sure(spread(one.raw, slope, shift), one.is_right)
            for one in known
            if fold[one.name] == number
        ]
    before = [Sure(one.raw, one.is_right) for one in known]
    return Measured(
        ece_before=round(calibration_error(before) or 0.0, 4),
        ece_after=round(calibration_error(after) or 0.0, 4),
        reliability=tuple(
            Bin(
                row.low,
                row.high,
                row.n,
                round(row.confidence, 4),
                round(row.right, 4),
            )
            for row in reliability(after)
        ),
        coverage=tuple(
            Reached(row.least, row.covered.k, row.right.k)
            for row in coverage(after, LEASTS)
        ),
    )


def _fold(known: Iterable[Known]) -> dict[str, int]:
    """Return the fold of each alert name, all about equally large."""
    counts = Counter(one.name for one in known)
    sizes = [0] * FOLDS
    found = {}
    for name, count in sorted(counts.items(), key=lambda c: (-c[1], c[0])):
        found[name] = sizes.index(min(sizes))
        sizes[found[name]] += count
    return found


def _fit(known: Sequence[Known]) -> tuple[float, float]:
    """Return slope and shift.

    The targets are those of Platt, a little inside of 0 and 1: else answers
    that are all right, or neatly parted, would be believed without end.
    """
    right = sum(one.is_right for one in known)
    wrong = len(known) - right
    high, low = (right + 1) / (right + 2), 1 / (wrong + 2)
    targets = [high if one.is_right else low for one in known]
    return fit(np.array([one.raw for one in known]), np.array(targets))


def tell(made: Calibration) -> list[str]:
    """Return a calibration in lines for people."""
    seen = made.measured
    fitted = f"slope {made.slope:g}, shift {made.shift:g}"
    ece = f"ECE {seen.ece_before:.3f} -> {seen.ece_after:.3f}"
    lines = [
        f"{made.brain} {made.model}: {fitted}, version {made.version}",
        f"{made.cases} cases of {made.names} alert names",
        f"{ece}, on alert names that were held back",
        "confidence    cases   mean  right",
    ]
    lines += [
        f"{row.low:.1f} to {row.high:.1f} {row.cases:>8}"
        f"  {row.confidence:.3f}  {row.right:.3f}"
        for row in seen.reliability
    ]
    lines += ["at least  covered  right of these"]
    lines += [
        f"{row.least:>8.2f} {row.cases:>8}  {row.right}"
        for row in seen.coverage
    ]
    return lines
