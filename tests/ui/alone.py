"""Our modules alone: an empty page that can import them, and no service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from app.console.assets import FOLDER, TEXTS
from tests.ui.browser import Chromium, close

ORIGIN = "http://127.0.0.1:9"


def give(route: Route) -> None:
    """Answer with a file of ours, or with an empty page."""
    path = route.request.url.removeprefix(f"{ORIGIN}/")
    file = Path(FOLDER) / path
    if not file.is_file():
        route.fulfill(body="<!doctype html>", content_type="text/html")
        return
    route.fulfill(body=file.read_text(), content_type=TEXTS[file.suffix])


@pytest.fixture(scope="module")
def page(browser: Chromium) -> Iterator[Page]:
    """Return an empty page that can import our modules; no service."""
    context = browser.new_context()
    context.route("**/*", give)
    opened = context.new_page()
    opened.goto(f"{ORIGIN}/")
    yield opened
    close(context)


@pytest.fixture
def fresh(page: Page) -> Iterator[Page]:
    """Return such a page on which nothing was imported yet."""
    opened = page.context.new_page()
    opened.goto(f"{ORIGIN}/")
    opened.evaluate("() => { document.body.id = 'says'; }")
    yield opened
    opened.close()


def run(page: Page, module: str, body: str, given: Any = None) -> Any:
    """Return what a function of a module makes of something."""
    script = (
        f"async (given) => {{ const m = await import('/js/{module}.js');"
        f" {body} }}"
    )
    return page.evaluate(script, given)
