"""Show the figures: a table for the terminal, JSON, Markdown."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.evals.figures import Rate
from scripts.evals.running import Round
from scripts.evals.scoring import Calibration, Score
from scripts.evals.truth import Wrong

FORM = 1
MOST_IDS = 20


def _share(found: Rate) -> str:
    """Return a rate in few characters."""
    if found.rate is None:
        return "-"
    return f"{100 * found.rate:.1f}"


def _parts(found: Rate) -> str:
    """Return a rate as its two numbers."""
    return f"{found.k}/{found.n}" if found.n else "-"


def _wide(found: Rate) -> str:
    """Return a rate with its interval."""
    return "-" if found.rate is None else str(found)


def _error(found: Calibration | None) -> str:
    """Return an expected calibration error."""
    return "-" if found is None or found.ece is None else f"{found.ece:.3f}"


def _number(value: float | None) -> str:
    """Return a number of milliseconds."""
    return "-" if value is None else f"{value:.1f}"


# Of the terminal: what stands above a column, and how it is made.
COLUMNS: tuple[tuple[str, Callable[[Score], str]], ...] = (
    ("labelled rows", lambda s: str(s.rows)),
    ("function, strict %", lambda s: _share(s.function_strict)),
    ("exact, strict %", lambda s: _share(s.exact_strict)),
    ("exact, accepted %", lambda s: _share(s.exact_accepted)),
    ("unsafe", lambda s: f"{s.unsafe.k}"),
    ("unsafe, not asked", lambda s: f"{s.unsafe_not_asked.k}"),
    ("asked %", lambda s: _share(s.asked)),
    ("over-escalation %", lambda s: _share(s.over_escalation)),
    ("ECE, strict", lambda s: _error(s.strict)),
    ("ECE, accepted", lambda s: _error(s.accepted)),
    ("hostile, accepted", lambda s: _parts(s.hostile_accepted)),
    ("twins, harmless", lambda s: _parts(s.twins_harmless)),
    ("twins, run unasked", lambda s: _parts(s.twins_run)),
    ("twins, lost", lambda s: _parts(s.twins_lost)),
    ("off the menu", lambda s: str(s.ungrounded)),
    ("p50 ms", lambda s: _number(s.milliseconds.get("p50"))),
    ("p95 ms", lambda s: _number(s.milliseconds.get("p95"))),
    ("tokens", lambda s: str(s.tokens_in + s.tokens_out)),
    ("failed", lambda s: str(s.failed + s.missing)),
)
# Of the page: in words, with intervals.
LINES: tuple[tuple[str, Callable[[Score], str]], ...] = (
    ("function, strict", lambda s: _wide(s.function_strict)),
    ("function, accepted", lambda s: _wide(s.function_accepted)),
    ("exact call, strict", lambda s: _wide(s.exact_strict)),
    ("exact call, accepted", lambda s: _wide(s.exact_accepted)),
    ("unsafe, of all", lambda s: _wide(s.unsafe)),
    ("unsafe, not asked", lambda s: _wide(s.unsafe_not_asked)),
    (
        "unsafe: forbidden or wrong target",
        lambda s: _wide(s.unsafe_forbidden_or_target),
    ),
    ("unsafe, of acting calls", lambda s: _wide(s.unsafe_of_acting)),
    ("asked", lambda s: _wide(s.asked)),
    ("over-escalation of acting cases", lambda s: _wide(s.over_escalation)),
    ("hostile rows, accepted", lambda s: _wide(s.hostile_accepted)),
    ("hostile beside clean, harmless", lambda s: _wide(s.twins_harmless)),
    ("hostile beside clean, run unasked", lambda s: _wide(s.twins_run)),
    ("hostile beside clean, handed over", lambda s: _wide(s.twins_lost)),
    ("ECE, strict", lambda s: _error(s.strict)),
    ("ECE, accepted", lambda s: _error(s.accepted)),
    ("calls off the grounded menu", lambda s: str(s.ungrounded)),
    ("failed or missing", lambda s: str(s.failed + s.missing)),
    (
        "p50 / p95 / p99 ms",
        lambda s: "/".join(_number(v) for v in s.milliseconds.values()),
    ),
    ("tokens in / out", lambda s: f"{s.tokens_in} / {s.tokens_out}"),
)


def print_rounds(rounds: Sequence[Round], console: Console) -> None:
    """Print a table for each set: one row a figure, one column a brain."""
    for name in dict.fromkeys(one.set_name for one in rounds):
        some = [one for one in rounds if one.set_name == name]
        table = Table(box=None, header_style="bold", pad_edge=False)
        table.add_column(Text(name), no_wrap=True)
        for one in some:
            table.add_column(Text(one.brain), justify="right", no_wrap=True)
        for title, make in COLUMNS:
            cells = (make(one.scored.score) for one in some)
            table.add_row(title, *(Text(cell) for cell in cells))
        console.print(table)
        console.print()
    for one in rounds:
        for line in _complaints(one):
            console.print(Text(line))


def _complaints(one: Round) -> list[str]:
    """Return what must be looked at, row by row."""
    title = f"{one.set_name} / {one.brain}"
    lines = []
    if one.scored.score.unsafe_ids:
        ids = _some(one.scored.score.unsafe_ids)
        kinds = one.scored.score.kinds
        told = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
        lines.append(f"{title}: unsafe ({told}): {ids}")
    harm = [pair.id for pair in one.scored.pairs if not pair.is_harmless]
    if harm:
        lines.append(f"{title}: not as its clean twin: {_some(harm)}")
    failed = next((p.error for p in one.predictions if p.error), "")
    if failed:
        lines.append(f"{title}: failed, the first: {failed}")
    return lines


def _some(ids: Sequence[str]) -> str:
    """Return the first of many ids; results.json has them all."""
    rest = len(ids) - MOST_IDS
    more = f" and {rest} more" if rest > 0 else ""
    return " ".join(ids[:MOST_IDS]) + more


def to_json(rounds: Sequence[Round]) -> bytes:
    """Return all figures and judged rows as JSON."""
    found = {
        "form": FORM,
        "rounds": [
            {
                "set": one.set_name,
                "brain": one.brain,
                "stamp": one.stamp,
                "score": one.scored.score,
                "items": one.scored.items,
                "pairs": one.scored.pairs,
            }
            for one in rounds
        ],
    }
    return msgspec.json.format(msgspec.json.encode(found), indent=1)


def to_markdown(rounds: Sequence[Round]) -> str:
    """Return all figures as a page."""
    parts = ["# Evaluation", ""]
    for name in dict.fromkeys(one.set_name for one in rounds):
        some = [one for one in rounds if one.set_name == name]
        parts += [f"## {name}: {some[0].scored.score.rows} rows", ""]
        parts += [_row(["", *(one.brain for one in some)])]
        parts += [_row(["---"] * (len(some) + 1))]
        parts += [
            _row([title, *(make(one.scored.score) for one in some)])
            for title, make in LINES
        ]
        parts += [""]
        for one in some:
            parts += _calibration(one)
    return "\n".join(parts)


def _calibration(one: Round) -> list[str]:
    """Return the tables of reliability and of coverage."""
    found = one.scored.score.accepted
    if found is None:
        return []
    lines = [f"### {one.brain}: how far its confidence can be believed", ""]
    lines += [_row(["confidence", "rows", "mean", "accepted"])]
    lines += [_row(["---"] * 4)]
    lines += [
        _row(
            [
                f"{row.low:.1f} to {row.high:.1f}",
                str(row.n),
                f"{row.confidence:.3f}",
                f"{row.right:.3f}",
            ]
        )
        for row in found.reliability
    ]
    lines += ["", _row(["at least", "covered", "accepted of these"])]
    lines += [_row(["---"] * 3)]
    lines += [
        _row([f"{c.least:.2f}", _wide(c.covered), _wide(c.right)])
        for c in found.coverage
    ]
    return [*lines, ""]


def _row(cells: Sequence[str]) -> str:
    """Return one row of a Markdown table."""
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def write(rounds: Sequence[Round], out: Path) -> None:
    """Write results.json and results.md into a folder."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "results.json").write_bytes(to_json(rounds))
        (out / "results.md").write_text(to_markdown(rounds), encoding="utf-8")
    except OSError as error:
        raise Wrong(f"{out}: cannot be written: {error.strerror}") from error


def read_rounds(path: Path) -> list[dict[str, Any]]:
    """Return the rounds of a results.json, or of the folder it is in."""
    file = path / "results.json" if path.is_dir() else path
    try:
        found = msgspec.json.decode(file.read_bytes())
        rounds: list[dict[str, Any]] = found["rounds"]
    except OSError as error:
        raise Wrong(f"{file}: {error.strerror}") from error
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise Wrong(f"{file}: is no results.json of a run") from error
    return rounds
