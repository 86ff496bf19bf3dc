"""The book as a table, for a terminal and for a page."""

from collections.abc import Iterable, Sequence

from bench.book.comparing import Line
from bench.book.figure import Figure, Found

HEADS = (
    "figure", "aim", "now", "reference", "ratio", "kept", "change", "",
)  # fmt: skip


def number(value: float | None) -> str:
    """Return a number with as many digits as mean something."""
    if value is None:
        return ""
    size = abs(value)
    for bound, digits in ((100, 0), (10, 1), (0.1, 2)):
        if size >= bound:
            return f"{value:,.{digits}f}"
    return f"{value:.3f}" if value else "0"


def measured(figure: Figure, value: float | None) -> str:
    """Return a value with its unit."""
    text = number(value)
    return f"{text} {figure.unit}".strip() if text else ""


def aimed(figure: Figure) -> str:
    """Return what is aimed at."""
    if not figure.aim:
        return ""
    unit = "x" if figure.by == "ratio" else figure.unit
    return f"{figure.aim} {unit}".strip()


def ratio(found: Found) -> str:
    """Return the ratio, and the range of it."""
    if found.ratio is None:
        return ""
    spread = ""
    if found.low is not None and found.high is not None:
        spread = f" ({number(found.low)}-{number(found.high)})"
    return f"{number(found.ratio)}{spread}"


def verdict(line: Line) -> str:
    """Return what is to be said of a figure."""
    if line.found is None:
        return line.why or "not measured"
    words = []
    if line.is_met is False:
        words.append("missed")
    if line.is_worse:
        words.append("WORSE")
    return ", ".join(words)


def cells(line: Line) -> tuple[str, ...]:
    """Return one row of the table."""
    figure, found = line.figure, line.found
    old = line.kept.found if line.kept else None
    kept = ""
    if old is not None:
        value = old.compared(figure)
        is_ratio = figure.by == "ratio"
        kept = number(value) if is_ratio else measured(figure, value)
    return (
        figure.id,
        aimed(figure),
        measured(figure, found.now) if found else "",
        measured(figure, found.reference) if found else "",
        ratio(found) if found else "",
        kept,
        f"{line.change:+.0%}" if line.change is not None else "",
        verdict(line),
    )


def lay_out(lines: Iterable[Line]) -> str:
    """Return the table for a terminal."""
    rows = [HEADS, *map(cells, lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_row(row, widths) for row in rows)


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    """Return one row, its columns below each other."""
    padded = (
        text.ljust(width) for text, width in zip(row, widths, strict=True)
    )
    return "  ".join(padded).rstrip()
