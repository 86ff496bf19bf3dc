"""From where a screen follows the stream: from before what it shows."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Request, expect

from tests.service import Service
from tests.ui.conftest import Opener
from tests.ui.holding import Held

# What each screen asks for first, how often that is asked for (the head asks
# how things stand, too), and what may change meanwhile.
FIRST = {
    "mutes": ("status", 2, "mutes"),
    "policy": ("status", 2, "policy"),
    "catalogue": ("status", 2, "catalogue"),
    "me": ("status", 2, "me"),
    "people": ("status", 2, "people"),
    "brains": ("brains", 1, "reins"),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service."""
    with Service(tmp_path_factory.mktemp("beginnings")) as running:
        yield running


@pytest.mark.parametrize("screen", FIRST)
def test_nothing_is_lost_between_a_list_and_the_stream(
    service: Service, watched: Opener, screen: str
) -> None:
    """The last entry is known first: whatever comes then is heard of."""
    first, often, then = FIRST[screen]
    opened = watched(service.url)
    page = opened.page()

    def is_last(request: Request) -> bool:
        """Tell whether all that comes first has been asked for."""
        seen.append(request.url)
        return sum(f"/api/v1/{first}" in one for one in seen) == often

    seen: list[str] = []
    held = Held(page, f"**/api/v1/{first}*")
    with page.expect_request(is_last):
        page.goto(f"/console/{screen}", wait_until="commit")
    assert page.evaluate("1 + 1") == 2  # all that was asked for is noted
    asked = re.compile(f"/api/v1/{then}([/?]|$)")
    assert not [one for one in opened.asked if asked.search(one)]
    held.release()
    expect(page.locator("html")).to_have_attribute("data-ready", "true")
    assert [one for one in opened.asked if asked.search(one)]
