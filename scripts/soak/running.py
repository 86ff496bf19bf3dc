"""Runs the programs of a part, and reads what they wrote down."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

import msgspec

from scripts.soak.parts import Part, Run
from tests.chaos.tally import RESULTS, Tally

HOME = Path(__file__).parent.parent.parent
PYTEST = ("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider")
# How much of what a program said is shown when it failed.
SHOWN = 40
END_SECONDS = 60.0


class Line(msgspec.Struct, frozen=True):
    """One line of the table.

    Attributes:
        part: which part of the soak.
        what: what was done.
        amount: how often.
        lost: what was acknowledged and is gone.
        doubled: what is there, or was done, more than once.
        unexplained: all else that must not be.
        minutes: how long it took.
        missing: how much of what was asked for was not done.
    """

    part: str
    what: str
    amount: int
    lost: int
    doubled: int
    unexplained: int
    minutes: float
    missing: int = 0

    @property
    def is_fine(self) -> bool:
        """Tell whether all was done, and nothing found."""
        found = (self.lost, self.doubled, self.unexplained, self.missing)
        return not any(found)


class Soak:
    """Runs parts, and keeps what they say."""

    def __init__(self, folder: Path, scale: float) -> None:
        """Take where results are kept, and how much is asked for."""
        self._folder = folder
        self._scale = scale

    def play(self, part: Part) -> Iterator[Line]:
        """Run a part; yield its lines, each when it is known."""
        for number, run in enumerate(part.runs):
            files = self._folder / f"{part.name}-{number}"
            began = time.time()
            status = self._run(run, files)
            lines = list(self._read(part, run, files, began))
            if status and all(line.is_fine for line in lines):
                what = f"the program ended with status {status}"
                minutes = (time.time() - began) / 60
                lines.append(Line(part.name, what, 1, 0, 0, 1, minutes))
            yield from lines
            if status:
                show_end(files.with_suffix(".log"))

    def _run(self, run: Run, files: Path) -> int:
        """Run a program to its end; return its status."""
        amount = str(run.amount_at(self._scale))
        environ = {
            **os.environ,
            RESULTS: str(files.with_suffix(".jsonl")),
            "CHAOS_SCALE": amount,
            "TESTS": "all",
            "REAL_SYSTEMS": "required",
        }
        words = ["-m", *(one.format(amount=amount) for one in run.module)]
        if run.tests:
            report = f"--junitxml={files.with_suffix('.xml')}"
            words = [*PYTEST, "-m", "", report, *run.tests]
        with files.with_suffix(".log").open("wb") as said:
            program = subprocess.Popen(
                [sys.executable, *words],
                cwd=HOME,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            try:
                return program.wait()
            finally:
                end(program)

    def _read(
        self, part: Part, run: Run, files: Path, began: float
    ) -> Iterator[Line]:
        """Yield the lines of a program that has ended."""
        goals = run.goals_at(self._scale)
        before = began
        found: dict[str, Line] = {}
        for tally in read_tallies(files.with_suffix(".jsonl")):
            line = found.get(tally.what) or Line(
                part.name, tally.what, 0, 0, 0, 0, 0.0
            )
            minutes = (tally.at - before) / 60
            found[tally.what] = add(line, tally, minutes)
            before = tally.at
        for what in (*found, *(goals.keys() - found.keys())):
            line = found.get(what) or Line(part.name, what, 0, 0, 0, 0, 0.0)
            missing = max(0, goals.get(what, 0) - line.amount)
            yield msgspec.structs.replace(line, missing=missing)
        if run.counts:
            minutes = (time.time() - before) / 60
            yield count(part, run, files, minutes)


def end(program: subprocess.Popen[bytes]) -> None:
    """End a program as Ctrl-C does, so that it ends what it has started."""
    if program.poll() is not None:
        return
    program.send_signal(signal.SIGINT)
    try:
        program.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def read_tallies(file: Path) -> Sequence[Tally]:
    """Return what a program wrote down."""
    if not file.exists():
        return []
    lines = file.read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Tally) for line in lines]


def add(line: Line, tally: Tally, minutes: float) -> Line:
    """Return a line with what one more proof came to."""
    return msgspec.structs.replace(
        line,
        amount=line.amount + tally.amount,
        lost=line.lost + tally.lost,
        doubled=line.doubled + tally.doubled,
        unexplained=line.unexplained + tally.unexplained,
        minutes=line.minutes + minutes,
    )


def count(part: Part, run: Run, files: Path, minutes: float) -> Line:
    """Return what tests that keep no ledger came to.

    What is no test at all counts once; its status says how it went.
    """
    if not run.tests:
        return Line(part.name, run.counts, 1, 0, 0, 0, minutes)
    passed, failed = count_tests(files.with_suffix(".xml"))
    amount = passed + failed
    # Tests that were all skipped have proven nothing.
    missing = 0 if amount else 1
    return Line(part.name, run.counts, amount, 0, 0, failed, minutes, missing)


def count_tests(report: Path) -> tuple[int, int]:
    """Return how many tests passed, and how many did not."""
    if not report.exists():
        return 0, 0
    passed = failed = 0
    # The report was made by our own pytest a moment ago.
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
        elif "skipped" not in kinds:
            passed += 1
    return passed, failed


def show_end(log: Path) -> None:
    """Print the end of what a program said."""
    text = log.read_text(encoding="utf-8", errors="replace")
    print(f"\n--- the end of {log}:")
    print("\n".join(text.splitlines()[-SHOWN:]), flush=True)
