"""What the pages promise is proved by tests that are there, and that run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import proofs
from tests.proofs import HOME, PAGES, Row

CONFTEST = """\
from tests.proofs import Witness


def pytest_configure(config):
    config.pluginmanager.register(Witness(config), "witness")
"""
SOME = """\
import pytest


def test_it_holds():
    pass


@pytest.mark.parametrize("one", [1, 2])
def test_in_all_ways(one):
    pass


class TestMany:
    def test_one_of_them(self):
        pass
"""
LACKING = """\
import pytest


@pytest.mark.parametrize("one", [1, 2])
def test_in_no_way(one):
    pytest.skip("the program is not here")


@pytest.fixture
def ends_badly():
    yield
    raise ValueError


@pytest.mark.xfail
def test_fails_as_is_known():
    raise ValueError
"""
BUT_FOR_ONE = """\
import pytest


@pytest.mark.parametrize("one", [pytest.param(0, marks=pytest.mark.xfail), 1])
def test_but_for_one(one):
    assert one


@pytest.mark.parametrize("one", [0, 1])
def test_where_it_applies(one):
    if not one:
        pytest.skip("no such")
"""
GOOD_PAGE = """\
| # | proof |
|---|---|
| F1 | `tests/test_some.py::test_it_holds` |
| F2 | `tests/test_some.py::test_in_all_ways[2]` and
| F3 | `tests/test_some.py::TestMany::test_one_of_them` |
"""
LACKING_PAGE = """\
| F4 | `tests/test_lacking.py::test_in_no_way` |
| F5 | `tests/test_lacking.py::test_that_is_gone` |
| F6 | `tests/test_lacking.py::test_fails_as_is_known` |
"""
SKIPPED = "skipped: the program is not here"
WAYS = ((), ("-p", "xdist", "-n", "2", "--dist", "loadfile"))


def rows(page: str) -> dict[str, Row]:
    """Return the rows of a page, by name; no name may stand there twice."""
    text = proofs.read_pages(HOME)[page]
    found = proofs.rows_in(text, page)
    by_name = {one.name: one for one in found}
    assert len(by_name) == len(found), "a row stands there twice"
    return by_name


@pytest.mark.parametrize("page", PAGES)
def test_every_row_is_there_once(page: str) -> None:
    """No fault, invariant or threat was left out, none was made up."""
    assert sorted(rows(page)) == sorted(PAGES[page])


@pytest.mark.parametrize("page", PAGES)
def test_every_row_has_a_proof_or_says_why_not(page: str) -> None:
    """Nothing is promised on faith, unless the row says so."""
    lacking = [
        name
        for name, row in rows(page).items()
        if not row.proofs and not row.is_open
    ]
    assert lacking == []


@pytest.mark.parametrize("page", PAGES)
def test_every_proof_is_there(page: str) -> None:
    """A test that was renamed, or taken away, proves nothing any more."""
    text = proofs.read_pages(HOME)[page]
    assert proofs.misspelt_in(text) == []
    named = proofs.named_in(text)
    assert [one for one in named if not proofs.exists(one)] == []


def test_a_name_is_read_as_it_is_written() -> None:
    """Variants are cut off; what is no name of a test is told."""
    text = (
        "`tests/a/test_b.py::test_c[x y]`, `tests/a/test_b.py::test_c`,"
        " `tests/test_d.py::TestE::test_f`, `tests/test_d.py`, `a::b`,"
        " `tests/test_d::test_g`"
    )
    assert proofs.named_in(text) == (
        "tests/a/test_b.py::test_c",
        "tests/test_d.py::TestE::test_f",
    )
    assert proofs.misspelt_in(text) == ["tests/test_d::test_g"]


def test_a_row_without_a_proof_gives_a_reason() -> None:
    """To say "not proven" is none."""
    page = "| F1 | not proven |\n|F2| Not proven: it needs a disk. |\n| F | |"
    assert [row.is_open for row in proofs.rows_in(page)] == [False, True]


def test_only_tests_that_are_there_exist(tmp_path: Path) -> None:
    """A function, a method, and nothing of a name that is close."""
    write(tmp_path, SOME)
    file = "tests/test_some.py"
    for name in ("test_it_holds", "TestMany::test_one_of_them"):
        assert proofs.exists(f"{file}::{name}", tmp_path)
    for name in ("test_it", "test_one_of_them", "TestMany::test_it_holds"):
        assert not proofs.exists(f"{file}::{name}", tmp_path)
    assert not proofs.exists("tests/test_none.py::test_it_holds", tmp_path)


def write(home: Path, *parts: str, page: str = GOOD_PAGE) -> None:
    """Make a small project of some tests, and a page."""
    (home / "docs").mkdir()
    (home / "docs" / "reliability.md").write_text(page)
    (home / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")
    tests = home / "tests"
    tests.mkdir()
    (tests / "conftest.py").write_text(CONFTEST)
    for name, part in zip(("some", "lacking"), parts, strict=False):
        (tests / f"test_{name}.py").write_text(part)


def run(home: Path, *words: str, required: bool) -> tuple[int, list[str]]:
    """Return how a run of it ends, and what it says of the proofs."""
    # Other parts of pytest take their time, and play no part here.
    environ = {"PYTHONPATH": str(HOME), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if required:
        environ["REAL_SYSTEMS"] = "required"
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=home,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = ran.stdout.splitlines()
    starts = [n for n, line in enumerate(lines) if line.startswith("proofs:")]
    if not starts:
        return ran.returncode, []
    told = [one for one in lines[starts[0] :] if one[:2] in ("  ", "pr", "Al")]
    return ran.returncode, told


@pytest.mark.parametrize("words", WAYS, ids=["alone", "xdist"])
def test_a_whole_run_says_that_all_ran(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """One line, and no failure."""
    write(tmp_path, SOME)
    ended = run(tmp_path, *words, required=True)
    assert ended == (0, ["proofs: 3 named, 3 ran and passed"])


@pytest.mark.parametrize("words", WAYS, ids=["alone", "xdist"])
@pytest.mark.parametrize("required", [True, False])
def test_what_did_not_run_is_named(
    tmp_path: Path, words: tuple[str, ...], required: bool
) -> None:
    """With its reason; where all must run, it fails the run."""
    write(tmp_path, SOME, LACKING, page=GOOD_PAGE + LACKING_PAGE)
    status, told = run(tmp_path, *words, required=required)
    file = "  tests/test_lacking.py"
    assert told[:4] == [
        "proofs: 6 named, 3 ran and passed",
        f"{file}::test_in_no_way: {SKIPPED} (2 of 2)",
        f"{file}::test_that_is_gone: it did not run",
        f"{file}::test_fails_as_is_known: {proofs.KNOWN}",
    ]
    assert status == int(required)
    assert len(told) == 4 + required


def test_a_variant_that_is_known_to_fail_fails_no_run(tmp_path: Path) -> None:
    """The others prove something; which one does not hold is told."""
    page = (
        "| F1 | `tests/test_lacking.py::test_but_for_one` |\n"
        "| F2 | `tests/test_lacking.py::test_where_it_applies` |\n"
    )
    write(tmp_path, SOME, BUT_FOR_ONE, page=page)
    status, told = run(tmp_path, required=True)
    assert status == 0
    assert told == [
        "proofs: 2 named, 2 ran and passed",
        f"  tests/test_lacking.py::test_but_for_one[0]: {proofs.KNOWN}",
        "  tests/test_lacking.py::test_where_it_applies[0]: skipped: no such",
    ]


def test_what_fails_after_it_passed_has_failed(tmp_path: Path) -> None:
    """A test is whole only when it was tidied up as well."""
    fails = LACKING + "\n\ndef test_untidy(ends_badly):\n    pass\n"
    page = "| F1 | `tests/test_lacking.py::test_untidy` |\n"
    write(tmp_path, SOME, fails, page=page)
    status, told = run(tmp_path, required=False)
    assert status == 1
    assert told == [
        "proofs: 1 named, 0 ran and passed",
        "  tests/test_lacking.py::test_untidy: failed: teardown",
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("-k", "holds"),
        ("-m", "not real"),
        ("tests/test_some.py",),
        ("--deselect", "tests/test_some.py::test_it_holds"),
        ("--ignore", "tests/test_lacking.py"),
        ("--collect-only",),
    ],
    ids=lambda words: words[0].strip("-"),
)
def test_a_part_of_a_run_says_nothing(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Whoever runs a few tests is not told of all the others."""
    write(tmp_path, SOME)
    assert run(tmp_path, *words, required=True) == (0, [])
