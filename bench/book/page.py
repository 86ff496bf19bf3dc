"""The tables of the page: written by the book, out of a kept result."""

import re
from collections.abc import Iterable, Iterator, Mapping

from bench.book.comparing import Line
from bench.book.figure import Part
from bench.book.table import aimed, measured, ratio

HEAD = ("| figure | what | aim | measured | beside it | ratio |", "|---" * 6)
BLOCK = re.compile(
    r"(?P<begin><!-- figures: (?P<names>[a-z0-9 .*-]+) -->\n)"
    r"(?P<table>.*?)(?P<end><!-- end -->)",
    re.DOTALL,
)
NAMED = re.compile(r"`([a-z][a-z0-9-]*\.[a-z0-9][a-z0-9.+-]*)`")
FILES = (".md", ".py", ".sh", ".json", ".yaml", ".toml", ".txt", ".db")


def named(text: str, parts: Mapping[str, Part]) -> Iterator[str]:
    """Yield what a page calls a figure: its part's name, and a dot."""
    for name in NAMED.findall(text):
        is_file = name.endswith(FILES)
        if not is_file and name.partition(".")[0] in parts:
            yield name


def fill(text: str, lines: Mapping[str, Line]) -> str:
    """Return a page with its tables as some results say them."""

    def write(block: re.Match[str]) -> str:
        """Return one table; one without a figure stays as it is."""
        wanted = [
            line
            for pattern in block["names"].split()
            for name, line in lines.items()
            if _is_of(name, pattern)
        ]
        if not any(line.found for line in wanted):
            return block[0]
        rows = [*HEAD[:1], HEAD[1] + "|", *map(_row, wanted)]
        return block["begin"] + "\n".join(rows) + "\n" + block["end"]

    return BLOCK.sub(write, text)


def blocks(text: str) -> Iterator[str]:
    """Yield the names that the tables of a page ask for."""
    for block in BLOCK.finditer(text):
        yield from block["names"].split()


def asks_for(patterns: Iterable[str], name: str) -> bool:
    """Tell whether a table of a page shows a figure."""
    return any(_is_of(name, one) for one in patterns)


def _is_of(name: str, pattern: str) -> bool:
    """Tell whether a figure is meant: by its name, or how that begins."""
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern or name.startswith(f"{pattern}.")


def _row(line: Line) -> str:
    """Return one row of a table of the page."""
    figure, found = line.figure, line.found
    value = measured(figure, found.now) if found else f"not here: {line.why}"
    shares = ratio(found) if found else ""
    goal = aimed(figure)
    if line.is_met is False:
        goal += ", missed"
    if figure.by == "ratio" and line.is_met:
        shares = f"**{shares}**"
    elif line.is_met:
        value = f"**{value}**"
    side = measured(figure, found.reference) if found else ""
    if figure.reference and side:
        side = f"{figure.reference}: {side}"
    cells = (f"`{figure.id}`", figure.what, goal, value, side, shares)
    return "| " + " | ".join(cells) + " |"
