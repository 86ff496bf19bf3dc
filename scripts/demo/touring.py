"""The guided run: cause a fault, follow it, tell it, see that it is over."""

from typing import Any

import httpx

from scripts.demo.following import Follower, Row
from scripts.demo.stage import Stage
from scripts.demo.telling import BAD, GOOD, Teller

# What is caused, how strong, and under which label monitoring names it.
LEVELS: dict[str, dict[str, Any]] = {
    "cpu": {"level": 95, "seconds": 120},
    "disk": {"level": 95, "seconds": 120},
    "service": {"seconds": 120, "options": {"shape": "stopped"}},
    "memory": {"level": 900, "seconds": 120, "options": {"shape": "leak"}},
}
FAULTS = list(LEVELS)
ASK_SECONDS = 15.0
FIXED = "fixed"
ALLOW = "allow"


class Tour:
    """Shows faults, one after the other."""

    def __init__(
        self, stage: Stage, follower: Follower, teller: Teller
    ) -> None:
        """Take where it takes place, who follows and who tells."""
        self._stage = stage
        self._follower = follower
        self._teller = teller

    def show(self, fault: str) -> bool:
        """Cause a fault and tell its story; tell whether it was fixed."""
        tell, follow = self._teller, self._follower
        tell.head(f"A fault: {fault}")
        follow.begin()
        truth = self._cause(fault)
        try:
            tell.fault(truth, follow.seconds)
            alert = follow.find_alert(_own_labels(truth))
            tell.alert(alert)
            incident = int(alert.row["incident_id"])
            decision = follow.find_decision(incident)
            tell.decision(decision, follow.detail(decision))
            ruling = follow.find_ruling(incident)
            tell.ruling(ruling)
            if ruling.row["outcome"] != ALLOW:
                tell.say("  People have it now: nothing was changed.", BAD)
                return False
            job = follow.find_job(incident)
            tell.job(job)
            verdict = follow.find_verdict(int(job.row["id"]))
            tell.verdict(verdict)
        finally:
            self._end(fault)
        is_fixed: bool = verdict.row["verdict"] == FIXED
        tell.say(
            f"  From fault to {verdict.row['verdict']}:"
            f" {verdict.seconds:.1f} s.",
            GOOD if is_fixed else BAD,
        )
        return is_fixed

    def _cause(self, fault: str) -> Row:
        """Cause it, and return what the simulator says that it did."""
        answer = httpx.post(
            f"{self._stage.simulator_url}/api/faults/{fault}",
            json=LEVELS[fault],
            timeout=ASK_SECONDS,
        )
        answer.raise_for_status()
        truth: Row = answer.json()
        return truth

    def _end(self, fault: str) -> None:
        """End what is left of it."""
        httpx.delete(
            f"{self._stage.simulator_url}/api/faults/{fault}",
            timeout=ASK_SECONDS,
        )


def _own_labels(truth: Row) -> dict[str, str]:
    """Return what names the fault's target, the machine left out."""
    target: dict[str, str] = truth["target"]
    return {key: said for key, said in target.items() if key != "host"}
