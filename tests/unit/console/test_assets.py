"""What browsers get of our scripts and styles."""

import re
from pathlib import Path

import pytest

from app.console.assets import COMMENTED, FOLDER, Assets, without_comments

FILES = sorted(
    one
    for one in FOLDER.rglob("*")
    if one.is_file() and one.suffix in COMMENTED
)
# A text over several lines, in which nothing is a comment.
TEXT = re.compile(r"`[^`]*`")
TEXT_LINE = re.compile(r"^\s*(?://|/\*)", re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("// Why.\nrun();", "\nrun();"),
        ("  // Why.\n  run(); // Now.", "\n  run(); // Now."),
        ("/** One. */\nrun();", "\nrun();"),
        ("/**\n * One.\n *\n * Two.\n */\nrun();", "\n\n\n\n\nrun();"),
        ("/* a */ run(); /* b\n*/", "/* a */ run(); /* b\n*/"),
        ("a = 1; /* b\nc */\nd();", "a = 1; /* b\nc */\nd();"),
        ("/* b\nc */ d();", "/* b\nc */ d();"),
        ("// a /* b\nrun();\n// */", "\nrun();\n"),
        ('go("http://x");\nb = 4 / 2;', 'go("http://x");\nb = 4 / 2;'),
        (".a {\n  /* Wide. */\n  top: 0; }", ".a {\n\n  top: 0; }"),
    ],
)
def test_only_lines_of_comment_are_left_out(text: str, left: str) -> None:
    """And no line gets another number."""
    assert without_comments(text) == left


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.name)
def test_nothing_else_of_our_files_is_left_out(file: Path) -> None:
    """No text over several lines looks like a comment, and none is open."""
    text = file.read_text(encoding="utf-8")
    lines = text.split("\n")
    left = without_comments(text).split("\n")
    assert len(left) == len(lines)
    gone = [a.strip() for a, b in zip(lines, left, strict=True) if a != b]
    assert all(
        one.startswith(("//", "/*", "*"))
        or one.endswith("*/")
        or file.suffix == ".css"
        for one in gone
    )
    for found in TEXT.findall("\n".join(left)):
        assert not TEXT_LINE.search(found), found
    assert left[-2].strip(), "the end of the file is gone"


def test_what_is_packed_is_smaller(tmp_path: Path) -> None:
    """And the address is another one whenever anything changes."""
    (tmp_path / "a.js").write_text("// Why.\n" + "run();\n" * 200)
    first = Assets(tmp_path)
    answer = first.answer(first.digest, "a.js", "gzip")
    assert len(answer.body) < 400
    whole = first.answer(first.digest, "a.js", "")
    assert bytes(whole.body).startswith(b"\nrun();")
    (tmp_path / "a.js").write_text("// Why not.\n" + "run();\n" * 200)
    assert Assets(tmp_path).digest != first.digest
