"""host/look.py against the past that a host keeps itself."""

import runpy
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from app.models.evidence import read_stands_out
from tests.unit.act.local.stands import wait_for

LOOK = Path(__file__).parents[4] / "host" / "look.py"
PARTS: dict[str, Any] = runpy.run_path(str(LOOK))
# Each second some hundreds of programs that end at once.
FORKS = """
import subprocess
while True:
    many = [subprocess.Popen(["true"]) for _ in range(20)]
    for one in many:
        one.wait()
"""
MINUTE = 60


def look() -> str:
    """Return what it prints about the clock: the quickest topic."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(LOOK), "time"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


def has_past() -> bool:
    """Tell whether this machine runs for long enough to have one."""
    up = float(Path("/proc/uptime").read_text().split()[0])
    return up >= float(PARTS["LEAST_PAST_SECONDS"])


def test_what_is_unusual_for_a_host_is_said_first() -> None:
    """Programs that are begun, by hundreds: against the host's own mean.

    A machine that was started just now has no past, and that is said.
    """
    if not has_past():
        said = look()
        assert read_stands_out(said)[-1].startswith("no past yet")
        assert "no past yet: it was started" in said
        return
    with subprocess.Popen([sys.executable, "-c", FORKS]) as child:
        try:

            def is_said() -> bool:
                """Tell whether it stands before all that is wrong by itself.

                Only what is unusual, too, may stand before it.
                """
                first = read_stands_out(look())
                unusual = [one for one in first if "unusual: " in one]
                assert first[: len(unusual)] == tuple(unusual)
                return any(
                    one.startswith("processes begun ")
                    and "on average since its start" in one
                    for one in unusual
                )

            wait_for(is_said, 90)
        finally:
            child.kill()


def notes_of(name: str, *told: Any) -> Any:
    """Return what one function of it has noted."""
    notes = PARTS["Notes"]()
    PARTS[name](notes, *told)
    return notes


@pytest.mark.parametrize(
    ("now", "mean", "is_unusual"),
    [
        (95.0, 20.0, True),
        (95.0, 40.0, False),  # twice as much is not unusual
        (12.0, 1.0, False),  # little is nothing, however often
        (40.0, 0.0, True),
        (20.0, 95.0, False),
    ],
)
def test_only_much_and_many_times_the_mean_is_unusual(
    now: float, mean: float, is_unusual: bool
) -> None:
    """A line says it in any case, with both figures."""
    figure, scale = ("cpu busy", now, mean), ("%", 30)
    notes = notes_of("note_unusual", figure, scale, "since its start")
    assert bool(notes.odd) is is_unusual
    (line,) = notes.lines
    assert f"{now:.1f}%" in line
    assert f"{mean:.1f}%" in line


def lines(*minutes_ago: float) -> list[str]:
    """Return lines of a log as systemd prints them, by their age."""
    now = 1_800_000_000
    return [
        time.strftime(
            "%Y-%m-%dT%H:%M:%S+0000 web-01 shop[7]: timeout",
            time.gmtime(now - ago * MINUTE),
        )
        for ago in minutes_ago
    ]


def test_a_log_that_bursts_is_said() -> None:
    """Its last ten minutes against the hours before, out of its own times."""
    quiet = [float(ago) for ago in range(360, 10, -10)]
    burst = [ago / 10 for ago in range(90, 0, -1)]
    (odd,) = notes_of("note_burst", "shop", lines(*quiet, *burst)).odd
    assert odd[1] == (
        "log of shop: lines in its last 10 min 90.0, unusual: 1.0 on average"
        " in the 5.8 h before"
    )


@pytest.mark.parametrize(
    "said",
    [
        [],
        ["no time stands in this one"] * 500,
        # It goes back too short a time, or goes on as before.
        lines(*(ago / 10 for ago in range(90, 0, -1))),
        lines(*(float(ago) for ago in range(360, 0, -1))),
    ],
    ids=["none", "no times", "short", "steady"],
)
def test_a_log_that_tells_no_burst_is_none(said: list[str]) -> None:
    """Nothing is made up."""
    assert not notes_of("note_burst", "shop", said).odd


def test_each_counter_rises_and_has_a_mean() -> None:
    """Every figure of this machine: counted since its start, in its unit."""
    up = float(Path("/proc/uptime").read_text().split()[0])
    before = PARTS["counters"]()
    after = PARTS["counters"]()
    assert {"cpu busy", "processes begun", "TCP sent once more"} <= set(before)
    for name, (count, one, unit, much) in after.items():
        if name in before:
            assert count >= before[name][0]
        assert much > 0
        if unit == "%":
            assert count * one / up <= 110, name
