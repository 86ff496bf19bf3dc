"""What an incident had before: its old jobs, and what was like it."""

import json
import re
from pathlib import Path

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.flow.acting import ActingService
from tests.flow.deciding import firing
from tests.service import Service
from tests.ui.conftest import Opener
from tests.ui.pouring import pour_jobs

MANY = 25
SOON_MS = 30_000
GOOD = {
    "at": 1_795_316_400_000_000,
    "check": "disk_has_room",
    "value": 81.25,
    "unit": "%",
    "limit": 85.0,
    "is_floor": False,
    "judgement": "good",
    "says": "",
}


def path_of(number: int) -> str:
    """Return where an incident is."""
    return f"/console/incidents/{number}"


def step(page: Page, word: str, place: int) -> Locator:
    """Return a step of the timeline by its word and its place."""
    return page.locator("li.step").filter(has_text=word).nth(place)


def test_each_job_has_its_step(tmp_path: Path, watched: Opener) -> None:
    """The oldest of many, too: its call, its state, what was measured.

    At first the newest are fetched with their readings, then the others.
    """
    with Service(tmp_path) as service:
        pour_jobs(service, MANY, json.dumps([GOOD]))
        opened = watched(service.url)
        page = opened.page(path_of(1))
        oldest = step(page, "JOB", 0)
        expect(oldest).to_contain_text(
            "restart_service(host=jobs-01, service=s1) succeeded"
        )
        measured = step(page, "VERIFY", 0)
        expect(measured).to_contain_text("81.25%", timeout=SOON_MS)
        jobs = [one for one in opened.asked if re.search(r"/jobs/\d+$", one)]
        assert len(jobs) == len(set(jobs)) == MANY


def test_what_was_done_about_another_problem_here_is_told(
    tmp_path: Path, watched: Opener
) -> None:
    """The same host, another problem: its call stands beside it."""
    with ActingService(tmp_path, "slow") as node:
        asked = node.ask_about("sim-01")
        node.answer(asked["id"], "refuse")
        first = asked["incident"]
        other = firing("sim-01", "other", 40, alertname="CertExpires")
        node.fire(other)
        node.wait_for(lambda: len(episodes(node, first)) == 2)
        last = max(one["id"] for one in episodes(node, first))
        body = {"author": "ana", "episodes": [last]}
        url = f"{node.url}/api/v1/incidents/{first}/split"
        made = httpx.post(url, json=body, timeout=30)
        assert made.is_success, made.text
        node.wait_for(lambda: len(node.get("/incidents")["items"]) == 2)
        second = node.get("/incidents")["items"][0]
        assert second["problem"] != node.get(f"/incidents/{first}")["problem"]
        page = watched(node.url).page(path_of(second["id"]))
        similar = page.get_by_role(
            "region", name="Similar incidents and what was done about them"
        )
        expect(similar).to_contain_text(asked["call"], timeout=SOON_MS)


def episodes(node: ActingService, number: int) -> list[dict[str, int]]:
    """Return the episodes of an incident."""
    found: list[dict[str, int]] = node.get(f"/incidents/{number}")[
        "all_episodes"
    ]
    return found
