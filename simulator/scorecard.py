"""The scorecard: a score as figures, as JSON, and as a table for people."""

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.results import BAD, GOOD, Outcome, Result, Score

# Rises when a field changes its meaning or goes.
VERSION = 1
COLUMNS = (
    "fault",
    "scenario",
    "detected",
    "first action",
    "right",
    "acted",
    "fixed",
    "outcome",
)


def as_json(score: Score) -> dict[str, Any]:
    """Return a score with its figures as plain values, for programs."""
    told = score.model_dump(mode="json")
    return {
        "version": VERSION,
        "read_at": told["read_at"],
        "summary": summarise(score.results, len(score.stray_actions)),
        "by_fault": {
            kind: summarise(
                [one for one in score.results if one.fault == kind]
            )
            for kind in sorted({one.fault for one in score.results})
        },
        "results": told["results"],
        "stray_actions": told["stray_actions"],
        "unsure_alerts": told["unsure_alerts"],
    }


def summarise(results: Sequence[Result], strays: int = 0) -> dict[str, Any]:
    """Return the figures of some faults.

    Of those where nothing was to be changed nothing can be fixed: shares
    of fixed faults are of ``to_fix``. Times are those of what came true.

    Args:
        results: how it went with each of them.
        strays: how many actions were for none of them, and wrong.
    """
    outcomes = [one.outcome for one in results]
    wrong = sum(len(one.wrong_actions) for one in results)
    return {
        "n": len(results),
        "to_fix": sum(not one.is_passive for one in results),
        "detected": sum(bool(one.alert) for one in results),
        "missed": sum(one.is_missed for one in results),
        "right_first_action": sum(one.is_right_first for one in results),
        "wrong_actions": wrong + strays,
        "fixed": sum(one.is_fixed for one in results if not one.is_passive),
        "false_fixed": sum(one.is_false_fixed for one in results),
        "escalated": sum(one.escalated_seconds is not None for one in results),
        "resolved": sum(one.resolved_seconds is not None for one in results),
        "outcomes": {
            str(word): outcomes.count(word)
            for word in Outcome
            if word in outcomes
        },
        "detection_seconds": spread(one.detected_seconds for one in results),
        "fixed_seconds": spread(one.fixed_seconds for one in results),
    }


def spread(values: Iterable[float | None]) -> dict[str, float | int | None]:
    """Return how many there are, their median, 90th percentile and most.

    The percentile is a value that was measured, never one between two.
    """
    found = sorted(value for value in values if value is not None)
    if not found:
        return {"n": 0, "median": None, "p90": None, "most": None}
    return {
        "n": len(found),
        "median": round(statistics.median(found), 3),
        "p90": found[math.ceil(0.9 * len(found)) - 1],
        "most": found[-1],
    }


def figures(score: Score) -> list[tuple[str, str, str]]:
    """Return what counts most: a name, a value, and how good it is.

    How good is ``good``, ``bad`` or empty: neither.
    """
    told = summarise(score.results, len(score.stray_actions))
    n, to_fix = told["n"], told["to_fix"]
    return [
        _share("detected", told["detected"], n - _unseen(score.results)),
        _share("right first action", told["right_first_action"], n),
        _share("fixed", told["fixed"], to_fix),
        _none("wrong actions", told["wrong_actions"]),
        _none('false "fixed"', told["false_fixed"]),
        ("escalated", str(told["escalated"]), ""),
        ("median to detected", _times(told["detection_seconds"]), ""),
        ("median to fixed", _times(told["fixed_seconds"]), ""),
    ]


def as_table(score: Score) -> RenderableType:
    """Return a score as people read it in a terminal (rich)."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in COLUMNS:
        table.add_column(column)
    for one in score.results:
        table.add_row(*_cells(one))
    parts: list[RenderableType] = [table, Text()]
    for name, value, mood in figures(score):
        line = Text(f"{name:<20}")
        line.append(value, style=_style(mood))
        parts.append(line)
    told = [
        *(
            f"wrong: {words} (fault {one.fault})"
            for one in score.results
            for words in one.wrong_actions
        ),
        *(f"wrong: {words} (for no fault)" for words in score.stray_actions),
        *(
            f"may be about several faults: {words}"
            for words in score.unsure_alerts
        ),
    ]
    parts += [Text(plain(line), style="yellow") for line in told]
    return Group(*parts)


def mood_of(outcome: Outcome) -> str:
    """Return how good an outcome is: good, bad or empty."""
    if outcome in GOOD:
        return "good"
    return "bad" if outcome in BAD else ""


def title_of(one: Result) -> str:
    """Return what a fault is called in a few words."""
    unit = one.unit.partition(" ")[0]
    if unit == one.fault:
        return plain(one.fault)
    return plain(f"{one.fault} {one.level:g} {unit}".rstrip())


def plain(text: str) -> str:
    """Return a text without anything that could steer a terminal or page."""
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def seconds(value: float | None) -> str:
    """Return a time as people read it."""
    if value is None:
        return "-"
    return f"{value:.1f} s" if value < 100 else f"{value:.0f} s"


def _cells(one: Result) -> list[Text]:
    """Return the cells of one fault."""
    is_right = one.is_right_first
    fixed = "false!" if one.is_false_fixed else seconds(one.fixed_seconds)
    return [
        Text(title_of(one)),
        Text(plain(one.scenario or "-")),
        Text(seconds(one.detected_seconds)),
        Text(plain(one.first_action.partition("(")[0] or "-")),
        Text(
            "yes" if is_right else "no",
            style=_style("" if is_right else "bad"),
        ),
        Text(seconds(one.acted_seconds)),
        Text(fixed),
        Text(
            one.outcome.replace("_", " "), style=_style(mood_of(one.outcome))
        ),
    ]


def _unseen(results: Iterable[Result]) -> int:
    """Return how many were not told of, and need not be."""
    return sum(not one.alert and not one.is_missed for one in results)


def _share(name: str, part: int, whole: int) -> tuple[str, str, str]:
    """Return a figure that is best when it is all."""
    if not whole:
        return name, "-", ""
    return name, f"{part} of {whole}", "good" if part == whole else "bad"


def _none(name: str, count: int) -> tuple[str, str, str]:
    """Return a figure that is best when it is none."""
    return name, str(count), "bad" if count else "good"


def _times(told: dict[str, Any]) -> str:
    """Return a spread in a few words."""
    if not told["n"]:
        return "-"
    return f"{seconds(told['median'])}, p90 {seconds(told['p90'])}"


def _style(mood: str) -> str:
    """Return how rich shows how good something is."""
    return {"good": "green", "bad": "red"}.get(mood, "")
