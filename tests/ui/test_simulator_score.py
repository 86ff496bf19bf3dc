"""What the simulator's page makes of records: the module alone."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.ui.alone import fresh, page, run

__all__ = ["fresh", "page"]
BEGAN = "2026-11-21T02:14:00Z"
FIND = "return (await m.findRuns(given))[0];"


def decision(number: int, brain: str, action: str) -> dict[str, Any]:
    """Return what somebody chose, so many seconds after it began."""
    return {
        "incident": 5,
        "at": BEGAN.replace(":00Z", f":{number:02}Z"),
        "brain": brain,
        "action": action,
    }


def tell(page: Page, *decisions: dict[str, Any]) -> None:
    """Let a service have records of one fault."""
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
