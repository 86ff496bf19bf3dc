"""Runbooks are local, reviewed files; what is wrong in one is said."""

import os
from pathlib import Path

import pytest

from app.core.errors import ConfigError
from app.decide.runbooks import (
    Runbooks,
    RunbookSettings,
    open_runbooks,
)

GOOD = """---
matchers: ['alertname="DiskFull"', 'severity!="info"']
---
# Disk full
Ask the shop team.
"""
PARTS = """---
matchers: ['alertname="SwapFull"']
section: What to do
---
# About
Long story.
## What to do
Look first.
### Then
Call.
## Afterwards
Drink tea.
"""
DISK = {"alertname": "DiskFull", "severity": "critical"}


def test_the_runbook_that_fits_is_found(tmp_path: Path) -> None:
    """By all of its matchers, and no other."""
    (tmp_path / "disk.md").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("no runbook")
    books = Runbooks(tmp_path)
    assert books.find(DISK) == "disk: # Disk full Ask the shop team."
    assert books.find({**DISK, "severity": "info"}) == ""
    assert books.find({"alertname": "x"}) == ""
    assert Runbooks(None).find(DISK) == ""


def test_only_the_section_that_is_named(tmp_path: Path) -> None:
    """With what is below it, up to the next heading of its level."""
    (tmp_path / "swap.md").write_text(PARTS)
    found = Runbooks(tmp_path).find({"alertname": "SwapFull"})
    assert found == "swap: Look first. ### Then Call."


def test_a_change_is_read_again(tmp_path: Path) -> None:
    """Without a restart; what is broken then is left out, not fatal."""
    file = tmp_path / "disk.md"
    file.write_text(GOOD)
    books = Runbooks(tmp_path)
    assert "shop" in books.find(DISK)
    file.write_text(GOOD.replace("shop", "mail"))
    os.utime(file, (1, 1))
    assert "mail" in books.find(DISK)
    file.write_text("no front matter")
    assert books.find(DISK) == ""


def test_a_long_text_is_cut_and_hidden_letters_go(tmp_path: Path) -> None:
    """A runbook is data as well."""
    (tmp_path / "disk.md").write_text(GOOD + "\u200bx" * 5_000)
    found = Runbooks(tmp_path).find(DISK)
    assert len(found) <= 2_010
    assert "\u200b" not in found


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    """Only what lies there was looked at."""
    folder = tmp_path / "books"
    folder.mkdir()
    (tmp_path / "disk.md").write_text(GOOD)
    (folder / "disk.md").symlink_to(tmp_path / "disk.md")
    assert Runbooks(folder).find(DISK) == ""


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("no front matter", "two lines of ---"),
        ("---\nmatchers: []\n---\nx", "matchers"),
        ("---\nmatchers: ['=']\n---\nx", "matchers"),
        ("---\nmatchers: ['a=b']\nurl: x\n---\nx", "url"),
        ("---\n: [\n---\nx", "YAML"),
        ("---\nmatchers: ['a=b']\nsection: Nowhere\n---\nx", "no text under"),
        ("---\nmatchers: ['a=b']\n---\n" + "x" * 70_000, "longer"),
    ],
)
def test_what_is_wrong_stops_the_start(
    tmp_path: Path, text: str, what: str
) -> None:
    """With the file and what to write."""
    (tmp_path / "bad.md").write_text(text)
    with pytest.raises(ConfigError, match=what) as caught:
        Runbooks(tmp_path)
    assert "bad.md" in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """As every wrong setting is."""
    with pytest.raises(ConfigError, match="nowhere"):
        open_runbooks(RunbookSettings(folder="nowhere"), tmp_path)
