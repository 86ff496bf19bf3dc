"""A newcomer's run leaves out what is listed, and says so; CI nothing."""

import re
from pathlib import Path

import pytest

from tests import quick
from tests.programs import find
from tests.proofs import HOME

NAMED = re.compile(r"^ *(?:async )?(?:def|class) (\w+)", re.M)


class Touchy:
    """Is equal to nothing, and says so loudly."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        """Refuse to be compared."""
        raise TypeError(f"no {other} here")


BOTH = pytest.mark.parametrize(
    ("value", "database"),
    [
        (Touchy(), "sqlite"),
        pytest.param(Touchy(), "postgres", marks=pytest.mark.real),
    ],
)


def reasons_of(item: pytest.Item) -> list[str]:
    """Return why a test is left out now, and mark it no more."""
    quick.leave_out([item])
    marks = [one for one in item.own_markers if one.name == "skip"]
    item.own_markers[:] = [x for x in item.own_markers if x not in marks]
    return [str(one.kwargs["reason"]) for one in marks]


@pytest.fixture
def item(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> pytest.Item:
    """Return the running test, which is a real one; nothing is listed."""
    monkeypatch.delenv("REAL_SYSTEMS", raising=False)
    monkeypatch.setenv("TESTS", "quick")
    monkeypatch.setattr(quick, "LISTED", tmp_path / "slow.txt")
    quick.LISTED.write_text("# nothing\n")
    found = request.node
    assert isinstance(found, pytest.Item)
    return found


def test_what_is_listed_is_left_to_ci(
    item: pytest.Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the way to run it; all of it runs when that is asked for."""
    assert reasons_of(item) == []
    quick.LISTED.write_text(f"# some\n{quick.name_of(item)}\n")
    assert reasons_of(item) == [quick.LONG]
    monkeypatch.setenv("TESTS", "all")
    assert reasons_of(item) == []
    monkeypatch.setenv("TESTS", "quick")
    monkeypatch.setenv("REAL_SYSTEMS", "required")
    assert reasons_of(item) == []


@BOTH
def test_what_runs_on_sqlite_is_not_run_again(
    item: pytest.Item, value: Touchy, database: str
) -> None:
    """Where there is no PostgreSQL each test says itself what adds it."""
    assert value
    is_left = database == "postgres" and find("postgres") is not None
    assert reasons_of(item) == ([quick.AGAIN] if is_left else [])


@pytest.mark.parametrize("name", ["sshd", "postgres"])
def test_a_name_is_no_database(item: pytest.Item, name: str) -> None:
    """A process that is called so is no server of ours."""
    assert name
    assert reasons_of(item) == []


def test_whoever_runs_pytest_gets_all_of_it(
    item: pytest.Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is marked as long is not meant by that."""
    monkeypatch.delenv("TESTS")
    quick.LISTED.write_text(f"{quick.name_of(item)}\n")
    assert reasons_of(item) == []
    item.add_marker(pytest.mark.long)
    assert reasons_of(item) == [quick.LONG]


def test_each_one_that_is_listed_is_there() -> None:
    """A test that was renamed is listed anew, or is quick enough now."""
    gone = []
    for one in quick.read_slow():
        # Of a class, that it is there: it may have its tests of another.
        path, name, *_ = one.split("::")
        file = HOME / path
        text = file.read_text() if file.exists() else ""
        if name not in NAMED.findall(text):
            gone.append(one)
    assert not gone, "python -m scripts.list_slow writes the list anew"
