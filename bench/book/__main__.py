"""Measure every figure, set it beside its reference and what it was.

    bench/run.sh                     the whole book
    bench/run.sh ingest log          some parts of it
    bench/run.sh --quick             a look at each, in a minute or two
    bench/run.sh --large             with what takes long
    bench/run.sh --compare           fail when something became worse
    bench/run.sh --page              write the tables of the pages

What was found is kept in bench/results, but for a quick look. Trust it only
where nothing else runs on the machine; each result says the load before.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from bench.book import keeping, page, running
from bench.book.comparing import Line, compare
from bench.book.figure import Part, read_parts
from bench.book.keeping import HOME, Kept, Result
from bench.book.size import Size
from bench.book.table import lay_out


def lines_of(
    parts: Sequence[Part], result: Result, kept: Mapping[str, Kept]
) -> Iterator[Line]:
    """Yield each figure of some parts with all that is known of it."""
    for part in parts:
        outcome = result.parts[part.name]
        found = {one.id: one for one in outcome.found}
        for figure in part.figures:
            is_asked = result.size is Size.LARGE or not figure.large
            # A quick look leaves out what takes long.
            is_left_out = result.size.is_quick and not outcome.why
            if figure.id in found or (is_asked and not is_left_out):
                yield compare(
                    figure,
                    found.get(figure.id),
                    outcome.pace,
                    kept.get(figure.id),
                    outcome.why,
                )


def measure(
    parts: Sequence[Part], size: Size, keep: Callable[[Result], None]
) -> Result:
    """Run some parts, one after the other, and tell how it goes.

    What was found is kept after each: a long run that is ended early has
    not been for nothing.
    """
    result = Result(
        at=keeping.now(), commit=keeping.commit(), size=size, parts={}
    )
    for part in parts:
        say(f"{part.name}: {part.about}")
        outcome = running.run(part, size, say)
        say(f"  {outcome.seconds:.0f} s")
        outcomes = {**result.parts, part.name: outcome}
        result = msgspec.structs.replace(result, parts=outcomes)
        keep(result)
    return result


def keep_in(file: Path | None, result: Result) -> None:
    """Keep a result: in a file, or among the others unless it is a look."""
    if file is not None:
        keeping.write(result, file)
    elif not result.size.is_quick:
        keeping.save(result)


def say(line: str) -> None:
    """Tell how it goes, beside the table."""
    print(line, file=sys.stderr, flush=True)


def choose(names: Sequence[str]) -> list[Part]:
    """Return the parts that somebody names, or all."""
    book = read_parts()
    for name in names:
        if name not in book:
            raise SystemExit(f"no part {name}; there are {', '.join(book)}")
    return [book[name] for name in names or book]


def conclude(lines: Sequence[Line], *, compares: bool) -> int:
    """Say what it comes to, and return the exit status."""
    missed = sum(line.is_met is False for line in lines)
    met = sum(line.is_met is True for line in lines)
    worse = [line.figure.id for line in lines if line.is_worse]
    print(f"\n{met} aims met, {missed} missed; {len(worse)} became worse")
    failed = [
        line.figure.id for line in lines if line.why.startswith("failed")
    ]
    if failed:
        print(f"failed: {' '.join(failed)}")
    if worse and compares:
        print(f"worse: {' '.join(worse)}")
    return 1 if failed or (worse and compares) else 0


def write_pages() -> int:
    """Write the tables of the pages, as they were found last."""
    book = read_parts()
    # What only a large run finds comes from one; all else from the usual.
    large = {
        figure.id
        for part in book.values()
        for figure in part.figures
        if figure.large
    }
    found = keeping.last_kept(keeping.earlier(Size.LARGE))
    kept = {name: one for name, one in found.items() if name in large}
    kept |= keeping.last_kept(keeping.earlier(Size.USUAL))
    lines = {
        figure.id: compare(
            figure, kept[figure.id].found if figure.id in kept else None,
            0.0, None, "not measured",
        )
        for part in book.values()
        for figure in part.figures
    }  # fmt: skip
    for name in sorted({part.page for part in book.values()}):
        file = HOME / name
        file.write_text(page.fill(file.read_text(), lines))
        print(f"wrote {name}")
    return 0


def read_arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """Return what is asked for."""
    parser = argparse.ArgumentParser(
        prog="bench/run.sh",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", help="which; none: all")
    sizes = parser.add_mutually_exclusive_group()
    for one in (Size.QUICK, Size.LARGE):
        sizes.add_argument(
            f"--{one}", dest="size", action="store_const", const=one
        )
    parser.set_defaults(size=Size.USUAL)
    parser.add_argument("--compare", action="store_true")
    parser.add_argument(
        "--against", type=Path, help="compare with this result only"
    )
    parser.add_argument("--keep", type=Path, help="write it here instead")
    parser.add_argument("--list", action="store_true", help="what there is")
    parser.add_argument("--page", action="store_true")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Do what is asked for and return the exit status."""
    asked = read_arguments(words)
    if asked.page:
        return write_pages()
    parts = choose(asked.parts)
    if asked.list:
        for part in parts:
            print(f"{part.name:12}{part.minutes:5.1f} min  {part.about}")
        return 0
    before = keeping.earlier(asked.size)
    if asked.against:
        before = [(asked.against.stem, keeping.load(asked.against))]
    result = measure(parts, asked.size, partial(keep_in, asked.keep))
    lines = list(lines_of(parts, result, keeping.last_kept(before)))
    print(next(iter(result.parts.values())).machine)
    print(lay_out(lines))
    return conclude(lines, compares=asked.compare)


if __name__ == "__main__":
    raise SystemExit(main())
