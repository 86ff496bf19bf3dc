"""Marked secrets go through a whole life of a service, and come out nowhere.

Where one may be found is named here, in LAWFUL, and in docs/security.md; any
other place fails.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flow.canaries import (
    ADDRESS,
    ALERTS,
    PASSWORD,
    SETTINGS,
    MarkedService,
    Model,
    Outside,
    alert,
    allowed_places,
    cells,
    found_in,
)

# A delivery is kept byte for byte: signatures and replays need that. Who sees
# all teams can read it, and backups hold it.
RAW = "delivery.body"
RAW_ANSWER = "/api/v1/deliveries/{delivery_id}/body"
PAGES = (
    *("incidents", "incidents/1", "log", "log?entry=1", "metrics", "me"),
    *("catalogue", "policy", "brains", "mutes", "people", "handover"),
)
OPEN_PAGES = ("/metrics", "/health", "/ready", "/version", "/docs")
OURS = (*SETTINGS.values(), ADDRESS, PASSWORD)


class Life:
    """What a service left behind, everywhere.

    Attributes:
        service: it; it has ended.
        outside: who took its jobs and letters.
        model: what it asked.
        personal: what only one browser or one reader was ever told.
        printed: what its commands wrote.
    """

    def __init__(self, folder: Path, outside: Outside, model: Model) -> None:
        self.outside = outside
        self.model = model
        self.service = MarkedService(folder, outside, model)
        self.personal: dict[str, str] = {}
        self.printed: dict[str, str] = {}
        self.backup = folder / "backup.db"

    def live(self) -> None:
        """Let all of it happen."""
        with self.service as service:
            cookie = self._come_in()
            self._fire()
            self._grant(cookie)
            self._act()
            self._read(cookie)
            for words in (
                ("check-config",),
                ("incidents",),
                ("incident", "1"),
                ("log", "--limit", "500"),
                ("decide", "--incident", "1", "--dry-run"),
                ("backup", str(self.backup)),
            ):
                done = service.run(*words)
                assert done.returncode == 0, done.stderr
                self.printed[words[0]] = done.stdout + done.stderr
            assert service.stop() == 0

    def _come_in(self) -> str:
        """Make an account, set its password; return its cookie."""
        service = self.service
        body = {"name": "ana", "role": "admin"}
        made = httpx.post(
            f"{service.url}/api/v1/people",
            json=body,
            headers=service.headers,
            timeout=60,
        ).raise_for_status()
        link = made.json()["link"].rpartition("=")[2]
        ours = {"origin": service.url}
        page = f"{service.url}/console/setup"
        form = {"token": link, "name": "ana", "password": PASSWORD}
        httpx.get(page, params={"token": link}, timeout=60).raise_for_status()
        wrong = {**form, "again": "another"}
        refused = httpx.post(page, data=wrong, headers=ours, timeout=60)
        assert refused.status_code == 422
        assert PASSWORD not in refused.text
        form["again"] = PASSWORD
        done = httpx.post(page, data=form, headers=ours, timeout=60)
        assert done.status_code == 303, done.text
        cookie = str(done.cookies["smokejumper_session"])
        token = httpx.post(
            f"{service.url}/api/v1/tokens",
            json={"account": made.json()["account"]["id"], "label": "a test"},
            headers=service.headers,
            timeout=60,
        ).raise_for_status()
        setup = service.folder / "setup.link"
        # Somebody can sign in by now.
        service.wait_for(lambda: not setup.exists())
        self.personal = {
            "link": link,
            "cookie": cookie,
            "token": token.json()["secret"],
        }
        return cookie

    def _fire(self) -> None:
        """Send an alert, and what is wrong in every way."""
        url = f"{self.service.url}/webhooks"
        shown = {"authorization": f"Bearer {SETTINGS['source']}"}
        body: Any = {"version": "4", "alerts": [alert()]}
        taken = httpx.post(f"{url}/alertmanager", json=body, headers=shown)
        assert taken.status_code == 202, taken.text
        # Not understood: kept as it is, and nowhere else.
        body = {"alerts": [{"status": alert()["annotations"]}]}
        kept = httpx.post(f"{url}/alertmanager", json=body, headers=shown)
        assert kept.json()["unparsed"], kept.text
        wrong = {"authorization": f"Bearer {SETTINGS['source']}x"}
        refused = httpx.post(f"{url}/alertmanager", json=body, headers=wrong)
        assert refused.status_code == 401
        assert refused.text.count(SETTINGS["source"]) == 0
        unsigned = httpx.post(f"{url}/grafana", json=body)
        assert unsigned.status_code == 401

    def _grant(self, cookie: str) -> None:
        """Let it be done: the model does not say how sure it is."""
        service = self.service
        service.wait_for(lambda: service.get("/approvals")["items"])
        # Who answers before they were told needs no letter any more.
        service.wait_for(lambda: self.outside.got("/letters"))
        service.wait_for(lambda: self.outside.got("/chat"))
        granted = httpx.post(
            f"{service.url}/api/v1/approvals/1/grant",
            json={"comment": "go ahead"},
            headers={"origin": service.url, "x-smokejumper": "1"},
            cookies={"smokejumper_session": cookie},
            timeout=60,
        )
        assert granted.status_code == 200, granted.text

    def _act(self) -> None:
        """Wait until it acted and told people."""
        service = self.service
        service.wait_for(lambda: self.outside.got("/jobs"))
        service.wait_for(
            lambda: service.get("/jobs")["items"][0]["state"] == "succeeded"
        )

        def is_calm() -> bool:
            """Tell whether all letters have gone, or nobody needs them."""
            rows = service.get("/dispatches")["items"]
            states = {one["state"] for one in rows}
            assert "dead" not in states
            return "sent" in states and not states & {"waiting", "gathering"}

        service.wait_for(is_calm)

    def _read(self, cookie: str) -> None:
        """Read every address of the API, and every page."""
        service = self.service
        url = service.url
        whole = httpx.get(f"{url}/openapi.json", timeout=60).json()
        for path, methods in whole["paths"].items():
            if "get" not in methods or path.endswith("/stream"):
                continue
            address = re.sub(r"\{name\}", "collect_diagnostics", path)
            address = re.sub(r"\{\w+\}", "1", address)
            answer = httpx.get(
                f"{url}{address}", headers=service.headers, timeout=60
            )
            assert answer.status_code < 500, (path, answer.text)
            service.keep(path, answer)
        for kind in ("csv", "ndjson", "parquet"):
            for name in ("alerts", "deliveries", "incidents", "log"):
                path = f"/api/v1/export/{name}?format={kind}"
                answer = httpx.get(
                    f"{url}{path}", headers=service.headers, timeout=60
                )
                assert answer.status_code == 200, answer.text
                service.keep(path, answer)
        with httpx.Client(
            base_url=url, cookies={"smokejumper_session": cookie}, timeout=60
        ) as browser:
            for name in PAGES:
                page = browser.get(f"/console/{name}")
                assert page.status_code == 200, name
                service.keep(f"page {name}", page)
            for path in (*OPEN_PAGES, "/console/login", "/openapi.json"):
                service.keep(path, browser.get(path))


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Return a life of a service that is over."""
    with ExitStack() as undo:
        outside = undo.enter_context(Outside())
        model = undo.enter_context(Model())
        lived = Life(tmp_path_factory.mktemp("marked"), outside, model)
        undo.callback(lived.service.__exit__)
        lived.live()
        yield lived


def test_the_marks_were_there(life: Life) -> None:
    """Else the tests below would hold of a service that did nothing."""
    raw = dict(cells(life.service.database))
    assert "zqpassword7f3a91" in "".join(
        text for place, text in cells(life.service.database) if place == RAW
    )
    assert raw
    assert found_in({"raw": life.service.answers[RAW_ANSWER]}, ALERTS)
    assert "web-canary" in life.model.prompts()
    assert life.outside.got("/jobs")
    (key,) = {one.headers["authorization"] for one in life.model.asked}
    assert key == f"Bearer {SETTINGS['model']}"


def test_no_prompt_holds_a_secret(life: Life) -> None:
    """Neither ours nor one of the alert's."""
    prompts = {"prompts": life.model.prompts()}
    assert found_in(prompts, (*ALERTS, *OURS)) == set()


def test_no_page_and_no_answer_shows_one(life: Life) -> None:
    """All of the API, all exports, all pages, the metrics."""
    answers = dict(life.service.answers)
    assert len(answers) > 80
    raw = answers.pop(RAW_ANSWER)
    assert found_in(answers, ALERTS) == set()
    shown = (*OURS, *life.personal.values())
    assert found_in({**answers, "raw": raw}, shown) == set()


def test_no_letter_and_no_order_holds_one(life: Life) -> None:
    """What leaves: the bodies, and headers but for each one's own."""
    sent = {
        f"{path} {number}": f"{headers}\n{body}"
        for number, (path, headers, body) in enumerate(life.outside.came)
    }
    marks = (*ALERTS, *OURS, *life.personal.values())
    assert found_in(sent, marks) == set()
    # The chat's own secret goes to that chat, as its address says.
    assert all(
        "Authorization" in headers
        for _, headers, _ in life.outside.got("/chat")
    )


def test_no_log_and_no_command_prints_one(life: Life) -> None:
    """The log of the service, and what commands write."""
    printed = {**life.printed, "log": life.service.log.read_text()}
    marks = (*ALERTS, *OURS, *life.personal.values())
    assert found_in(printed, marks) == set()
    assert len(printed["log"]) > 1_000


@pytest.mark.parametrize("which", ["database", "backup"])
def test_no_cell_of_the_database_holds_one(life: Life, which: str) -> None:
    """But the delivery itself; of people there are digests only."""
    file = life.service.database if which == "database" else life.backup
    texts: dict[str, str] = {}
    for place, text in cells(file):
        texts[place] = f"{texts.get(place, '')}\n{text}"
    ours = (*OURS, *life.personal.values())
    assert found_in(texts, ours) == set()
    del texts[RAW]
    assert found_in(texts, ALERTS) == set()


def test_no_file_holds_one_of_ours(life: Life) -> None:
    """Byte for byte: tables, indices, what was deleted, the anchor."""
    folder = life.service.folder
    files = {
        file.name: file.read_bytes().decode("latin-1")
        for file in folder.iterdir()
        if file.is_file()
    }
    marks = (*OURS, *life.personal.values())
    assert found_in(files, marks) == set()
    assert life.service.database.name in files


def test_it_called_what_its_settings_name(life: Life) -> None:
    """Nothing else, and asked nobody for a name."""
    allowed = allowed_places(life.outside, life.model)
    assert life.service.called() == allowed
