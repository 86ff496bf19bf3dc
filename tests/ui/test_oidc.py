"""Signing in with a provider on another site, in a real browser.

Only a browser shows that the session's strict cookie is sent after the way
back, and that nothing of it is held up by the page's own rules.
"""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.real.oidc import configure, run_provider
from tests.service import Service
from tests.ui.browser import PATIENCE_MS, Chromium, close

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return a provider; to a browser, localhost is another site than us."""
    folder = tmp_path_factory.mktemp("provider")
    with run_provider(folder, "localhost") as url:
        yield url


@pytest.fixture(scope="module")
def service(
    issuer: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Return a service where nobody comes in without an account."""
    made = Service(
        tmp_path_factory.mktemp("oidc"),
        environ={"SMOKEJUMPER_ACCESS__OPEN": "never"},
    )
    configure(made, issuer)
    with made:
        yield made


@pytest.fixture
def page(browser: Chromium, service: Service) -> Iterator[Page]:
    """Return a page of a new browser."""
    context = browser.new_context(base_url=service.url)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    close(context)


def know(issuer: str, sub: str, **claims: object) -> None:
    """Let the provider know somebody."""
    httpx.put(f"{issuer}/users/{sub}", json=claims)


def press(page: Page, sub: str) -> None:
    """Press the button, and sign in at the provider."""
    page.get_by_role("link", name="Company login").click()
    page.get_by_placeholder("sub").fill(sub)
    page.get_by_role("button", name="Authorize").click()


def test_somebody_lands_where_they_wanted_to_go(
    page: Page, service: Service, issuer: str
) -> None:
    """Signed in, with a cookie that no script and no other site gets."""
    know(
        issuer,
        "u-ana",
        preferred_username="ana",
        groups=["oncall"],
        teams=["*"],
    )
    page.goto("/console/log?kind=halt.changed")
    press(page, "u-ana")
    page.wait_for_url(f"{service.url}/console/log?kind=halt.changed")
    expect(page).not_to_have_title("Sign in - Smokejumper")
    me = page.evaluate("() => fetch('/api/v1/me').then((a) => a.json())")
    assert (me["name"], me["role"]) == ("ana", "approver")
    (cookie,) = page.context.cookies(service.url)
    assert cookie["name"] == "smokejumper_session"
    assert cookie["sameSite"] == "Strict"
    assert cookie["httpOnly"]
    assert not page.evaluate("() => document.cookie")


def test_who_may_not_come_in_sees_why(
    page: Page, service: Service, issuer: str
) -> None:
    """On the sign-in page, where another way in is beside it."""
    know(issuer, "u-eve", preferred_username="eve", groups=["staff"])
    page.goto("/console/incidents")
    press(page, "u-eve")
    expect(page.get_by_role("alert")).to_contain_text("groups")
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.context.cookies(service.url) == []
