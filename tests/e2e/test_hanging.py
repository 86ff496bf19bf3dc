"""A service that hangs: it takes callers and answers nobody, and is fixed."""

from contextlib import closing
from pathlib import Path

import pytest

from scripts.demo.following import Follower
from tests.e2e.stack import Stack

HANG = {"seconds": 90, "options": {"shape": "hang"}}


@pytest.mark.long
def test_a_service_that_hangs_is_restarted(tmp_path: Path) -> None:
    """From the alert to the verdict: seen by its page, and measured there.

    Its process lives all the while, so nobody who looks for one sees it.
    """
    with (
        Stack(tmp_path / "stack", "simg", watches=True) as stack,
        closing(Follower(stack.stage.url)) as follower,
    ):
        follower.begin()
        truth = stack.cause("service", HANG)
        service = truth["target"]["service"]
        alert = follower.find_alert({"service": service})
        incident = int(alert.row["incident_id"])
        decision = follower.find_decision(incident)
        ruling = follower.find_ruling(incident)
        job = follower.find_job(incident)
        verdict = follower.find_verdict(int(job.row["id"]))
        # The simulator itself sees that it answers again.
        stack.wait_until_gone(truth["id"])
    assert "does not answer in" in str(alert.row), alert.row
    assert decision.row["action"] == "restart_service"
    assert ruling.row["outcome"] == "allow"
    assert (job.row["action"], job.row["state"]) == (
        "restart_service",
        "succeeded",
    )
    assert verdict.row["verdict"] == "fixed"
