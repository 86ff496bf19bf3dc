"""What heals by itself while somebody wants to act: nothing is touched."""

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from scripts.demo.following import Follower
from tests.e2e.stack import Stack

ROUNDS = 2
MOST_ROUNDS = 6
# A job that starts so soon was looked at while the service was still down.
BLINK = timedelta(seconds=1)
RESTART = "restart_service"
Row = dict[str, Any]


def heal_once(stack: Stack, follower: Follower) -> tuple[Row, datetime]:
    """Break the service, let it heal once it is told of; return both."""
    follower.begin()
    truth = stack.cause("service", {"seconds": 60})
    alert = follower.find_alert({"service": truth["target"]["service"]})
    stack.end("service")
    stack.wait_until_gone(truth["id"])
    incident = int(alert.row["incident_id"])
    stack.wait_until_over(incident)
    url = f"{stack.stage.url}/api/v1/incidents/{incident}"
    return httpx.get(url, timeout=30).json(), ended_at(stack, truth["id"])


def ended_at(stack: Stack, number: str) -> datetime:
    """Return when the simulator saw a fault ended."""
    url = f"{stack.stage.simulator_url}/api/truth"
    rows = httpx.get(url, timeout=30).json()["truth"]
    (found,) = (row["ended_at"] for row in rows if row["id"] == number)
    return datetime.fromisoformat(found)


def restarts(stack: Stack, incident: int) -> list[datetime]:
    """Return when the service was restarted because of an incident."""
    found = httpx.get(
        f"{stack.stage.url}/api/v1/jobs",
        params={"incident": incident},
        timeout=30,
    )
    return [
        datetime.fromisoformat(row["started_at"])
        for row in found.json()["items"]
        if row["action"] == RESTART and row["started_at"]
    ]


def test_what_comes_and_goes_by_itself_is_left_alone(tmp_path: Path) -> None:
    """It comes back before anybody acts, again and again.

    On a slow machine it may be looked at while it is down, and be restarted
    with good reason: such a round does not count.
    """
    healed = []
    with (
        Stack(tmp_path / "stack", "simh", watches=True) as stack,
        closing(Follower(stack.stage.url)) as follower,
    ):
        for _ in range(MOST_ROUNDS):
            incident, moment = heal_once(stack, follower)
            acted = restarts(stack, incident["id"])
            assert all(one < moment + BLINK for one in acted), (
                f"it had healed at {moment}, and was restarted at {acted}"
            )
            if not acted:
                healed.append(incident["mission"]["end"])
            if len(healed) == ROUNDS:
                break
    assert healed == ["resolved"] * ROUNDS
