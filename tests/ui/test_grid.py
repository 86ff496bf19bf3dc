"""The windowed list: 100,000 rows cost what 200 do, and nothing jumps."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.service import Service
from tests.ui.conftest import Opener

ROWS = 100_000
# A few rows around what is in sight, never all of them.
MOST_NODES = 120
MAKE = """async (count) => {
  const root = document.querySelector('link[rel=stylesheet]').href
    .replace(/css\\/.*$/, '');
  const sheet = document.createElement('link');
  sheet.rel = 'stylesheet';
  sheet.href = root + 'css/grid.css';
  await new Promise((done) => { sheet.onload = done;
    document.head.append(sheet); });
  await import(root + 'js/el/grid.js');
  const grid = document.createElement('sj-grid');
  grid.id = 'g';
  document.querySelector('main').replaceChildren(grid);
  grid.setUp({ label: 'Numbers', canPick: true, keyOf: (row) => row.id,
    draw: (row) => [`row ${row.id}`],
    onOpen: (row) => { document.title = `opened ${row.id}`; } });
  window.rows = (from, many) => Array.from({ length: many },
    (_, index) => ({ id: from - index }));
  grid.update(window.rows(count, count));
  window.grid = grid;
}"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service; its pages only lend their place."""
    with Service(tmp_path_factory.mktemp("grid")) as running:
        yield running


@pytest.fixture
def page(shared: Service, watched: Opener) -> Page:
    """Return a page with a list of 100,000 rows in it."""
    page = watched(shared.url).page("/console/catalogue")
    page.evaluate(MAKE, ROWS)
    expect(page.get_by_text(f"row {ROWS}", exact=True)).to_be_visible()
    return page


def count(page: Page) -> int:
    """Return how many rows are elements."""
    return page.locator("#g .row").count()


def scroll(page: Page, top: int) -> None:
    """Scroll the list, and wait until it is painted."""
    page.evaluate(
        "(top) => new Promise((done) => { grid.view.scrollTop = top;"
        " requestAnimationFrame(() => requestAnimationFrame(done)); })",
        top,
    )


def test_only_what_is_in_sight_is_there(page: Page) -> None:
    """At the top, in the middle and at the end."""
    assert 0 < count(page) < MOST_NODES
    scroll(page, ROWS // 2 * 28)
    expect(page.get_by_text(f"row {ROWS // 2}", exact=True)).to_be_visible()
    assert 0 < count(page) < MOST_NODES
    scroll(page, ROWS * 28)
    expect(page.get_by_text("row 1", exact=True)).to_be_visible()


def test_keys_walk_and_open(page: Page) -> None:
    """J and k walk, Enter opens, x selects, End and Home jump."""
    for key in "jjjk":
        page.keyboard.press(key)
    chosen = page.locator("#g .row[aria-selected=true]")
    expect(chosen).to_have_text(f"row {ROWS - 1}")
    page.keyboard.press("Enter")
    expect(page).to_have_title(f"opened {ROWS - 1}")
    page.keyboard.press("x")
    expect(chosen).to_have_class("row picked")
    page.locator("#g .window").focus()
    page.keyboard.press("End")
    expect(chosen).to_have_text("row 1")
    page.keyboard.press("Home")
    expect(chosen).to_have_text(f"row {ROWS}")


def test_whoever_reads_by_ear_keeps_the_row(page: Page) -> None:
    """The row with the focus stays an element, wherever one scrolls."""
    page.keyboard.press("j")
    scroll(page, ROWS // 2 * 28)
    name = page.locator("#g .window").get_attribute("aria-activedescendant")
    row = page.locator(f"[id='{name}']")
    expect(row).to_have_text(f"row {ROWS}")
    expect(row).to_have_attribute("aria-setsize", str(ROWS))


def test_new_rows_wait_behind_a_bar(page: Page) -> None:
    """Nothing moves under whoever reads; a dot lets in what is new."""
    scroll(page, 2800)
    before = page.evaluate("grid.view.scrollTop")
    page.evaluate(f"grid.update(rows({ROWS} + 3, {ROWS} + 3))")
    bar = page.locator("#g .fresh")
    expect(bar).to_have_text("3 new - press .")
    assert page.evaluate("grid.view.scrollTop") == before
    expect(page.get_by_text(f"row {ROWS - 100}", exact=True)).to_be_visible()
    page.keyboard.press(".")
    expect(bar).to_be_hidden()
    expect(
        page.locator("#g .row").get_by_text(f"row {ROWS + 3}", exact=True)
    ).to_be_visible()


def test_at_the_top_new_rows_come_at_once(page: Page) -> None:
    """Whoever is at the top sees the newest."""
    page.evaluate(f"grid.update(rows({ROWS} + 1, {ROWS} + 1))")
    expect(page.get_by_text(f"row {ROWS + 1}", exact=True)).to_be_visible()
    expect(page.locator("#g .fresh")).to_be_hidden()


def test_live_rows_are_painted_once_a_frame(page: Page) -> None:
    """10,000 changes make no more paintings than there are frames."""
    painted = page.evaluate(
        """() => new Promise((done) => {
          let paintings = 0;
          const paint = grid.paint.bind(grid);
          grid.paint = () => { paintings += 1; paint(); };
          for (let n = 1; n <= 10000; n += 1) {
            grid.later();
          }
          requestAnimationFrame(() => requestAnimationFrame(
            () => done(paintings)));
        })"""
    )
    assert painted <= 2
