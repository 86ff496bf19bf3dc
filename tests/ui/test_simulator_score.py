"""What the simulator's page makes of records: the module alone."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.ui.alone import fresh, page, run

__all__ = ["fresh", "page"]
BEGAN = "2026-11-21T02:14:00Z"
LATER = BEGAN.replace("02:14", "02:19")
FIND = "return (await m.findRuns(given)).runs[0];"
FIND_ALL = "return m.findRuns(given);"


def decision(number: int, brain: str, action: str) -> dict[str, Any]:
    """Return what somebody chose, so many seconds after it began."""
    return {
        "incident": 5,
        "at": BEGAN.replace(":00Z", f":{number:02}Z"),
        "brain": brain,
        "action": action,
    }


def tell(page: Page, *decisions: dict[str, Any]) -> dict[str, Any]:
    """Let a service have records of one fault; return what it tells."""
    truth = {
        "fault": "disk",
        "began_at": BEGAN,
        "ended_at": BEGAN.replace(":00Z", ":50Z"),
        "target": {"host": "web-01"},
        "expects": ["free_disk_space"],
    }
    alert = {
        "received_at": BEGAN.replace(":00Z", ":01Z"),
        "incident_id": 5,
        "labels": {"host": "web-01"},
    }
    told: dict[str, Any] = {
        "simulator/truth": {"truth": [truth]},
        "alerts": {"items": [alert]},
        "decisions": {"items": list(reversed(decisions))},
        "log": {"items": []},
    }

    def answer(route: Route) -> None:
        """Answer as the API does."""
        path = route.request.url.partition("?")[0].partition("/api/v1/")[2]
        route.fulfill(json=told[path])

    page.route(re.compile("/api/v1/"), answer)
    return told


@pytest.mark.parametrize("who", ["code:evidence", "person:ana"])
def test_the_first_action_is_a_brains(fresh: Page, who: str) -> None:
    """What code looks at by itself, or somebody does, is not its choice."""
    tell(
        fresh,
        decision(2, who, "collect_diagnostics"),
        decision(9, "cascade", "free_disk_space"),
    )
    found = run(fresh, "screens/simulator/score", FIND, BEGAN)
    assert (found["first"], found["decided"]) == ("free_disk_space", 9)
    assert found["isRight"] is True


def test_what_a_brain_only_looks_at_is_its_first_action(fresh: Page) -> None:
    """A brain that chooses to look has chosen, and is judged by it."""
    tell(fresh, decision(3, "cascade", "collect_diagnostics"))
    found = run(fresh, "screens/simulator/score", FIND, BEGAN)
    assert (found["first"], found["decided"]) == ("collect_diagnostics", 3)
    assert found["isRight"] is False


@pytest.mark.parametrize("cut", ["alerts", "decisions", "log"])
def test_what_a_storm_pushed_out_is_not_judged(fresh: Page, cut: str) -> None:
    """Of the earlier fault not all is known: it is left out, and counted."""
    told = tell(fresh, decision(9, "cascade", "free_disk_space"))
    first = told["simulator/truth"]["truth"][0]
    later = {**first, "began_at": BEGAN.replace("02:14", "02:20")}
    told["simulator/truth"]["truth"].append(later)
    row = {
        "at": LATER,
        "received_at": LATER,
        "labels": {},
        "body": {},
        "brain": "",
    }
    told[cut] = {"items": [row], "next": "more"}
    found = run(fresh, "screens/simulator/score", FIND_ALL, BEGAN)
    begun = [one["truth"]["began_at"] for one in found["runs"]]
    assert (begun, found["left"]) == ([later["began_at"]], 1)


def test_nothing_is_left_out_of_whole_lists(fresh: Page) -> None:
    """However few rows they have."""
    tell(fresh)
    found = run(fresh, "screens/simulator/score", FIND_ALL, BEGAN)
    assert (len(found["runs"]), found["left"]) == (1, 0)
