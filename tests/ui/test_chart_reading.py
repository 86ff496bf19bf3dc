"""The chart is read: by pointing, by keys, as a table, by its marks."""

from playwright.sync_api import Page, expect

from tests.ui.charting import (
    latency,
    page,
    points,
    root,
    service,
    show,
)

__all__ = ["page", "root", "service"]


def test_one_cursor_for_all_charts(page: Page) -> None:
    """What is pointed at in one is read in the others."""
    chart = show(page, latency(marks=[]), "one", "two")
    box = chart.locator(".plot").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    for name in ("one", "two"):
        expect(page.locator(f"#{name} .cursor")).to_be_visible()
        expect(page.locator(f"#{name} .when")).to_contain_text("03:07")
    page.mouse.move(box["x"] + 10, box["y"] + box["height"] + 300)
    expect(page.locator("#two .cursor")).to_be_hidden()
    expect(page.locator("#two .when")).to_have_text("now")


def test_arrow_keys_read_values(page: Page) -> None:
    """One by one, aloud; over a gap to the next value that there is."""
    chart = show(page, latency(marks=[]), "one", "two")
    spoken = chart.get_by_role("status")
    expect(spoken).to_have_text("")
    page.keyboard.press("Tab")
    chart.locator(".plot").focus()
    page.keyboard.press("ArrowLeft")
    expect(spoken).to_contain_text("03:14:55")
    expect(spoken).to_contain_text("300 ms")
    page.keyboard.press("Home")
    expect(spoken).to_contain_text("03:00:00")
    for _ in range(61):
        page.keyboard.press("ArrowRight")
    expect(spoken).to_contain_text("03:06:15")
    for _ in range(31):
        page.keyboard.press("ArrowLeft")
    expect(spoken).to_contain_text("03:02:30")
    expect(spoken).to_contain_text("300 ms to 1,800 ms")
    # Only the one that is read speaks.
    expect(page.locator("#two").get_by_role("status")).to_have_text("")
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    expect(spoken).to_contain_text("03:14:55")


def test_a_table_has_the_same_values(page: Page) -> None:
    """A real one, with a head, for who cannot see lines."""
    chart = show(page, latency())
    chart.get_by_role("button", name="Table").click()
    expect(chart.locator(".plot")).to_be_hidden()
    table = chart.get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_text(["time", "p95"])
    expect(table).to_contain_text("(300 ms to 1,800 ms)")
    assert 50 < table.locator("tbody tr").count() <= 120
    button = chart.get_by_role("button", name="Table")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(chart.locator(".plot")).to_be_visible()


def test_a_table_reaches_as_far_as_the_picture(page: Page) -> None:
    """Series that were measured at other moments stand in the same rows."""
    late = [{**one, "at": one["at"] + 1_000} for one in points()]
    series = [
        {"name": "p95", "points": points()},
        {"name": "p50", "points": late},
    ]
    chart = show(page, latency(series=series))
    chart.get_by_role("button", name="Table").click()
    lines = chart.locator("tbody tr")
    assert 50 < lines.count() <= 120
    expect(lines.last.locator("th")).to_have_text("03:00:00")
    expect(lines.last.locator("td")).to_have_text(["300 ms", "300 ms"])


def test_marks_have_words_and_point_both_ways(page: Page) -> None:
    """A list of them beside the picture; the page hears which is meant."""
    chart = show(page, latency())
    marks = chart.locator(".marks li")
    expect(marks).to_have_count(2)
    expect(marks.nth(0)).to_contain_text("▲ 03:06:40 alert: LatencyHigh")
    expect(marks.nth(1)).to_contain_text("03:10:00 verifying: 3 min")
    page.evaluate(
        """() => { globalThis.meant = [];
        addEventListener("mark", ({ detail }) => meant.push(detail.id)); }"""
    )
    marks.nth(0).get_by_role("button").focus()
    expect(marks.nth(0)).to_have_class("lit")
    expect(chart.locator(".when")).to_contain_text("03:06:40")
    marks.nth(1).get_by_role("button").focus()
    assert page.evaluate("meant") == ["a", None, "v"]
    page.evaluate("document.getElementById('one').highlight('a')")
    expect(marks.nth(0)).to_have_class("lit")
