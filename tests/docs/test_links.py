"""Links within the documents: files, headings and pictures."""

import re
import unicodedata
from pathlib import Path

import pytest

from tests.docs.blocks import ALL_FENCES, HOME, pages, read

LINK = re.compile(r"!?\[(?:[^\]]|\n)*?\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
FAR = re.compile(r"^[a-z]+:")
MARKS = re.compile(r"[^\w\- ]")


def anchors(text: str) -> set[str]:
    """Return what the headings of a document are called in a link."""
    found: set[str] = set()
    for heading in HEADING.findall(ALL_FENCES.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        plain = unicodedata.normalize("NFC", plain).strip().lower()
        name = MARKS.sub("", plain).replace(" ", "-")
        taken = sum(one == name or one.startswith(f"{name}-") for one in found)
        found.add(f"{name}-{taken}" if name in found else name)
    return found


def anchors_of(path: Path) -> set[str]:
    """Return what the headings of a file are called in a link."""
    return anchors(path.read_text(encoding="utf-8"))


def broken(page: str) -> list[str]:
    """Return the links of a document that lead nowhere."""
    wrong = []
    for target in LINK.findall(ALL_FENCES.sub("", read(page))):
        if FAR.match(target):
            continue
        name, _, anchor = target.partition("#")
        path = (HOME / page).parent / name if name else HOME / page
        if not path.exists() or (
            anchor and anchor not in anchors(path.read_text())
        ):
            wrong.append(target)
    return wrong


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page: str) -> None:
    """To a file that is there, and to a heading that it has."""
    assert broken(page) == []


def test_what_leads_nowhere_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing file, a missing heading, a missing picture."""
    links = "[a](b.md) [a](#there) [a](#not) ![a](c.png) [a](x.md#there)"
    (tmp_path / "x.md").write_text(f"# There\n\n{links}\n")
    monkeypatch.setattr("tests.docs.blocks.HOME", tmp_path)
    monkeypatch.setattr("tests.docs.test_links.HOME", tmp_path)
    assert broken("x.md") == ["b.md", "#not", "c.png"]
