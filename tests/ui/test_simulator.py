"""The simulator's switchboard, with a real simulator behind it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.service import Service
from tests.ui.browser import PHONE, go
from tests.ui.conftest import Opener
from tests.unit.simulator.running import Simulator

PATH = "/console/simulator"
SOON_MS = 60_000


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Return a running simulator without services."""
    made = Simulator(tmp_path_factory.mktemp("sim"), services=[])
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, simulator: Simulator
) -> Iterator[Service]:
    """Return a service that knows it."""
    folder = tmp_path_factory.mktemp("service")
    settings = {"simulator": {"url": simulator.url}}
    with Service(folder, settings) as running:
        yield running


@pytest.fixture(autouse=True)
def calm(simulator: Simulator) -> Iterator[None]:
    """Leave nothing on."""
    yield
    if simulator.process is not None and simulator.process.poll() is None:
        simulator.ask("DELETE", "/api/faults")


def row(page: Page, kind: str) -> str:
    """Return where the row of a kind is."""
    del page
    return f"tr[data-kind={kind}]"


def test_a_fault_is_started_and_stopped(
    service: Service, simulator: Simulator, watched: Opener
) -> None:
    """With a level and a time of one's own, and never by one click."""
    page = watched(service.url).page(PATH)
    fault = page.locator(row(page, "files"))
    expect(page.get_by_text("Nothing is on")).to_be_visible()
    fault.get_by_label("level of files").fill("33")
    fault.get_by_label("seconds of files").fill("50")
    fault.get_by_role("button", name="Start files").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("files: 33 open files for 50s")
    assert simulator.truths() == []
    dialog.get_by_role("button", name="Cancel").click()
    assert simulator.truths() == []
    fault.get_by_role("button", name="Start files").click()
    page.keyboard.press("Enter")
    expect(fault.locator(".state")).to_contain_text("● runs")
    expect(fault.locator(".state")).to_contain_text("ends in")
    expect(page.get_by_role("heading", name="1 on")).to_be_visible()
    assert simulator.truths()[-1]["level"] == 33
    # What was typed stays as it was.
    expect(fault.get_by_label("level of files")).to_have_value("33")
    fault.get_by_role("button", name="Stop files").click()
    expect(fault.locator(".state")).to_contain_text("○ off")
    expect(page.get_by_text("Nothing is on")).to_be_visible()
    runs = page.get_by_role("region", name="Runs")
    expect(runs.locator("tbody tr").first).to_contain_text(
        "person", timeout=SOON_MS
    )


def test_keys_alone_do_it(
    service: Service, simulator: Simulator, watched: Opener
) -> None:
    """Choose with j and k, start and stop with s, end all with x."""
    page = watched(service.url).page(PATH)
    kinds = [
        str(one["kind"])
        for one in simulator.ask("GET", "/api/state").json()["faults"]
    ]
    for _ in range(kinds.index("zombies") + 1):
        page.keyboard.press("j")
    expect(page.locator(row(page, "zombies"))).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("j")
    page.locator(row(page, "zombies")).get_by_label("level").fill("2")
    page.locator(row(page, "zombies")).focus()
    page.keyboard.press("s")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Enter")
    state = page.locator(row(page, "zombies")).locator(".state")
    expect(state).to_contain_text("runs")
    page.keyboard.press("0")
    expect(state).to_contain_text("off")
    assert simulator.truths()[-1]["ended_by"] == "person"


def test_every_page_says_so_while_a_fault_runs(
    service: Service, simulator: Simulator, watched: Opener
) -> None:
    """An amber frame and words; both go when it is over."""
    page = watched(service.url).page("/console/metrics")
    banner = page.locator("#fault")
    expect(banner).to_be_hidden()
    expect(page.locator("nav [data-screen=simulator]")).to_be_visible()
    order = {"level": 10, "seconds": 50}
    simulator.ask("POST", "/api/faults/files", json=order)
    simulator.ask("POST", "/api/faults/zombies", json={"level": 1})
    other = page.context.new_page()
    other.goto("/console/metrics", wait_until="commit")
    fault = other.locator("#fault")
    # Another began it: the service sees it within seconds, this page with it.
    assert other.evaluate(
        """async () => {
        for (let look = 0; look < 300; look += 1) {
            const answer = await fetch("/api/v1/status");
            if ((await answer.json()).faults === 2) { return true; }
            await new Promise((done) => setTimeout(done, 200)); }
        return false; }"""
    )
    other.reload(wait_until="commit")
    expect(fault).to_contain_text("SIMULATOR ON: files, zombies")
    expect(other.locator("html")).to_have_attribute("data-fault", "true")
    width = other.evaluate("getComputedStyle(document.body).borderTopWidth")
    assert width == "8px"
    simulator.ask("DELETE", "/api/faults")
    expect(fault).to_be_hidden(timeout=SOON_MS)
    expect(other.locator("html")).to_have_attribute("data-fault", "false")


def test_a_page_hears_of_a_change_made_on_another(
    service: Service, watched: Opener
) -> None:
    """Whoever looks at another page sees the frame within a moment."""
    context = watched(service.url)
    looking = context.page("/console/metrics")
    acting = context.page(PATH)
    fault = acting.locator(row(acting, "files"))
    fault.get_by_role("button", name="Start files").click()
    acting.keyboard.press("Enter")
    expect(looking.locator("#fault")).to_contain_text(
        "SIMULATOR ON: files", timeout=SOON_MS
    )
    acting.get_by_role("button", name="ALL OFF").click()
    expect(looking.locator("#fault")).to_be_hidden(timeout=SOON_MS)


def test_a_refusal_is_told_and_nothing_is_lost(
    service: Service, simulator: Simulator, watched: Opener
) -> None:
    """Too much is refused where it is typed, a second one by the simulator."""
    page = watched(service.url).page(PATH)
    fault = page.locator(row(page, "files"))
    level = fault.get_by_label("level of files")
    level.fill("999999")
    fault.get_by_role("button", name="Start files").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    level.fill("12")
    fault.get_by_role("button", name="Start files").click()
    simulator.ask("POST", "/api/faults/files", json={"level": 10})
    page.keyboard.press("Enter")
    told = page.locator("#says .bad")
    expect(told).to_contain_text("files runs already")
    expect(fault.locator(".state")).to_contain_text("runs")
    expect(level).to_have_value("12")


def test_a_scenario_is_played_and_ended(
    service: Service, simulator: Simulator, watched: Opener
) -> None:
    """Its step is told while it plays; no second one can be begun."""
    page = watched(service.url).page(PATH)
    page.get_by_role("button", name="Play nothing-wrong").click()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Scenario nothing-wrong")
    expect(page.get_by_role("button", name="Play flapping")).to_be_disabled()
    page.get_by_role("button", name="Stop nothing-wrong").click()
    expect(page.get_by_role("button", name="Play flapping")).to_be_enabled()
    state = simulator.ask("GET", "/api/state").json()
    assert (state["playing"], state["running"]) == (None, [])


def test_what_was_made_of_it_is_joined(
    service: Service, watched: Opener
) -> None:
    """An alert is a fault's when it names its very target."""
    page = watched(service.url).page(PATH)
    score = re.sub(r"^.*?(?=/static/)", "", page.evaluate(
        "document.querySelector('script[src*=simulator]').src"
    )).replace("simulator.js", "simulator/score.js")  # fmt: skip
    target = {"host": "simulator", "process": "sim-cpu"}
    cases = [
        ({"host": "simulator", "process": "sim-cpu"}, True),
        ({"instance": "simulator:9100", "groupname": "sim-cpu"}, True),
        ({"process": "sim-cpu"}, True),
        ({"host": "other", "process": "sim-cpu"}, False),
        ({"host": "simulator"}, False),
        ({"host": "simulator", "process": "sim-io"}, False),
    ]
    found = page.evaluate(
        """async ([path, target, all]) => {
        const { isOf } = await import(path);
        return all.map((labels) => isOf(labels, target)); }""",
        [score, target, [labels for labels, _ in cases]],
    )
    assert found == [is_of for _, is_of in cases]


def test_what_a_storm_hides_is_said(service: Service, watched: Opener) -> None:
    """An earlier fault is not called unnoticed: it is left out."""
    truth = {
        "fault": "disk",
        "began_at": "2026-11-21T02:14:00Z",
        "ended_at": "2026-11-21T02:15:00Z",
        "target": {"host": "web-01"},
        "expects": ["free_disk_space"],
    }
    newest = {"received_at": "2026-11-21T02:20:00Z", "labels": {}}
    page = watched(service.url).page()
    page.route(
        "**/api/v1/simulator/truth?*",
        lambda route: route.fulfill(json={"truth": [truth]}),
    )
    page.route(
        "**/api/v1/alerts?*",
        lambda route: route.fulfill(json={"items": [newest], "next": "x"}),
    )
    go(page, PATH)
    expect(page.locator("#score")).to_contain_text("0 not noticed")
    expect(page.get_by_text("Left out: 1 from before")).to_be_visible()


def test_on_a_phone_every_switch_is_in_reach(
    service: Service, watched: Opener
) -> None:
    """Rows become blocks; the page is not wider than the phone."""
    page = watched(service.url, viewport=PHONE).page(PATH)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    button = page.get_by_role("button", name="Start cpu")
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390


def test_without_the_simulator_the_page_says_so(
    tmp_path_factory: pytest.TempPathFactory, watched: Opener
) -> None:
    """Not set at all, or gone: with what to do."""
    with Service(tmp_path_factory.mktemp("none")) as running:
        page = watched(running.url).page(PATH)
        expect(page.locator("main .bad").first).to_contain_text(
            "Set simulator.url"
        )
        expect(page.locator("nav [data-screen=simulator]")).to_have_count(0)


def test_a_simulator_that_is_gone_is_told(
    tmp_path_factory: pytest.TempPathFactory, watched: Opener
) -> None:
    """The page goes on, and so does it when the simulator is back."""
    made = Simulator(tmp_path_factory.mktemp("sim"), services=[])
    settings = {"simulator": {"url": made.url}}
    try:
        made.start()
        with Service(tmp_path_factory.mktemp("gone"), settings) as running:
            page = watched(running.url).page(PATH)
            expect(page.get_by_text("Nothing is on")).to_be_visible()
            made.ask("POST", "/api/faults/files", json={"level": 10})
            head = page.locator("#fault")
            expect(head).to_contain_text("ON: files", timeout=SOON_MS)
            made.kill()
            lost = page.locator("main > .bad")
            expect(lost).to_contain_text("does not answer", timeout=SOON_MS)
            # What was on may be on: no page looks like every day.
            expect(head).to_contain_text(
                "cannot be asked since", timeout=SOON_MS
            )
            expect(head).to_contain_text("these were on: files")
            expect(page.locator("html")).to_have_attribute(
                "data-fault", "unknown"
            )
            made.start()
            expect(lost).to_be_hidden(timeout=SOON_MS)
            expect(head).to_be_hidden(timeout=SOON_MS)
    finally:
        made.stop()
