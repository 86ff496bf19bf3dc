"""What a page says beforehand about its scripts, and what they import."""

import posixpath
import re
from collections.abc import Iterable

import pytest

from app.console.assets import FOLDER
from app.console.screens import (
    CHART,
    COMMON,
    INCIDENT,
    ME,
    SCREENS,
    Screen,
)

IMPORT = re.compile(r'^import\s(?:[^";]*\sfrom\s+)?"(\.[^"]+)\.js";', re.M)
LAZY = re.compile(r'import\("(\.[^"]+)\.js"\)')
BRING = "screens/incident/bring"


def imports(name: str, pattern: re.Pattern[str] = IMPORT) -> list[str]:
    """Return the modules that a module of ours imports."""
    text = (FOLDER / "js" / f"{name}.js").read_text(encoding="utf-8")
    place = posixpath.dirname(name)
    return [
        posixpath.normpath(posixpath.join(place, path))
        for path in pattern.findall(text)
    ]


def rounds(begun: Iterable[str]) -> dict[str, int]:
    """Return after how many round trips each module is asked for."""
    found: dict[str, int] = {}
    names, number = set(begun), 0
    while names:
        found |= dict.fromkeys(names, number)
        names = {one for name in names for one in imports(name)} - set(found)
        number += 1
    return found


@pytest.mark.parametrize(
    "screen", [*SCREENS, INCIDENT, ME], ids=lambda one: one.name
)
def test_no_script_is_found_out_about_late(screen: Screen) -> None:
    """Whatever is not named is imported by what is, and all is needed."""
    script = f"screens/{screen.name}"
    named = {script, *COMMON, *screen.modules}
    far = {one for one, number in rounds(named).items() if number > 1}
    assert not far
    assert named <= set(rounds([script]))


def test_a_part_that_comes_later_comes_at_once() -> None:
    """It is asked for with all that it imports and the page has not."""
    page = set(rounds([f"screens/{INCIDENT.name}"]))
    parts = imports(BRING, LAZY)
    assert sorted(parts) == sorted(set(rounds(parts)) - page)


def test_a_chart_has_its_parts() -> None:
    """The screen of charts names the same as who fetches one later."""
    assert set(CHART) == set(rounds(CHART[:1])) - set(COMMON)
