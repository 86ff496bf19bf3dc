"""Take a picture of every screen: dark, light, and on a phone.

Run: python -m scripts.picture_console [--to docs/console] [--minutes N]

A service of its own is filled with a night's work, with a simulator beside
it; nothing of this machine is in the pictures but its name. Charts need
values: alerts come in for some minutes before the metrics are taken.
"""

import argparse
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from playwright.sync_api import Page

from app.access.gate import COOKIE
from app.console.screens import SCREENS
from tests.flow.deciding import firing
from tests.ui.browser import PHONE, Chromium, Watched, go, open_browser
from tests.ui.night import NightService, fill_night
from tests.unit.simulator.running import Simulator

HOME = Path(__file__).parent.parent
LOOKS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark"},
    "light": {"color_scheme": "light"},
    "phone": {"color_scheme": "dark", "viewport": PHONE},
}
# Which incidents, by their names in tests/ui/plot.py.
STORIES = ("asked", "running", "fixed")
BOARD = "/console/incidents"
BETWEEN_SECONDS = 1.5
# Charts and the stream have drawn by then; nobody waits for more.
SETTLED_MS = 1_500
# A page that hears nothing says that it is stale after 15 seconds.
STALE_MS = 60_000
PASSWORD = "a long sentence of the night"
PEOPLE = (
    {"name": "ana", "role": "admin"},
    {"name": "bo", "role": "approver", "teams": ["shop", "orders"]},
    {"name": "kim", "role": "responder", "teams": ["data"]},
    {"name": "alertmanager", "nature": "service", "role": "responder"},
)
TOKENS = (
    {"who": "alertmanager", "label": "Alertmanager of prod-eu1",
     "sources": ["alertmanager"], "days": 90},
    {"who": "ana", "label": "board on the wall", "days": 365},
)  # fmt: skip


class Room:
    """The service that is pictured, and who may see it.

    Attributes:
        url: where it is.
        cookie: of who is signed in.
        link: that sets a first password, not used yet.
    """

    def __init__(self, service: NightService) -> None:
        """Let people in."""
        self.url = service.url
        self._client = httpx.Client(
            base_url=f"{service.url}/api/v1",
            headers={"x-smokejumper": "1"},
            timeout=60,
        )
        made = {
            str(one["name"]): self.ask("POST", "/people", one)
            for one in PEOPLE
        }
        for token in TOKENS:
            order: dict[str, Any] = dict(token)
            account = made[order.pop("who")]["account"]
            self.ask("POST", "/tokens", {**order, "account": account["id"]})
        self.link = str(made["kim"]["link"])
        self.cookie = self._sign_in(made["ana"]["link"])

    def _sign_in(self, link: str) -> str:
        """Use a link; return the cookie of the session."""
        body = {
            "token": link.split("token=")[1],
            "name": "",
            "password": PASSWORD,
        }
        agent = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"}
        answer = self._client.post("/setup", json=body, headers=agent)
        answer.raise_for_status()
        cookie = answer.cookies[COOKIE]
        # What else is asked for here is nobody's.
        self._client.cookies.clear()
        return cookie

    def ask(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Have something done."""
        answer = self._client.request(method, path, json=body)
        return answer.raise_for_status().json()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let nothing be started for as long as it is needed."""
        said = {"author": "ana", "reason": "The storage is being moved."}
        self.ask("PUT", "/halt", {**said, "halted": True})
        yield
        self.ask("PUT", "/halt", {**said, "halted": False})


def settle(page: Page) -> None:
    """Wait until a page hears the service, and has drawn all."""
    page.wait_for_selector("#live[data-state=live]")
    page.wait_for_timeout(SETTLED_MS)


def take(
    browser: Chromium, room: Room, pages: dict[str, str], to: Path
) -> None:
    """Write a picture of each page in each look."""
    for look, options in LOOKS.items():
        watched = Watched(browser, room.url, **options)
        page = watched.page()
        for name, path in (("login", "/console/login"), ("setup", room.link)):
            page.goto(path)
            page.screenshot(path=to / f"{name}-{look}.png")
        take_some(page, look, pages, to)
        watched.context.add_cookies(
            [{"name": COOKIE, "value": room.cookie, "url": room.url}]
        )
        take_some(page, look, {"me": "/console/me"}, to)
        watched.close()
        watched.check()


def take_late(
    browser: Chromium, url: str, pages: dict[str, str], to: Path
) -> None:
    """Write pictures of what comes after all others, in each look."""
    for look, options in LOOKS.items():
        watched = Watched(browser, url, **options)
        take_some(watched.page(), look, pages, to)
        watched.close()
        watched.check()


def take_some(page: Page, look: str, pages: dict[str, str], to: Path) -> None:
    """Write a picture of each page in one look."""
    for name, path in pages.items():
        go(page, path)
        settle(page)
        page.screenshot(path=to / f"{name}-{look}.png")


def take_stale(browser: Chromium, service: NightService, to: Path) -> None:
    """Write pictures of a board whose service is gone; it is, after this."""
    with ExitStack() as stack:
        pages: dict[str, Page] = {}
        for look, options in LOOKS.items():
            watched = Watched(browser, service.url, **options)
            stack.callback(watched.close)
            pages[look] = watched.page(BOARD)
            settle(pages[look])
        service.kill()
        for look, page in pages.items():
            stale = "html[data-live=stale]"
            page.wait_for_selector(stale, timeout=STALE_MS)
            page.screenshot(path=to / f"stale-{look}.png")


def fill_charts(service: NightService, minutes: float) -> None:
    """Let alerts come in waves for a while: problems, and what joins them."""
    ends = time.monotonic() + minutes * 60
    for step in count():
        if time.monotonic() > ends:
            return
        many = round(5 + 4 * math.sin(step / 8))
        service.deliver(
            [
                firing(
                    f"api-{step // 12:02}",
                    f"{step}-{one}",
                    alertname="SlowAnswers",
                    path=f"/{step}/{one}",
                )
                for one in range(many)
            ]
        )
        time.sleep(BETWEEN_SECONDS)


def picture(service: NightService, to: Path, minutes: float) -> None:
    """Fill a night, and take all pictures of it."""
    night = fill_night(service)
    room = Room(service)
    pages = {
        one.name: f"/console/{one.name}"
        for one in SCREENS
        if one.name != "metrics"
    }
    pages["all"] = f"{BOARD}?all=1"
    for name in STORIES:
        pages[f"incident-{name}"] = f"/console/incidents/{night[name]}"
    with open_browser() as browser:
        take(browser, room, pages, to)
        # It ends what runs: nothing else is pictured after it.
        with room.paused():
            take_late(browser, service.url, {"paused": BOARD}, to)
        take_stale(browser, service, to)
        service.start()
        fill_charts(service, minutes)
        metrics = {"metrics": "/console/metrics?range=15m"}
        take_late(browser, service.url, metrics, to)


def main(to: Path, minutes: float) -> None:
    """Start what is pictured, and end it."""
    to.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        beside = Path(folder) / "simulator"
        beside.mkdir()
        simulator = Simulator(beside, services=[])
        simulator.start()
        try:
            settings = {
                "simulator": {"url": simulator.url},
                # Some pictures are of who is signed in, the others of all.
                "access": {"open": "always"},
            }
            with NightService(Path(folder), **settings) as service:
                picture(service, to, minutes)
        finally:
            simulator.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=HOME / "docs" / "console")
    parser.add_argument("--minutes", type=float, default=3.0)
    given = parser.parse_args()
    main(given.to, given.minutes)
