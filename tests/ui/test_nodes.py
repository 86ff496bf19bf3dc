"""Two nodes on one PostgreSQL behind a proxy that knows no stickiness."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.postgres import Postgres
from tests.service import Service
from tests.ui.browser import go
from tests.ui.conftest import Opener
from tests.ui.proxy import Proxy
from tests.ui.trouble import fire

SOON_MS = 30_000
# What the page hears of its stream from here on, word by word.
KEEP_STATES = """async () => {
  const root = document.querySelector('script[type=module]').src
    .replace(/js\\/.*$/, 'js/');
  const live = await import(`${root}lib/live.js`);
  document.body.dataset.heard = '';
  live.onState(({ state }) => {
    document.body.dataset.heard += `${state} `;
  });
}"""
LISTENERS = re.compile(r"^smokejumper_stream_listeners (\S+)$", re.M)


@pytest.fixture
def nodes(tmp_path: Path, postgres: Postgres) -> Iterator[list[Service]]:
    """Return two running nodes that share a database."""
    url = postgres.make_database("console_nodes")
    with ExitStack() as stack:
        running = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            node = Service(folder, {"database": {"url": url}})
            running.append(stack.enter_context(node))
        yield running
    postgres.drop_database("console_nodes")


def test_a_node_that_dies_takes_no_page_with_it(
    nodes: list[Service], watched: Opener
) -> None:
    """The page goes on with the other node, and misses nothing.

    The node that goes is the one that the page hears: each connection has
    a node of its own here, so what /status says may be of the other one.
    """
    with Proxy([node.port for node in nodes]) as proxy:
        page = watched(proxy.url).page("/console/incidents")
        live = page.locator("#live")
        expect(live).to_have_attribute("data-state", "live", timeout=SOON_MS)
        page.evaluate(KEEP_STATES)
        assert sorted(map(listeners, nodes)) == [0, 1]
        left, dead = sorted(nodes, key=listeners)
        dead.kill()
        fire(left, "web-07")
        expect(page.locator("body")).to_have_attribute(
            "data-heard", re.compile("late .*live $"), timeout=SOON_MS
        )
        assert listeners(left) == 1
        expect(page.get_by_text("web-07").first).to_be_visible(timeout=SOON_MS)
        expect(live).to_have_attribute("data-state", "live", timeout=SOON_MS)
        fire(left, "web-08")
        expect(page.get_by_text("web-08").first).to_be_visible(timeout=SOON_MS)
        go(page, "/console/catalogue")
        expect(page.locator("#node")).to_have_text(
            re.compile(f":{left.port}$")
        )


def test_what_one_node_takes_in_all_pages_show(
    nodes: list[Service], watched: Opener
) -> None:
    """Whichever node a page hears, it hears of everything."""
    pages = [watched(node.url).page("/console/incidents") for node in nodes]
    for number, node in enumerate(nodes):
        fire(node, f"db-0{number}")
    for page in pages:
        for number in range(len(nodes)):
            text = page.get_by_text(f"db-0{number}").first
            expect(text).to_be_visible(timeout=SOON_MS)


def listeners(node: Service) -> int:
    """Return how many streams a node has."""
    found = LISTENERS.search(httpx.get(f"{node.url}/metrics").text)
    assert found is not None
    return int(float(found[1]))
