"""The chart: what it draws, what it says, and when it rests."""

from playwright.sync_api import Page, expect

from tests.ui.charting import (
    FROM,
    STEP,
    TO,
    latency,
    page,
    points,
    root,
    service,
    show,
)

__all__ = ["page", "root", "service"]


def columns_with(page: Page, name: str, top: float, bottom: float) -> int:
    """Return in how many columns the line's colour is between two heights.

    Heights are parts of the canvas from its top.
    """
    return int(
        page.evaluate(
            """([name, top, bottom]) => {
      const canvas = document.querySelector(`#${name} canvas`);
      const pen = canvas.getContext("2d");
      const { width, height } = canvas;
      const from = Math.round(height * top);
      const many = Math.max(1, Math.round(height * (bottom - top)));
      const { data } = pen.getImageData(0, from, width, many);
      let columns = 0;
      for (let x = Math.round(width * .12); x < width; x += 1) {
        for (let y = 0; y < many; y += 1) {
          const at = 4 * (y * width + x);
          // Blue well over red: the first series, also where it is faint.
          if (data[at + 3] > 40 && data[at + 2] > data[at] + 60) {
            columns += 1;
            break;
          }
        }
      }
      return columns / width * 1000;
    }""",
            [name, top, bottom],
        )
    )


def test_it_says_what_it_shows(page: Page) -> None:
    """Newest, lowest, highest and threshold are in its name."""
    chart = show(page, latency())
    name = chart.get_by_role("img").get_attribute("aria-label") or ""
    assert "p95 latency" in name
    assert "now 300 ms, lowest 300 ms, highest 1,800 ms" in name
    assert "threshold 500 ms" in name


def test_a_peak_stays_and_a_gap_stays(page: Page) -> None:
    """Both are seen in the picture itself."""
    show(page, latency(marks=[], threshold=None))
    # One of 180 values is high up, and it is seen there.
    assert 1 <= columns_with(page, "one", 0.15, 0.3) <= 12
    # The line at 300 is everywhere but in the gap of 75 seconds.
    whole = {**latency(marks=[], threshold=None)}
    whole["series"] = [
        {
            "name": "p95",
            "points": [
                {"at": FROM + n * STEP, "low": 300, "mean": 300,
                 "high": 1_800 if n == 30 else 300}
                for n in range(180)
            ],
        }
    ]  # fmt: skip
    with_gap = columns_with(page, "one", 0.6, 0.85)
    show(page, whole, "two")
    without = columns_with(page, "two", 0.6, 0.85)
    assert with_gap < without * 0.95


def test_columns_keep_the_lowest_and_the_highest(page: Page) -> None:
    """However few there are."""
    show(page, latency())
    for parts in (1, 7, 100, 1_000):
        found = page.evaluate(
            """([points, from, to, parts]) => {
      const some = measure.columns(measure.prepare(points), from, to, parts);
      return [some.length, Math.min(...some.map((one) => one.low)),
        Math.max(...some.map((one) => one.high))];
    }""",
            [points(at30=1_800, at31=2_000), FROM, TO, parts],
        )
        assert found[0] <= parts
        assert found[1:] == [300, 2_000]


def test_values_are_said_with_their_unit(page: Page) -> None:
    """Nothing that is small becomes a zero, and unknown is no zero."""
    show(page, latency())
    said = {
        (0, ""): "0",
        (0.0004, "s"): "0.40 ms",
        (1.5, "s"): "1.50 s",
        (1_536, "bytes"): "1.50 KiB",
        (3 * 2**30, "bytes"): "3 GiB",
        (2**20, "B/s"): "1 MiB/s",
        (0.003, "%"): "0.003 %",
        (0, "episodes"): "0 episodes",
        (1, "episodes"): "1 episode",
        (2, "episodes"): "2 episodes",
        (1, "pods not ready"): "1 pod not ready",
        (1, "listens"): "1 listens",
        (12_345.6, "ms"): "12,346 ms",
        (None, "ms"): "-",
    }
    found = page.evaluate(
        "(all) => all.map(([value, unit]) => measure.word(value, unit))",
        [list(one) for one in said],
    )
    assert found == list(said.values())


def test_ticks_are_round_and_reach_around(page: Page) -> None:
    """Also for bytes, which are round in their own way."""
    show(page, latency())
    for low, high, unit in ((0, 1_800, "ms"), (0, 0.7, "s"), (-3, 8, "")):
        ticks = page.evaluate(
            "([a, b, c]) => measure.ticks(a, b, c)", [low, high, unit]
        )
        assert ticks[0] <= low
        assert ticks[-1] >= high
        assert 3 <= len(ticks) <= 8
    sizes = page.evaluate("measure.ticks(0, 1.5 * 2 ** 30, 'bytes')")
    assert all(one % 2**29 == 0 for one in sizes)


def test_what_is_almost_nothing_hangs_no_page(page: Page) -> None:
    """A number with hardly any digit left has round values around it, too."""
    show(page, latency())
    for high in (5e-324, 4e-314, 1e-300, 1e300):
        ticks = page.evaluate("(high) => measure.ticks(0, high)", high)
        assert ticks[0] == 0
        assert ticks[-1] >= high
        assert len(ticks) <= 8


def test_no_values_are_told(page: Page) -> None:
    """An empty chart is no zero."""
    chart = show(page, latency(series=[{"name": "p95", "points": []}]))
    expect(chart).to_contain_text("No values in this span.")
    name = chart.get_by_role("img").get_attribute("aria-label") or ""
    assert "no values" in name


def test_hostile_words_are_words(page: Page) -> None:
    """Whatever a title, a series or a mark is called."""
    evil = "<img src=x onerror=alert(1)>\u202e"
    chart = show(
        page,
        latency(
            title=evil,
            series=[
                {"name": evil, "points": points()},
                {"name": "other", "points": points()},
            ],
            marks=[
                {"at": FROM, "kind": evil, "id": evil, "label": evil},
            ],
        ),
    )
    # What turns the order of letters around is shown by its number.
    shown = evil.replace("\u202e", r"\u202e")
    expect(chart.locator("figcaption")).to_have_text(shown)
    expect(chart.locator(".marks")).to_contain_text(shown)
    assert chart.locator("img[src]").count() == 0


def test_it_paints_at_most_four_times_a_second(page: Page) -> None:
    """However often it is told something new, and the last word is shown."""
    chart = show(page, latency())
    paints, seconds = page.evaluate(
        """async (shown) => {
      const chart = document.getElementById("one");
      const begun = performance.now();
      const before = chart.paints;
      for (let n = 0; n < 60; n += 1) {
        chart.show(shown);
        await new Promise((done) => setTimeout(done, 15));
      }
      return [chart.paints - before, (performance.now() - begun) / 1000];
    }""",
        latency(title="the last"),
    )
    assert 1 <= paints <= seconds * 4 + 1
    expect(chart.locator("figcaption")).to_have_text("the last")


def test_what_is_hidden_is_not_painted(page: Page) -> None:
    """It is painted when it comes into sight."""
    show(page, latency())
    page.evaluate(
        """async ([shown]) => {
      const space = document.createElement("div");
      space.style.height = "3000px";
      const chart = document.createElement("sj-chart");
      chart.id = "far";
      document.getElementById("main").append(space, chart);
      chart.show(shown);
      // The near one is painted anew meanwhile.
      const near = document.getElementById("one");
      const before = near.paints;
      while (near.paints === before) {
        near.show(shown);
        await new Promise((done) => setTimeout(done, 50));
      }
    }""",
        [latency()],
    )
    far = page.locator("#far")
    assert far.get_attribute("data-paints") is None
    far.scroll_into_view_if_needed()
    expect(far).to_have_attribute("data-paints", "1")


def test_light_dark_and_paper_are_painted_anew(page: Page) -> None:
    """In the colours of the page as it is then."""
    chart = show(page, latency())

    def lines() -> list[int]:
        """Return the colour of the threshold's dashes."""
        return list(
            page.evaluate(
                """() => {
          const canvas = document.querySelector("#one canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0,
            canvas.width, canvas.height);
          let most = [0, 0, 0];
          for (let at = 0; at < data.length; at += 4) {
            const red = data[at] - data[at + 1];
            if (data[at + 3] > 200 && red > most[0] - most[1]) {
              most = [data[at], data[at + 1], data[at + 2]];
            }
          }
          return most;
        }"""
            )
        )

    first = lines()
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    expect(chart).to_have_attribute("data-paints", "2")
    second = lines()
    assert first != second
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert lines() == [0, 0, 0]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert lines() == second


def test_it_follows_its_width(page: Page) -> None:
    """On a phone it is as wide as the phone, and as sharp as its screen."""
    chart = show(page, latency())
    page.set_viewport_size({"width": 390, "height": 844})
    expect(chart).not_to_have_attribute("data-paints", "1")
    width, inner, over = page.evaluate(
        """() => {
      const canvas = document.querySelector("#one canvas");
      return [canvas.width / devicePixelRatio, canvas.clientWidth,
        document.documentElement.scrollWidth - innerWidth];
    }"""
    )
    assert abs(width - inner) <= 1
    assert over <= 0


def test_a_chart_that_is_gone_leaves_nothing_behind(page: Page) -> None:
    """It hears of no cursor any more, and can come back."""
    chart = show(page, latency())
    page.evaluate(
        """(shown) => {
      const chart = document.getElementById("one");
      chart.remove();
      tool.pointAt(shown.from + 100000);
      dispatchEvent(new Event("beforeprint"));
      dispatchEvent(new Event("afterprint"));
      document.getElementById("main").append(chart);
      chart.show(shown);
    }""",
        latency(),
    )
    expect(chart).not_to_have_attribute("data-paints", "1")
    expect(chart.locator(".plot")).to_be_visible()
