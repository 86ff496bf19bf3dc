"""The incident page, while more comes than what it fetches or shows."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Route, expect

from tests.flow.acting import ActingService
from tests.ui.browser import RENEW, Chromium, go
from tests.ui.conftest import Opener
from tests.ui.holding import Held

SOON_MS = 30_000
EARLIER = timedelta(seconds=30)


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, browser: Chromium
) -> Iterator[ActingService]:
    """Return a service whose jobs go on until they are ended."""
    del browser  # without one nothing is started
    folder = tmp_path_factory.mktemp("meanwhile")
    with ActingService(folder, "slow") as running:
        yield running


def path_of(incident: int) -> str:
    """Return the address of an incident's page."""
    return f"/console/incidents/{incident}"


def sooner(route: Route) -> None:
    """Answer with a log in which people were asked long ago."""
    told = route.fetch().json()
    for one in told["items"]:
        if one["kind"].startswith("approval."):
            at = datetime.fromisoformat(one["at"]) - EARLIER
            one["at"] = at.isoformat()
    route.fulfill(json=told)


def test_what_is_open_stays_while_another_step_grows(
    node: ActingService, watched: Opener
) -> None:
    """Whoever reads a prompt goes on reading it."""
    asked = node.ask_about("mw-01")
    page = watched(node.url).page()
    page.route("**/api/v1/log?incident=*", sooner)
    go(page, path_of(asked["incident"]))
    step = page.locator(".step", has_text="DECISION")
    step.locator("summary").first.click()
    step.get_by_text("what it could choose from").click()
    more = step.get_by_text("no label of the alert names it").first
    expect(more).to_be_visible()
    assert node.answer(asked["id"], "grant", comment="ok").is_success
    expect(page.locator(".timeline")).to_contain_text(
        "granted by ana: ok", timeout=SOON_MS
    )
    expect(more).to_be_visible()


def test_what_comes_while_all_is_fetched_again_stays(
    node: ActingService, watched: Opener
) -> None:
    """It came after the log was read, and before the rest was."""
    incident = node.ask_about("mw-02")["incident"]
    page = watched(node.url).page(path_of(incident))
    held = Held(page, "**/api/v1/missions?*")
    with page.expect_request("**/api/v1/missions?*"):
        page.evaluate(RENEW)
    body = {"author": "ana", "text": "it came meanwhile"}
    # It has come by the stream when it is asked again where it stands.
    with page.expect_request("**/api/v1/missions?*"):
        assert node.post(f"/incidents/{incident}/notes", body).is_success
    held.release()
    page.evaluate("async () => { await window.renewing; }")
    step = page.locator(".step", has_text="it came meanwhile")
    expect(step).to_be_visible()
