"""The proofs: what docs/reliability.md and docs/security.md rest on.

Each row of their tables names the tests that prove it. Whether these exist
is looked at by a test; whether they ran, at the end of each whole run.
"""

import ast
import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec
import pytest

HOME = Path(__file__).parent.parent
# Of each page: which rows it must have.
PAGES = {
    "reliability.md": (
        *(f"I{number}" for number in range(1, 10)),
        *(f"F{number}" for number in range(1, 30)),
    ),
    "security.md": tuple(f"T{number}" for number in range(1, 23)),
}
ROW = re.compile(r"^\|\s*\**([IFT]\d+)\**\s*\|")
QUOTED = re.compile(r"`([^`\n]+)`")
# What is in brackets is a variant; all variants of a test are meant.
NAMED = re.compile(r"(tests/[\w./-]+\.py(?:::\w+){1,2})(?:\[.*\])?")
UNPROVEN = re.compile(r"\bnot proven\b:?\s+\w+", re.IGNORECASE)
# What leaves out some of the tests, so that a proof may well be missing.
NARROWING = (
    *("keyword", "markexpr", "deselect", "ignore", "ignore_glob"),
    *("lf", "stepwise", "collectonly"),
)
TESTS = ast.FunctionDef | ast.AsyncFunctionDef
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
# What is marked as xfail, and did fail: the page must say so.
KNOWN = "does not hold, as is known"
MISSING = "it did not run"


class Row(msgspec.Struct, frozen=True):
    """One row of a table.

    Attributes:
        name: of the invariant, fault or threat.
        page: the file that it stands in.
        text: all that the row says.
        proofs: the tests that it names, without their variants.
    """

    name: str
    page: str
    text: str
    proofs: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Tell whether it says, with a reason, that nothing proves it."""
        return UNPROVEN.search(self.text) is not None


def named_in(text: str) -> tuple[str, ...]:
    """Return the tests that a text names, each once."""
    quoted = (NAMED.fullmatch(one) for one in QUOTED.findall(text))
    return tuple(dict.fromkeys(one[1] for one in quoted if one))


def misspelt_in(text: str) -> list[str]:
    """Return what a text names like a test and is the name of none."""
    return [
        one
        for one in QUOTED.findall(text)
        if "::" in one and "test" in one and not NAMED.fullmatch(one)
    ]


def rows_in(text: str, page: str = "") -> list[Row]:
    """Return the rows of the tables of a page."""
    found = []
    for line in text.splitlines():
        match = ROW.match(line)
        if match:
            found.append(Row(match[1], page, line, named_in(line)))
    return found


def read_pages(home: Path) -> dict[str, str]:
    """Return the pages that there are, by name."""
    files = (home / "docs" / name for name in PAGES)
    return {
        file.name: file.read_text(encoding="utf-8")
        for file in files
        if file.is_file()
    }


def named_below(home: Path) -> tuple[str, ...]:
    """Return every test that a page names, each once."""
    return named_in("\n".join(read_pages(home).values()))


@cache
def tests_of(file: Path) -> frozenset[str]:
    """Return the names of the tests of a file: function, or Class::method."""
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(_tests_of(tree.body))


def _tests_of(body: Sequence[ast.stmt], within: str = "") -> Iterator[str]:
    """Yield the names of the tests in a body."""
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _tests_of(node.body, f"{node.name}::")
        elif isinstance(node, TESTS) and node.name.startswith("test_"):
            yield f"{within}{node.name}"


def exists(proof: str, home: Path = HOME) -> bool:
    """Tell whether there is a test of this name."""
    file, _, name = proof.partition("::")
    return name in tests_of(home / file)


class Witness:
    """A part of pytest that remembers what became of each test.

    Under xdist it stands where the reports of all workers come together.
    """

    def __init__(self, config: pytest.Config) -> None:
        """Take what pytest was told."""
        self._config = config
        self._seen: dict[str, dict[str, str]] = {}
        self._lines: list[str] = []

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what became of a test; the worst of its parts counts."""
        name = NAMED.fullmatch(report.nodeid)
        if name is None:
            return
        variants = self._seen.setdefault(name[1], {})
        before = variants.get(report.nodeid, "")
        if report.failed:
            variants[report.nodeid] = f"{FAILED}: {report.when}"
        elif hasattr(report, "wasxfail") and report.skipped:
            variants[report.nodeid] = KNOWN
        elif report.skipped:
            variants[report.nodeid] = f"{SKIPPED}: {_reason(report)}"
        elif report.when == "call" and not before:
            variants[report.nodeid] = PASSED

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Reckon; a proof that is missing where all must run is a failure."""
        if not self.is_whole() or _is_worker(self._config):
            return
        named = named_below(self._config.rootpath)
        wrong = {one: self.why_not(one) for one in named}
        wrong = {one: why for one, why in wrong.items() if why}
        passed = len(named) - len(wrong)
        self._lines = [f"proofs: {len(named)} named, {passed} ran and passed"]
        self._lines += [f"  {one}: {why}" for one, why in wrong.items()]
        self._lines += [
            f"  {name}: {end}"
            for proof in named
            for name, end in self._seen.get(proof, {}).items()
            if _is_excused(end) and proof not in wrong
        ]
        if wrong and os.environ.get("REAL_SYSTEMS") == "required":
            self._lines.append("All of them must run here, and pass.")
            if session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Say it."""
        for line in self._lines:
            terminalreporter.write_line(line)

    def is_whole(self) -> bool:
        """Tell whether pytest was told to run all there is."""
        config, all_of_it = self._config, pytest.Config.ArgsSource.TESTPATHS
        is_narrow = any(config.getoption(one, None) for one in NARROWING)
        return config.args_source is all_of_it and not is_narrow

    def why_not(self, proof: str) -> str:
        """Return why a test proves nothing in this run, or nothing."""
        ends = self._seen.get(proof, {})
        wrong = [end for end in ends.values() if end != PASSED]
        if not ends:
            return MISSING
        if PASSED in ends.values():
            # What a variant has no use for is no hole: where a program is
            # wanting, tests/programs.py fails instead of skipping.
            wrong = [end for end in wrong if not _is_excused(end)]
        if not wrong:
            return ""
        share = f" ({len(wrong)} of {len(ends)})" if len(ends) > 1 else ""
        return min(wrong) + share


def _is_excused(end: str) -> bool:
    """Tell whether the other variants of a test can stand for this one."""
    return end == KNOWN or end.startswith(SKIPPED)


def _is_worker(config: pytest.Config) -> bool:
    """Tell whether another process has the whole picture."""
    return hasattr(config, "workerinput")


def _reason(report: pytest.TestReport) -> str:
    """Return why a test was skipped."""
    told = report.longrepr
    text = told[-1] if isinstance(told, tuple | list) else told
    return " ".join(str(text).removeprefix("Skipped: ").split())
