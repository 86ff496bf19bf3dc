"""A page with charts on it, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.service import Service
from tests.ui.conftest import Opener

# 2026-11-22 03:00 to 03:15, in UTC and so in every zone's own minutes.
FROM = 1_795_316_400_000
TO = FROM + 900_000
STEP = 5_000
# A page on which nobody draws but the test.
PATH = "/version"
BEGIN = """async (root) => {
  const main = document.createElement("main");
  main.id = "main";
  document.body.replaceChildren(main);
  await Promise.all(["tokens", "base", "chart"].map((name) => {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = `${root}/css/${name}.css`;
    document.head.append(sheet);
    return new Promise((done) => { sheet.onload = done; });
  }));
  globalThis.root = root;
}"""
SHOW = """async ([shown, names]) => {
  globalThis.tool = await import(`${root}/js/el/chart.js`);
  globalThis.measure = await import(`${root}/js/el/chart/measure.js`);
  for (const name of names) {
    let chart = document.getElementById(name);
    if (!chart) {
      chart = document.createElement("sj-chart");
      chart.id = name;
      document.getElementById("main").append(chart);
    }
    chart.show(shown);
  }
}"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service, for its pages only."""
    with Service(tmp_path_factory.mktemp("chart")) as running:
        yield running


@pytest.fixture(scope="module")
def root(service: Service) -> str:
    """Return where the scripts are."""
    shell = httpx.get(f"{service.url}/console/metrics").text
    found = re.search(r"/static/[0-9a-f]+", shell)
    assert found is not None
    return found.group()


@pytest.fixture
def page(service: Service, root: str, watched: Opener) -> Page:
    """Return a page whose clock is UTC's, on the day of the values."""
    opened = watched(service.url, timezone_id="UTC").context.new_page()
    opened.clock.set_fixed_time(TO / 1000)
    opened.goto(PATH)
    opened.evaluate(BEGIN, root)
    return opened


def points(**peaks: float) -> list[dict[str, Any]]:
    """Return a value of 300 each five seconds; a gap from 60 to 75."""
    found = []
    for number in range(180):
        if 60 < number < 75:
            continue
        high = peaks.get(f"at{number}", 300.0)
        at = FROM + number * STEP
        found.append({"at": at, "low": 300.0, "mean": 300.0, "high": high})
    return found


def latency(**more: Any) -> dict[str, Any]:
    """Return a chart with a peak, a gap, marks and a threshold."""
    return {
        "title": "p95 latency",
        "unit": "ms",
        "series": [
            {"name": "p95", "unit": "ms", "points": points(at30=1_800)}
        ],
        "marks": [
            {"at": FROM + 400_000, "kind": "alert", "id": "a",
             "label": "LatencyHigh"},
            {"at": FROM + 600_000, "kind": "verify", "id": "v",
             "until": FROM + 800_000, "label": "3 min"},
        ],
        "threshold": {"value": 500, "label": "limit"},
        "from": FROM,
        "to": TO,
        **more,
    }  # fmt: skip


def show(page: Page, shown: dict[str, Any], *names: str) -> Locator:
    """Show something in charts of some names; return the first."""
    names = names or ("one",)
    page.evaluate(SHOW, [shown, list(names)])
    chart = page.locator(f"#{names[0]}")
    expect(chart).to_have_attribute("data-paints", "1")
    return chart
