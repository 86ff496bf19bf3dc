"""A browser for all tests of a process, a watched context for each."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.programs import need
from tests.ui.browser import CHROMIUM, Chromium, Watched, open_browser

Opener = Callable[..., Watched]


# No longer than these tests: what drives it keeps an event loop running in
# this thread, within which no later test could run one of its own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Chromium]:
    """Return a running Chromium."""
    if CHROMIUM is None:
        need("chromium", "chromium")
    with open_browser() as running:
        yield running


@pytest.fixture
def watched(browser: Chromium) -> Iterator[Opener]:
    """Return what opens contexts on a service; all are checked at the end."""
    contexts: list[Watched] = []

    def open_one(url: str, **options: Any) -> Watched:
        """Open a context on a service."""
        contexts.append(Watched(browser, url, **options))
        return contexts[-1]

    yield open_one
    for one in contexts:
        one.close()
    for one in contexts:
        one.check()
