"""A real browser, and a page that may not misbehave."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    Request,
    Response,
    Route,
    expect,
    sync_playwright,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 20_000
# A machine that is busy draws late: that is no flaw of what it draws.
expect.set_options(timeout=PATIENCE_MS)
CLOSING_SECONDS = 60.0
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
# A second frame begins when the first is painted; who is hidden has none.
PAINTED = """new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(done));
  setTimeout(done, 1000);
})"""
# As when the stream says that something was missed.
RENEW = """async () => {
  const root = document.querySelector('script[type=module]').src
    .replace(/js\\/.*$/, 'js/');
  const { renew } = await import(`${root}lib/shell.js`);
  window.renewing = renew();
}"""
# A refusal that a test asks for is written to the console by the browser.
TOLD = "Failed to load resource"


class Chromium:
    """A browser; one that had to be killed is started anew."""

    def __init__(self, playwright: Playwright) -> None:
        """Take what drives it."""
        self._playwright = playwright
        self._running: Browser | None = None

    def new_context(self, **options: Any) -> BrowserContext:
        """Open a context, in a browser that runs."""
        if self._running is not None:
            # That it was killed is heard of at the next call.
            try:
                return self._running.new_context(**options)
            except Error:
                if self._running.is_connected():
                    raise
        self._running = self._playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(FLAGS)
        )
        return self._running.new_context(**options)

    def close(self) -> None:
        """End it."""
        if self._running is not None:
            close(self._running)


@contextmanager
def open_browser() -> Iterator[Chromium]:
    """Start Chromium when it is asked for; end it."""
    with sync_playwright() as playwright:
        browser = Chromium(playwright)
        try:
            yield browser
        finally:
            browser.close()


def close(one: Browser | BrowserContext) -> None:
    """Close something; now and then Chromium never does, and is killed."""
    was_late = threading.Event()

    def end() -> None:
        """End it; whoever waits for it is told so."""
        was_late.set()
        kill_chromium()

    limit = threading.Timer(CLOSING_SECONDS, end)
    limit.start()
    try:
        one.close()
    except Error:
        if not was_late.is_set():
            raise
    finally:
        limit.cancel()


def kill_chromium() -> None:
    """End what this process has of it."""
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if one.name().startswith("chrom"):
                one.kill()


class Watched:
    """A context whose pages may not err, nor ask another host.

    Attributes:
        context: the browser's.
        wrong: what went wrong until now.
    """

    def __init__(self, browser: Chromium, url: str, **options: Any) -> None:
        self._host = urlsplit(url).netloc
        self.context: BrowserContext = browser.new_context(
            base_url=url, viewport=options.pop("viewport", WIDE), **options
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.context.route("**/*", self._route)
        self.context.on("request", self._note)
        self.context.on("response", self._look)
        self.context.on("weberror", lambda one: self._add(str(one.error)))
        self.context.on("console", self._hear)

    def page(self, path: str = "") -> Page:
        """Open a page, and wait until its screen is drawn."""
        page = self.context.new_page()
        if path:
            go(page, path)
        return page

    def check(self) -> None:
        """Fail when anything went wrong."""
        assert not self.wrong, "\n".join(self.wrong)

    def close(self) -> None:
        """Close its pages."""
        close(self.context)

    def _route(self, route: Route) -> None:
        """Let nothing out of this machine."""
        url = urlsplit(route.request.url)
        if url.scheme in ("data", "blob") or url.netloc == self._host:
            route.continue_()
            return
        self._add(f"asked another host: {route.request.url}")
        route.abort()

    def _note(self, request: Request) -> None:
        """Keep what was asked for."""
        self.asked.append(f"{request.method} {request.url}")

    def _look(self, response: Response) -> None:
        """Keep what the server failed at, and files that are not there."""
        is_lost = response.status == 404 and "/static/" in response.url
        if is_lost or (response.status >= 500 and response.status != 503):
            self._add(f"{response.status} {response.url}")

    def _hear(self, message: ConsoleMessage) -> None:
        """Keep what a page complained of."""
        if message.type == "error" and TOLD not in message.text:
            self._add(f"console: {message.text}")

    def _add(self, text: str) -> None:
        """Keep what went wrong."""
        self.wrong.append(text)


def go(page: Page, path: str) -> None:
    """Open an address and wait until its screen is drawn.

    Never for a quiet network: the stream does not end.
    """
    page.goto(path, wait_until="commit")
    page.wait_for_selector("html[data-ready='true']")
    # Until it has painted, Chromium drops the keys that nobody would press.
    with suppress(Error):
        page.evaluate(PAINTED)
