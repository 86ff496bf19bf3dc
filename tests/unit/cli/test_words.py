"""What people say, given as a command."""

import getpass

import pytest

from app.core.numbers import LAST_ID
from app.fold.words import LONGEST_AUTHOR, LONGEST_TEXT
from tests.unit.cli.conftest import Shell


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (("note", "1", ""), "text"),
        (("note", "1", " \n "), "text"),
        (("note", "1", "x" * (LONGEST_TEXT + 1)), "text"),
        (("note", "1", "a\x1b[31m"), "text"),
        (("note", "1", "a\x07"), "text"),
        (("note", "1", "hi", "--author", " "), "author"),
        (("note", "1", "hi", "--author", "a\nb"), "author"),
        (
            ("note", "1", "hi", "--author", "x" * (LONGEST_AUTHOR + 1)),
            "author",
        ),
        (("correct", "1", "hi", "--about", "a\tb"), "about"),
        (("correct", "1", "hi", "--right", "x" * 201), "correct"),
        (("take", "1", "--owner", "a\nb"), "owner"),
        (("split", "1", "0"), "episodes.0"),
        (("split", "1", "1", str(LAST_ID + 1)), "episodes.1"),
        (("merge", "1", "0"), "into"),
        (("merge", "1", str(LAST_ID + 1)), "into"),
    ],
)
def test_what_the_api_refuses_is_refused_here(
    shared: Shell, given: tuple[str, ...], field: str
) -> None:
    """Exit 1 with the field, and nothing is said."""
    before = len(shared.ask("log"))
    done = shared.run(*given)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{field}: ")
    assert len(shared.ask("log")) == before


@pytest.mark.parametrize(
    "given",
    [
        ("note", "0", "hi"),
        ("note", "-1", "hi"),
        ("note", str(LAST_ID + 1), "hi"),
        ("note", "one", "hi"),
        ("split", "1"),
        ("split", "1", "x"),
        ("merge", "1"),
    ],
)
def test_what_is_no_number_is_exit_2(
    shared: Shell, given: tuple[str, ...]
) -> None:
    """As every command that was written wrongly."""
    assert shared.run(*given).exit_code == 2


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (("note", "99", "hi"), "99"),
        (("note", str(LAST_ID), "hi"), str(LAST_ID)),
        (("unack", "1"), "Nobody has acknowledged incident 1"),
        (("release", "1"), "has no owner already"),
        (("merge", "1", "1"), "1"),
        (("merge", "1", "99"), "99"),
        (("split", "1", "1"), "some must stay"),
        (("split", "1", "2"), "2"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    shared: Shell, given: tuple[str, ...], what: str
) -> None:
    """Exit 1 with what stands against it."""
    before = shared.ask("incident", "1")
    done = shared.run(*given)
    assert (done.exit_code, done.stdout) == (1, "")
    assert what in done.stderr
    assert shared.ask("incident", "1") == before


@pytest.mark.parametrize(
    ("options", "owner", "author"),
    [
        ((), "me", "me"),
        (("--author", "ana"), "ana", "ana"),
        (("--owner", "ben"), "ben", "me"),
        (("--owner", "ben", "--author", "ana"), "ben", "ana"),
    ],
)
def test_who_takes_it_is_the_owner(
    shell: Shell, options: tuple[str, ...], owner: str, author: str
) -> None:
    """Whoever is named, else who says so, else who is logged in."""
    word = shell.ask("take", "1", *options)
    assert (word["details"], word["author"]) == ({"owner": owner}, author)
    assert shell.ask("incident", "1")["owner"] == owner
    assert shell.run("release", "1").exit_code == 0
    assert shell.ask("incident", "1")["owner"] == ""


def test_a_text_is_no_markup(shell: Shell) -> None:
    """Brackets are shown as they were written, on one line."""
    done = shell.run("note", "1", "[red]x[/blue]\nmore")
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "[red]x[/blue]" in done.stdout


@pytest.mark.parametrize("error", [KeyError, OSError, ImportError])
def test_without_a_name_it_is_asked_for(
    shared: Shell, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """In a container nobody may be logged in."""

    def fail() -> str:
        """Know nobody."""
        raise error

    monkeypatch.setattr(getpass, "getuser", fail)
    done = shared.run("note", "1", "hi")
    assert done.exit_code == 1
    assert "--author" in done.stderr


def test_without_a_database_it_is_exit_3(bare: Shell) -> None:
    """No word is said, and no empty database is left behind."""
    assert bare.run("note", "1", "hi").exit_code == 3
