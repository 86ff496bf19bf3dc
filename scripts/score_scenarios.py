"""Play scenarios of the simulator, and keep the scorecard of each.

    python -m scripts.score_scenarios                  # all, some 20 minutes
    python -m scripts.score_scenarios flapping --folder docs/results/scenarios

Each is played on its own, on the settings of the demo, with the embedded
watch. FOLDER gets NAME.json and NAME.svg, and cards.md with one line each.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from simulator.results import Score
from simulator.scorecard import as_json
from tests.e2e.stack import Stack

HOME = Path(__file__).parent.parent
NAMES = sorted(one.stem for one in HOME.glob("simulator/scenarios/*.yaml"))
# A scenario has its own end; who has not ended then is told as it stands.
PLAY_SECONDS, OVER_SECONDS, LOOK_SECONDS = 300.0, 90.0, 0.5
COLUMNS = {
    "faults": "n",
    "to fix": "to_fix",
    "detected": "detected",
    "right first action": "right_first_action",
    "wrong actions": "wrong_actions",
    "fixed": "fixed",
    "falsely fixed": "false_fixed",
    "escalated": "escalated",
}
FOLDER = "E2E_FOLDER"
Row = dict[str, Any]


def ask(url: str) -> Row:
    """Return what is told at an address."""
    answer = httpx.get(url, timeout=20)
    answer.raise_for_status()
    found: Row = answer.json()
    return found


def play(stack: Stack, name: str) -> Row:
    """Play a scenario to its end; return what is told of it."""
    simulator = f"{stack.stage.simulator_url}/api"
    httpx.post(f"{simulator}/scenarios/{name}", timeout=20).raise_for_status()
    until = time.monotonic() + PLAY_SECONDS
    while True:
        played: Row = ask(f"{simulator}/state")["played"]
        if played["ended"] or time.monotonic() > until:
            return played
        time.sleep(LOOK_SECONDS)


def wait_until_over(stack: Stack) -> None:
    """Return when every incident has come to its end, or time is over."""
    until = time.monotonic() + OVER_SECONDS
    while time.monotonic() < until:
        rows = ask(f"{stack.stage.url}/api/v1/incidents")["items"]
        stages = [(row["mission"] or {}).get("stage") for row in rows]
        if all(stage == "closed" for stage in stages):
            return
        time.sleep(LOOK_SECONDS)


def score_one(name: str) -> tuple[Row, Score]:
    """Play one on a service of its own, and score it."""
    number = NAMES.index(name)
    with (
        tempfile.TemporaryDirectory(prefix="scenario-") as home,
        # As in the demo, services write to the small disk.
        Stack(
            Path(home) / "stack", f"sim{number}", watches=True, spool="disk"
        ) as stack,
    ):
        played = play(stack, name)
        wait_until_over(stack)
        return played, stack.score(name)


def line(name: str, played: Row, score: Score) -> str:
    """Return a scenario as a line of the table."""
    summary = as_json(score)["summary"]
    figures = [str(summary[field]) for field in COLUMNS.values()]
    link = f"[{name}]({name}.svg)"
    return f"| {' | '.join([link, played['ended'] or 'late', *figures])} |"


def main() -> int:
    """Do what the command line says; return the exit status."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*", metavar="NAME")
    asked.add_argument("--folder", default="docs/results/scenarios")
    wish = asked.parse_args()
    names = wish.names or NAMES
    wrong = sorted(set(names) - set(NAMES))
    if wrong:
        print(f"Error: no scenario {wrong[0]!r}; there are {', '.join(NAMES)}")
        return 2
    folder = Path(wish.folder)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[FOLDER] = str(folder)
    rows = [f"| {' | '.join(['scenario', 'ended', *COLUMNS])} |"]
    rows.append("|---" * (len(COLUMNS) + 2) + "|")
    for name in names:
        rows.append(line(name, *score_one(name)))
        print(rows[-1], flush=True)
        text = "\n".join(["# Scorecards of the scenarios", "", *rows, ""])
        (folder / "cards.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
