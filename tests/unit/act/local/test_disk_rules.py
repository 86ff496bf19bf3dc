"""The deed that frees disk space: what it is asked, and what it may do."""

from pathlib import Path
from typing import Any

import psutil
import pytest

from app.act.local.deed import read_arguments
from app.act.local.hand import Stopped, Unwilling
from app.act.local.sweep.beneath import Root
from app.act.local.sweep.cleaning import find_part
from app.act.local.sweep.sweeprules import USUAL, JournalRule
from app.act.local.sweep.vacuum import FOLDER, vacuum
from app.core.errors import NotAccepted
from app.models.job import JobState
from app.verify.checks.path_is_listed import PathSettings, is_below
from tests.unit.act.local.disks import make, make_hand
from tests.unit.act.local.sweeps import (
    needs_linux,
)

pytestmark = needs_linux


@pytest.mark.parametrize(
    "path", ["/no/such/folder", "D:", "/etc/hostname", "/proc/1/mem"]
)
def test_a_path_that_is_no_folder(tmp_path: Path, path: str) -> None:
    """Nothing is cleaned up there."""
    deed = make(tmp_path)
    arguments = read_arguments(deed.takes, {"host": "web-1", "path": path})
    with pytest.raises(Unwilling):
        deed.do(arguments, make_hand(tmp_path, lambda _: None))


@pytest.mark.parametrize(
    "arguments",
    [
        {"host": "web-1", "path": "../etc"},
        {"host": "web-1", "path": "/tmp;rm"},
        {"host": "a b", "path": "/tmp"},
    ],
)
def test_odd_arguments(tmp_path: Path, arguments: dict[str, str]) -> None:
    """This is the second lock: whoever sent them has looked, too."""
    deed = make(tmp_path)
    with pytest.raises(NotAccepted):
        deed.do(
            read_arguments(deed.takes, dict(arguments)),
            make_hand(tmp_path, lambda _: None),
        )


@pytest.mark.parametrize(
    "said", [{"host": "a"}, {"host": "a", "path": "/tmp", "force": 1}]
)
def test_only_its_arguments(tmp_path: Path, said: dict[str, Any]) -> None:
    """Nothing is left out, and nothing is added."""
    with pytest.raises(NotAccepted, match="arguments are wrong"):
        read_arguments(make(tmp_path).takes, said)


def test_where_a_rule_begins(tmp_path: Path) -> None:
    """The root below the path, the part below the root, or all of it."""
    folder = tmp_path / "log"
    folder.mkdir()
    with Root(str(folder)) as place:
        assert find_part(place, str(folder)) == ""
        assert find_part(place, str(folder / "app")) == ""
        assert find_part(place, str(tmp_path)) == "log"
        assert find_part(place, str(tmp_path / "logs")) is None
        assert find_part(place, FOLDER) is None
    with Root("/") as top:
        assert find_part(top, str(folder)) == ""


def test_the_precondition_knows_the_usual_roots() -> None:
    """What is cleaned up by default is what may be cleaned up by default."""
    listed = PathSettings().paths
    for rule in USUAL:
        assert any(is_below(rule.root, one) for one in listed)


def test_the_journal_is_made_smaller_by_its_own_tool() -> None:
    """With fixed words; what it says before and after is shown."""
    rule = JournalRule(keep_mb=100_000, keep_days=3_000)
    assert rule.words == ("--vacuum-size=100000M", "--vacuum-time=3000d")
    assert JournalRule().words == ()
    said = vacuum(rule.words, lambda: None)
    if "is not on this machine" in said:
        pytest.skip("there is no journalctl")
    assert said.startswith("journalctl --vacuum-size=100000M ")
    assert said.count("journals take up") == 2


def test_what_journalctl_could_not_do_is_shown() -> None:
    """Else an unchanged size is all that a person sees."""
    said = vacuum(("--vacuum-size=much",), lambda: None)
    if "is not on this machine" in said:
        pytest.skip("there is no journalctl")
    assert "journalctl: Failed to parse" in said


def test_the_journal_is_left_when_it_must_end() -> None:
    """Whoever waits for it may end meanwhile, and no process stays."""
    before = {one.pid for one in psutil.Process().children()}

    def check() -> None:
        """End it at once."""
        raise Stopped(JobState.ABORTED, "it was told to end")

    with pytest.raises(Stopped):
        vacuum(("--vacuum-time=3000d",), check)
    assert {one.pid for one in psutil.Process().children()} == before
