"""Collect diagnostics: the whole deed, at this machine."""

import os
import pwd
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.act.local.deed import read_arguments
from app.act.local.deeds.collect_diagnostics import (
    CollectDiagnostics,
    DiagnosticsSettings,
    plugin,
)
from app.act.local.hand import Stopped
from app.act.local.look.lens import Lens
from app.act.local.look.probe import Notes, Probe
from app.core.clock import SystemClock
from app.core.errors import NotAccepted
from app.core.look.past import Past
from app.models.evidence import read_stands_out
from app.models.job import JobState
from app.models.menu import Arguments
from app.models.origins import TOPICS
from tests.unit.act.local.rounds import make_snapshot
from tests.unit.act.local.victims import EnvOfATest, HandOfATest
from tests.unit.act.local.wards import Systemctl, systemctl

__all__ = ["systemctl"]

NAME = "collect-diagnostics"
HOME = Path(__file__).parents[4]
QUICK = {"window_seconds": 0.3}


def order(deed: CollectDiagnostics, topic: str) -> object:
    """Return what is ordered, as it comes to the deed."""
    said: Arguments = {"host": "web1.example", "topic": topic}
    return read_arguments(deed.takes, said)


def make(past: Past | None = None, **settings: object) -> CollectDiagnostics:
    """Return the deed with its real probes."""
    deed = plugin(EnvOfATest(NAME, QUICK | settings, past=past))
    assert isinstance(deed, CollectDiagnostics)
    return deed


def made_of(**probes: Probe) -> CollectDiagnostics:
    """Return the deed with other probes."""
    return CollectDiagnostics(EnvOfATest(NAME, QUICK), probes)


@pytest.mark.parametrize("topic", TOPICS)
def test_each_topic_gives_evidence(tmp_path: Path, topic: str) -> None:
    """What stands out is first and in the reason; it ends in time."""
    deed, hand = make(), HandOfATest(tmp_path)
    since = time.monotonic()
    done = deed.do(order(deed, topic), hand)
    assert time.monotonic() - since < 30
    assert done.state is JobState.SUCCEEDED
    first = read_stands_out(hand.said)
    assert first
    assert done.reason.startswith(first[0])
    assert hand.said.startswith(f"# evidence: {topic} on web1.example")
    assert "\n## machine\n" in hand.said
    assert len(hand.said.encode()) <= 200_000


def test_the_service_of_the_alert_is_looked_at_in_any_topic(
    tmp_path: Path, systemctl: Systemctl
) -> None:
    """It runs, and its own log says what is wrong: that comes first."""
    systemctl.unit("nginx.service")
    systemctl.journal("started", "upstream timed out", *["served"] * 9)
    deed, hand = make(), HandOfATest(tmp_path)
    said: Arguments = {"host": "web1", "topic": "time"}
    said["service"] = "nginx.service"
    deed.do(read_arguments(deed.takes, said), hand)
    first = read_stands_out(hand.said)
    assert (
        "log of nginx: errors in 1 of its last 11 lines, the newest:"
        " upstream timed out"
    ) in first
    assert any(one.startswith("nginx (systemd): nginx.s") for one in first)


def test_with_a_past_it_does_not_say_that_there_is_none(
    tmp_path: Path,
) -> None:
    """With a past of ten minutes nothing is said of it."""
    past = Past(SystemClock())
    deed, hand = make(past), HandOfATest(tmp_path)
    deed.do(order(deed, "cpu"), hand)
    assert "- no past yet" in hand.said
    past = Past(SystemClock())
    past.keep(make_snapshot(time.monotonic() - 600), {})
    deed, hand = make(past), HandOfATest(tmp_path)
    deed.do(order(deed, "cpu"), hand)
    assert "no past yet" not in hand.said
    assert "watched by us for 10 min" in hand.said


def test_the_output_is_bounded_by_its_setting(tmp_path: Path) -> None:
    """What stands out is kept, the rest is cut at a line."""
    deed, hand = make(output_bytes=4_000), HandOfATest(tmp_path)
    deed.do(order(deed, "general"), hand)
    assert len(hand.said.encode()) <= 4_000
    assert read_stands_out(hand.said)


def test_it_ends_with_the_time_of_its_job(tmp_path: Path) -> None:
    """A probe that takes for ever takes no more than there is."""

    def rest(lens: Lens, notes: Notes) -> None:
        """Note something and go on for long."""
        notes.say("slow", "seen")
        time.sleep(min(20.0, lens.seconds_left + 15))

    slow = Probe("slow", frozenset({"cpu"}), rest, seconds=60.0)
    deed, hand = made_of(slow=slow), HandOfATest(tmp_path, 2.5)
    since = time.monotonic()
    done = deed.do(order(deed, "cpu"), hand)
    assert time.monotonic() - since < 10
    assert done.state is JobState.SUCCEEDED
    assert "\nseen\nnot readable: it did not answer in " in hand.said


def test_if_nothing_at_all_can_be_read_it_failed(tmp_path: Path) -> None:
    """Only then: one line that was seen is evidence."""

    def fail(_lens: Lens, _notes: Notes) -> None:
        """Fail as a closed machine does."""
        raise PermissionError(13, "Permission denied")

    deed = made_of(a=Probe("a", frozenset({"cpu"}), fail))
    hand = HandOfATest(tmp_path)
    done = deed.do(order(deed, "cpu"), hand)
    assert done.state is JobState.FAILED
    assert "not readable: permission denied: it needs more rights" in hand.said


def test_it_can_be_told_to_end(tmp_path: Path) -> None:
    """A stop file ends it, and nothing is said of what it saw."""
    deed, hand = make(), HandOfATest(tmp_path)
    hand.stop_file.touch()
    with pytest.raises(Stopped):
        deed.do(order(deed, "time"), hand)


@pytest.mark.parametrize(
    "said",
    [
        {"host": "web1", "topic": "everything"},
        {"host": "web1; reboot", "topic": "cpu"},
        {"host": "web1", "topic": "cpu", "path": "/etc/shadow"},
        {"topic": "cpu"},
        {"host": "web1", "topic": "cpu", "service": "nginx; reboot"},
        {"host": "web1", "topic": "cpu", "service": "../../etc/shadow"},
        {"host": "web1", "topic": "cpu", "service": "--host=evil"},
        {"host": "web1", "topic": "cpu", "service": "ngіnx"},
    ],
)
def test_what_is_no_order_is_refused(tmp_path: Path, said: Arguments) -> None:
    """A strange topic, a host with a command, an argument too many."""
    deed = make()
    with pytest.raises(NotAccepted):
        deed.do(read_arguments(deed.takes, said), HandOfATest(tmp_path))


def test_its_settings_are_those_of_the_page() -> None:
    """20 seconds, and 200 kB."""
    settings = DiagnosticsSettings()
    assert (settings.seconds, settings.output_bytes) == (20.0, 200_000)


STRANGER = """
import os
from pathlib import Path
from tests.unit.act.local.test_collect import HandOfATest, make, order
# It is made before: another user may not read this tree.
deed, hand = make(), HandOfATest(Path("/nowhere"))
os.setgroups([])
os.setgid({gid})
os.setuid({uid})
done = deed.do(order(deed, {topic!r}), hand)
print(hand.said)
print("ended", os.geteuid(), done.state)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another")
@pytest.mark.parametrize("topic", ["disk", "io", "process"])
def test_an_ordinary_user_sees_what_he_may(topic: str) -> None:
    """It succeeds, and says what would need more rights."""
    nobody = pwd.getpwnam("nobody")
    code = STRANGER.format(uid=nobody.pw_uid, gid=nobody.pw_gid, topic=topic)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert f"ended {nobody.pw_uid} succeeded" in done.stdout, done.stderr
    assert "more rights" in done.stdout
