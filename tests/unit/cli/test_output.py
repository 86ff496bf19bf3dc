"""Tables are for people: a stranger's text is only text."""

import pytest

from app.cli.output import print_json, print_table


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (0, "0"),
        (False, "False"),
        ("[red]x[/blue]", "[red]x[/blue]"),
        ("\x1b[31mred", "\N{REPLACEMENT CHARACTER}[31mred"),
        ("a\nb", "a\N{REPLACEMENT CHARACTER}b"),
        ("a\u202eb", "a\N{REPLACEMENT CHARACTER}b"),
        ("a\x9b2Jb", "a\N{REPLACEMENT CHARACTER}2Jb"),
        ("a\ud800b", "a\N{REPLACEMENT CHARACTER}b"),
        (":fire: http://x", ":fire: http://x"),
        ("ümläut", "ümläut"),
    ],
)
def test_a_cell_steers_no_terminal(
    capsys: pytest.CaptureFixture[str], value: object, cell: str
) -> None:
    """No markup, no emoji code, no escape, no second line."""
    print_table([{"a": value, "hidden": "x"}], ["a"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.rstrip() for line in lines] == ["a", cell]


def test_without_rows_there_is_the_head(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An empty list is shown as one."""
    print_table([], ["id", "name"])
    assert capsys.readouterr().out.split() == ["id", "name"]


@pytest.mark.parametrize(
    "length",
    [79, 1_000, 1_001, 10_000],
)
def test_in_a_file_nothing_is_cut_or_wrapped(
    capsys: pytest.CaptureFixture[str], length: int
) -> None:
    """One row is one line, whatever its length: grep finds all of it."""
    print_table([{"a": "x" * length}], ["a"])
    _, line = capsys.readouterr().out.splitlines()
    assert line.count("x") == length


def test_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Also with a line end in a text."""
    print_json({"a": "x\ny\x1b"})
    assert capsys.readouterr().out == '{"a":"x\\ny\\u001b"}\n'
