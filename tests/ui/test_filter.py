"""The filter of the incidents as it is read: the module alone."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.ui.alone import page, run

__all__ = ["page"]
MODULE = "screens/incidents/filter"
ROW = {
    "id": 7,
    "title": 'the disk of "Web-01" is full',
    "target_name": "Web-01",
    "call": "",
    "team": "Payments EU",
    "source": "alertmanager",
    "severity": "critical",
    "state": "open",
    "problem": "DiskFull",
    "owner": "",
}


def ask(page: Page, body: str, given: Any) -> Any:
    """Return what the module makes of something."""
    return run(page, MODULE, f"return {body};", given)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('team:"Payments EU"', True),
        ('TEAM:"payments eu" sev:crit', True),
        ('"disk of"', True),
        ('"of disk"', False),
        ("team:Payments", False),
        ("team:pay*", True),
        ('disk "full', False),
        ('disk "web', True),
        ('""', True),
        ('team:""', True),
        ("host:WEB-01", True),
    ],
)
def test_what_stands_in_quotation_marks_is_one(
    page: Page, text: str, fits: bool
) -> None:
    """A team may have a name of two words; words may be a phrase."""
    found = ask(page, "m.matcher(given[0])(given[1])", [text, ROW])
    assert found is fits


@pytest.mark.parametrize("team", ["Payments EU", "shop", "a  b", "Größe & Co"])
def test_a_button_puts_in_what_it_takes_out(page: Page, team: str) -> None:
    """And finds what it counts."""
    one = ask(page, "m.toggled('sev:crit', 'team', given)", team)
    row = {**ROW, "team": team}
    assert ask(page, "m.matcher(given[0])(given[1])", [one, row])
    assert ask(page, "m.has(given[0], 'team', given[1])", [one, team])
    assert ask(page, "m.toQuery(given).query.team", one) == [team]
    gone = ask(page, "m.toggled(given[0], 'team', given[1])", [one, team])
    assert gone == "sev:crit"


def test_the_list_of_all_is_asked_for_names_as_they_are(page: Page) -> None:
    """It compares letter by letter; severities have one way to be written."""
    text = "host:Web-01 team:Storage SEV:Crit Disk"
    assert ask(page, "m.toQuery(given)", text) == {
        "query": {
            "text": "disk",
            "target_name": ["Web-01"],
            "team": ["Storage"],
            "severity": ["critical"],
        },
        "left": [],
    }
