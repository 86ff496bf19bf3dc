"""Take pictures of the console while the demo runs.

Run: python -m scripts.picture_demo [--to docs/results]

The demo is the one that people start. When its second fault is acted upon the
list shows that, and the page of the first incident its whole story.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page

from tests.programs import free_port
from tests.ui.browser import Chromium, Watched, go, open_browser

HOME = Path(__file__).parent.parent
FAULTS = ("cpu", "disk")
TALL = {"width": 1280, "height": 1100}
# The frame comes when the simulator was looked at, each four seconds.
PATIENCE_MS = 15_000
SETTLED_MS = 1_500


def read_until(demo: subprocess.Popen[str], words: str) -> re.Match[str]:
    """Return what was looked for as soon as the demo says it."""
    said = []
    for line in demo.stdout or ():
        said.append(line)
        if found := re.search(words, line):
            return found
    raise SystemExit(f"The demo never said {words!r}:\n{''.join(said)}")


def watch(demo: subprocess.Popen[str], browser: Chromium, to: Path) -> None:
    """Look on at the console, and write what it shows."""
    list_of = read_until(demo, r"console +(http\S+)")[1]
    site, _, path = list_of.partition("/console")
    watched = Watched(browser, site, color_scheme="dark", viewport=TALL)
    page = watched.page(f"/console{path}")
    number = read_until(demo, r", incident (\d+)")[1]
    read_until(demo, "From fault to fixed")
    # By then the list says what was chosen, and what is done.
    read_until(demo, "  ruling ")
    # The frame says that a fault runs.
    page.wait_for_selector("html[data-fault=true]", timeout=PATIENCE_MS)
    picture(page, to / "demo-incidents.png")
    go(page, f"/console{path}/{number}")
    picture(page, to / "demo-incident.png")
    watched.close()
    watched.check()


def picture(page: Page, file: Path) -> None:
    """Write a picture of a page that is drawn and hears the stream."""
    page.wait_for_selector("#live[data-state=live]")
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=file)


def main(to: Path) -> None:
    """Run the demo, take its pictures, and end it."""
    to.mkdir(parents=True, exist_ok=True)
    port = {"SMOKEJUMPER_SERVER__PORT": str(free_port())}
    with (
        open_browser() as browser,
        subprocess.Popen(
            [sys.executable, "-m", "scripts.demo", *FAULTS],
            cwd=HOME,
            env={**os.environ, **port},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as demo,
    ):
        try:
            watch(demo, browser, to)
        finally:
            # It takes away all that it has begun.
            demo.terminate()
            demo.communicate(timeout=60)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=HOME / "docs" / "results")
    main(parser.parse_args().to)
