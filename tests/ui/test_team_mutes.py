"""Muting by `u`: whoever is kept to teams mutes what is theirs."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.flow.deciding import firing
from tests.service import Service
from tests.ui.browser import Chromium, go
from tests.ui.conftest import Opener
from tests.ui.test_people import add, sign_in

BOARD = "/console/incidents"
SOON_MS = 30_000
# The label that names a team, by the settings of the service.
LABELS = ("team", "squad of ours")
ALL = "nobody"


@pytest.fixture(scope="module", params=LABELS)
def label(request: pytest.FixtureRequest) -> str:
    """Return which label names a team."""
    return str(request.param)


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium, label: str
) -> Iterator[Service]:
    """Return a service that calls teams so."""
    del browser  # without one nothing is started
    settings = {
        "access": {"open": "always"},
        "incidents": {"team_label": label},
    }
    with Service(tmp_path_factory.mktemp("teams"), settings) as running:
        yield running


def fire(node: Service, host: str, label: str) -> str:
    """Let something be wrong with a host of a team; return its incident."""
    alert = firing(host)
    alert["labels"][label] = 'the "shop"'
    body = {"version": "4", "alerts": [alert]}
    answer = httpx.post(f"{node.url}/webhooks/alertmanager", json=body)
    assert answer.status_code == 202, answer.text
    return host


def open_board(node: Service, watched: Opener, who: str) -> Page:
    """Open the board as a responder of the team, or as one of no team."""
    page = watched(node.url).page()
    if who != ALL:
        made = add(node, who, role="responder", teams=['the "shop"'])
        sign_in(page, made)
    go(page, BOARD)
    return page


def conditions(node: Service, host: str) -> list[Any]:
    """Return what the mutes of a host say."""
    items = httpx.get(f"{node.url}/api/v1/mutes").json()["items"]
    return [one["matchers"] for one in items if host in one["matchers"]]


def of_team(label: str) -> str:
    """Return the condition that names the team."""
    name = label if label == "team" else f'"{label}"'
    return name + r'="the \"shop\""'


@pytest.mark.parametrize("who", ["bo", ALL])
def test_a_row_is_muted(
    node: Service, watched: Opener, label: str, who: str
) -> None:
    """Only who is kept to teams has to name one."""
    host = fire(node, f"row-{who}", label)
    page = open_board(node, watched, who)
    row = page.locator("li.incident").filter(has_text=host)
    row.click(timeout=SOON_MS)
    page.keyboard.press("u")
    page.get_by_label("What is it about?").fill("new disk")
    page.keyboard.press("Enter")
    expect(row).to_contain_text("silenced", timeout=SOON_MS)
    mine = "" if who == ALL else f",{of_team(label)}"
    assert conditions(node, host) == [f'{{target="{host}"{mine}}}']


@pytest.mark.parametrize("who", ["cy", ALL])
def test_an_incident_is_muted(
    node: Service, watched: Opener, label: str, who: str
) -> None:
    """The dialog says which alerts that are."""
    host = fire(node, f"page-{who}", label)
    page = open_board(node, watched, who)
    row = page.locator("li.incident").filter(has_text=host)
    expect(row).to_be_visible(timeout=SOON_MS)
    number = str(row.get_attribute("id")).removeprefix("i-")
    go(page, f"{BOARD}/{number}")
    page.keyboard.press("u")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f'target="{host}"')
    dialog.get_by_label("Why?").fill("new disk")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("#now-title")).to_contain_text(
        "Suppressed", timeout=SOON_MS
    )
    (said,) = conditions(node, host)
    assert (of_team(label) in said) == (who != ALL)
