"""Texts of strangers are only text, on every screen."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Dialog, Page, expect

from app.access.gate import COOKIE
from app.console.screens import SCREENS
from app.decide.casing import tidy
from tests.flow.acting import ActingService
from tests.flow.deciding import firing
from tests.ui.browser import go
from tests.ui.conftest import Opener
from tests.ui.corpus import FILE, Corpus, read_corpus
from tests.ui.dialogs import open_with_enter
from tests.ui.hostility import MARKS, POLICY, STRANGE, Mallory, Traces
from tests.unit.simulator.running import Simulator

PATHS = [
    *(f"/console/{one}" for one in (*(s.name for s in SCREENS), "me")),
    "/console/incidents?all=1",
    "/console/incidents?peek=1",
]
# Where a text of MARKS must be seen: a page without it would prove nothing.
SHOWN = {
    "incidents?peek=1": 0,
    "log": 0,
    "mutes": 3,
    "handover": 0,
    "people": 5,
}
# Elements that no screen of ours makes, whatever it shows.
FOREIGN = "iframe, object, embed, base, img, style, form[action^='http']"
# The marks whose own pages are opened: an element, a link, a long word. All
# are on the lists, and people say them on the first page.
LARGEST = (0, 3, 10)
# What is put into an address: an element, a script, the end of a quoted text,
# an address, letters that turn a line, and what steers a terminal.
AT_THE_DOOR = (0, 1, 3, 8, 9, 11)
# Only words can be nothing else; this is in what could be more than a text.
SLY = re.compile(r"[<>{}\"'=]|[^ -~]")
# What is kept of a character that no text may have.
NUL = "\u2400"
# How often folds may be found in what was folded.
DEPTH = 8
# Clicks on every closed fold at once; the page has heard of each after it.
UNFOLD = """async () => {
  const folds = document.querySelectorAll("main details:not([open])");
  await Promise.all([...folds].map((fold) => new Promise((heard) => {
    fold.addEventListener("toggle", heard, { once: true });
    setTimeout(heard, 10_000);  // one that stays closed is counted again
    fold.querySelector("summary").click();
  })));
  return folds.length;
}"""
WAITS = "is fetched ...|One moment ..."
FETCHED = """(waits) => !waits.split("|").some((one) =>
  document.querySelector("main").innerText.includes(one))"""


class Stricken(ActingService):
    """A service that is told hostile texts.

    Attributes:
        corpus: what of the hostile corpus it is told.
        numbers: the incident of each line of it.
        bold: the incident whose very target is such a text.
        traces: what people left, too.
    """

    corpus: Corpus
    numbers: dict[str, int]
    bold: int
    traces: Traces

    def __init__(self, folder: Path, **settings: Any) -> None:
        # It may do everything here whoever has an account by now.
        super().__init__(folder, access={"open": "always"}, **settings)
        (folder / "policy.yaml").write_text(f"{POLICY}ask\n")

    def tell(self, body: dict[str, Any]) -> int:
        """Deliver one alert; return the incident that it became."""
        url = f"{self.url}/webhooks/alertmanager"
        answer = httpx.post(url, json=body, timeout=60)
        assert answer.status_code == 202, answer.text
        counts = answer.json()
        (alert,) = counts["alerts"]
        assert (counts["accepted"], counts["rejected"]) == (1, 0), counts
        path = f"/alerts/{alert}"
        self.wait_for(lambda: self.get(path)["incident_id"])
        return int(self.get(path)["incident_id"])

    def is_decided(self, incident: int) -> bool:
        """Tell whether a brain has said what to do about an incident."""
        return bool(self.decisions(incident=incident))


@pytest.fixture(scope="module")
def stricken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stricken]:
    """Return a service that was told all of it, in every field."""
    corpus = read_corpus()
    folder = tmp_path_factory.mktemp("hostile")
    sources = {
        "alertmanager": {"auth": {"kind": "none"}},
        "zabbix": {"auth": {"kind": "none"}},
        "generic": {"auth": {"kind": "none"}},
    }
    with (
        Simulator(folder, services=[]) as simulator,
        Stricken(
            folder, sources=sources, simulator={"url": simulator.url}
        ) as running,
    ):
        # What runs is compared with all that was told.
        simulator.ask("POST", "/api/faults/files", json={"level": 1})
        marked = [
            running.tell({"version": "4", "alerts": [_said(number, text)]})
            for number, text in enumerate(MARKS)
        ]
        running.corpus = corpus
        running.numbers = {
            name: running.tell(body) for name, body in corpus.bodies.items()
        }
        running.bold = running.tell({"version": "4", "alerts": [_bold()]})
        numbers = {*marked, *running.numbers.values(), running.bold}
        assert len(numbers) == len(MARKS) + len(corpus.bodies) + 1
        for number in numbers:
            running.wait_for(partial(running.is_decided, number))
        running.wait_for_stage(marked[0], "awaiting_approval")
        _talk(running, marked[0])
        running.traces = Mallory(running).leave_traces()
        yield running


def _said(number: int, text: str) -> dict[str, Any]:
    """Return an alert that says a text wherever it can."""
    alert = firing(f"web-{number:02}", f"mark-{number}")
    alert["labels"] |= {"note": text[:500], "service": text[:100]}
    alert["annotations"] = {
        "summary": text[:900],
        "description": text,
        "runbook_url": text[:900],
    }
    alert["generatorURL"] = text[:900]
    return alert


def _bold() -> dict[str, Any]:
    """Return an alert about what is no name of any host."""
    alert = firing("bold", "bold")
    alert["labels"] |= {"instance": MARKS[0], "team": MARKS[1]}
    return alert


def _talk(service: Stricken, incident: int) -> None:
    """Let people say such things, too."""
    for text in (*MARKS[:9], *service.corpus.texts):
        for kind, more in (("notes", {}), ("corrections", {"about": "x"})):
            httpx.post(
                f"{service.url}/api/v1/incidents/{incident}/{kind}",
                json={"author": "mallory <b>", "text": text, **more},
                timeout=60,
            ).raise_for_status()


@pytest.fixture
def page(stricken: Stricken, watched: Opener) -> Iterator[Page]:
    """Return a page that may not ask anybody anything."""
    dialogs: list[str] = []

    def keep(dialog: Dialog) -> None:
        """Keep what it says, and close it: it holds up the page."""
        dialogs.append(dialog.message)
        dialog.dismiss()

    page = watched(stricken.url).page()
    page.on("dialog", keep)
    yield page
    assert dialogs == []


@pytest.mark.parametrize("path", PATHS)
def test_texts_do_nothing(page: Page, path: str) -> None:
    """No script, no element, no request, no dialog comes of a text."""
    go(page, path)
    unfold(page)
    assert_harmless(page)
    expect(page.locator("#halted")).to_contain_text(MARKS[1])
    name = path.removeprefix("/console/")
    if name in SHOWN:
        expect(page.locator("main")).to_contain_text(MARKS[SHOWN[name]])


def test_a_look_at_a_line_of_the_log_does_nothing(
    page: Page, stricken: Stricken
) -> None:
    """The whole record of a mute, with the texts of who made it."""
    go(page, f"/console/log?entry={stricken.traces.entry}")
    peek = page.locator("#peek")
    expect(peek).to_contain_text(MARKS[0])
    expect(peek).to_contain_text("not there")
    assert_harmless(page)


def test_a_strange_account_does_nothing(
    stricken: Stricken, watched: Opener
) -> None:
    """What its browser calls itself, and its tokens: to it, and to others."""
    theirs = watched(stricken.url)
    theirs.context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": stricken.traces.cookie,
                "url": stricken.url,
            }
        ]
    )
    page = theirs.page("/console/me")
    main = page.locator("main")
    for text in (STRANGE, *MARKS[:9]):
        expect(main).to_contain_text(text)
    assert_harmless(page)
    page = watched(stricken.url).page("/console/people")
    opener = page.get_by_role("button", name=f"Sessions: {STRANGE}")
    dialog = open_with_enter(page, opener, re.compile("^Sessions"))
    expect(dialog).to_contain_text(MARKS[0])
    assert_harmless(page)


def test_trying_a_policy_does_nothing(page: Page) -> None:
    """What it says of rulings, and of what is no policy."""
    go(page, "/console/policy")
    text = page.get_by_label("Policy, as YAML")
    tried = page.locator("#tried")
    for policy, said in (
        (f"{POLICY}deny\n", "It would change"),
        (f"{MARKS[0]}: 1\n", "✖"),
    ):
        text.fill(policy)
        page.get_by_role("button", name="Try it").click()
        expect(tried).to_contain_text(said)
        expect(tried).to_contain_text(MARKS[0])
        assert_harmless(page)


def test_testing_a_brain_does_nothing(page: Page, stricken: Stricken) -> None:
    """What it says of an incident, and of what is no alert."""
    go(page, "/console/brains")
    tested = page.locator("#tested")
    page.locator("[name=incident]").fill(str(stricken.bold))
    page.get_by_role("button", name="Test", exact=False).first.click()
    expect(tested).to_contain_text("Also weighed")
    assert_harmless(page)


def test_dialogs_do_nothing(page: Page, stricken: Stricken) -> None:
    """A mute of what has such a name, an approval, what is typed to find.

    What may be called is grounded: no such text comes into an approval.
    """
    bold = f"/console/incidents/{stricken.bold}"
    for path, name, title, said in (
        ("/console/incidents/1", "Approve", "^Approve this", "host=web-00"),
        (bold, "Mute this", "^Mute this", MARKS[0]),
        ("/console/incidents?q=host:*img*", "Mute it", "^Mute ", MARKS[0]),
    ):
        go(page, path)
        opener = page.get_by_role("button", name=name).first
        dialog = open_with_enter(page, opener, re.compile(title))
        expect(dialog).to_contain_text(said)
        assert_harmless(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_label("What do you want to do?").fill(MARKS[0])
    assert_harmless(page)


def test_texts_do_nothing_on_their_own_pages(
    page: Page, stricken: Stricken
) -> None:
    """Nor where all of it stands: the case, the prompt, what people say."""
    for index in LARGEST:
        go(page, f"/console/incidents/{index + 1}")
        unfold(page)
        assert_harmless(page)
        assert tidy(MARKS[index][:300]) in prompt_of(page)
    go(page, "/console/incidents/1")
    words = page.locator(".words")
    for text in (MARKS[0], *stricken.corpus.texts):
        expect(words).to_contain_text(text)


def test_texts_of_the_corpus_do_nothing(
    page: Page, stricken: Stricken
) -> None:
    """Each line is an incident; what could be more than a text is none."""
    if not stricken.numbers:
        pytest.skip(f"set TEST_DATA to the folder that has {FILE.name}")
    for name, body in stricken.corpus.bodies.items():
        (alert,) = body["alerts"]
        texts = alert["annotations"].values()
        if not any(map(SLY.search, texts)):
            continue
        go(page, f"/console/incidents/{stricken.numbers[name]}")
        unfold(page)
        assert_harmless(page)
        prompt = prompt_of(page)
        for text in texts:
            assert tidy(text.replace("\0", NUL)) in prompt, name


def unfold(page: Page) -> None:
    """Open every fold, and what is folded in those."""
    for _ in range(DEPTH):
        opened = page.evaluate(UNFOLD)
        page.wait_for_function(FETCHED, arg=WAITS)
        if not opened:
            return
    pytest.fail(f"there are folds in folds, {DEPTH} deep")


def prompt_of(page: Page) -> str:
    """Return what a brain was shown, as the page shows it."""
    said = page.locator(".spoken pre", has_text="SECRET-CASE")
    return str(said.first.text_content())


def assert_harmless(page: Page) -> None:
    """Fail when a text of a page was more than a text."""
    assert page.evaluate("[window.pwned, window.__p]") == [None, None]
    assert page.locator(FOREIGN).count() == 0
    links = "[...document.links].map((one) => one.protocol)"
    assert set(page.evaluate(links)) <= {"http:", "https:"}
    assert page.evaluate("document.title").endswith("Smokejumper")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.parametrize("field", ["login?next", "setup?token"])
def test_texts_do_nothing_at_the_door(
    stricken: Stricken, watched: Opener, field: str
) -> None:
    """In an address that somebody was sent, and in what was typed."""
    page = watched(stricken.url).page()
    for index in AT_THE_DOOR:
        page.goto(f"/console/{field}={quote(MARKS[index][:200])}")
        assert_harmless(page)
    page.goto("/console/login")
    page.get_by_label("Name").fill(MARKS[0])
    page.get_by_label("Password").fill(MARKS[1])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("[role=alert]")
    assert_harmless(page)
