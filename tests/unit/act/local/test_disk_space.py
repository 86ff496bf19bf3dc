"""The deed: a full disk is found, cleaned up by its rules, and measured."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.act.local.hand import Stopped, Unwilling
from app.core.errors import OutgoingFailed
from app.core.folders import weigh
from app.models.job import JobState
from app.models.verdict import Judgement
from tests.unit.act.local.disks import do, make, make_allotted
from tests.unit.act.local.sweeps import (
    fingerprint,
    mount_disk,
    needs_linux,
    needs_root,
    write,
)
from tests.unit.verify.making import here, make_check, measure

pytestmark = needs_linux
KIB = 1_024
MIB = 1_048_576
HOME = Path(__file__).parents[4]
# What an ordinary user does; it becomes one only after the imports.
AS_NOBODY = """
import ctypes, os, sys, time
from pathlib import Path
from tests.unit.act.local.disks import Env, make_hand
from app.act.local.deeds.free_disk_space import plugin
root = Path(sys.argv[1])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1)
(root / "mine").write_bytes(bytes(2_000_000))
env = Env([{"root": str(root), "globs": ["**"]}], until_percent=5)
arguments = plugin(env).takes(host="web-1", path=str(root))
print(plugin(env).do(arguments, make_hand(root, print)).reason)
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Lend a file system of 16 MiB."""
    with mount_disk(tmp_path / "disk", "size=16m") as at:
        yield at


@needs_root
def test_a_full_disk_is_found_and_cleaned_up(disk: Path) -> None:
    """The oldest logs go until enough is free; the figures say it."""
    outside = write(disk.parent / "outside" / "old.log", 100).parent
    sentinel = fingerprint(outside)
    (disk / "logs").mkdir()
    (disk / "logs" / "link.log").symlink_to(outside / "old.log")
    write(disk / "data" / "base.log", MIB)
    for days in range(10, 24):
        write(disk / "logs" / f"{days}.log", MIB, days=days)
    check = make_check("disk_has_room")
    subject = here(arguments={"path": str(disk)})
    first = measure(check, subject)
    assert check.judge(None, first) is Judgement.BAD
    before = psutil.disk_usage(str(disk))
    done, said = do(make(disk / "logs", "*.log", until=55), disk)
    after = psutil.disk_usage(str(disk))
    assert check.judge(first, measure(check, subject)) is Judgement.GOOD
    assert before.percent > 90
    assert 45 < after.percent <= 55
    assert done.state is JobState.SUCCEEDED
    left = {path.name for path in (disk / "logs").iterdir()}
    count = 14 - len(left - {"link.log"})
    assert left == {"link.log", *(f"{d}.log" for d in range(10, 24 - count))}
    assert f"removed {count} files" in done.reason
    assert f"{before.percent:.1f} % -> {after.percent:.1f} %" in done.reason
    assert f"({before.free} bytes)" in said
    assert f"({after.free} bytes)" in said
    assert "enough is free" in said
    assert (disk / "data" / "base.log").exists()
    assert fingerprint(outside) == sentinel


@needs_root
def test_the_plan_is_said_before_anything_goes(disk: Path) -> None:
    """With its hash, its figures and its first paths."""
    for days in range(10, 24):
        write(disk / f"{days}.log", MIB, days=days)
    seen: list[int] = []

    def hear(text: str) -> None:
        """Count the files at each line of the plan."""
        if "sha256" in text or "/10.log" in text:
            seen.append(len(list(disk.iterdir())))

    _, said = do(make(disk), disk, hear)
    assert seen == [14, 14]
    plan = said.index("plan: 14 files, 14.7 MB, sha256 ")
    assert plan < said.index("/23.log") < said.index("/10.log")
    assert said.index("/10.log") < said.index("removed: ")


@needs_root
def test_no_more_than_200_paths_are_said(disk: Path) -> None:
    """The others are counted."""
    for number in range(230):
        write(disk / f"{number:03}", 60 * KIB, days=40 - number / 10)
    _, said = do(make(disk, until=30), disk)
    assert "/199\n" in said
    assert "/200\n" not in said
    assert "  and 30 more\n" in said


@needs_root
def test_what_else_there_is_is_said(disk: Path) -> None:
    """The largest folders and files, and what is deleted but still held."""
    write(disk / "data" / "huge.bin", 6 * MIB, days=-9)
    write(disk / "old.log", 3 * MIB)
    held = write(disk / "held.log", 5 * MIB)
    with held.open("rb"):
        held.unlink()
        done, said = do(make(disk), disk)
    assert "5.2 MB are taken by 1 deleted files" in said
    assert f"(pid {os.getpid()}): {held}" in said
    largest = said[said.index(f"What fills {disk}") :]
    assert f"6.3 MB  {disk}/data/huge.bin" in largest
    # Not enough was there to remove: that is for people, and they see why.
    assert done.state is JobState.SUCCEEDED
    assert "removed 1 files" in done.reason


@needs_root
def test_inodes_run_out_too(tmp_path: Path) -> None:
    """A disk that is full of empty files is a full disk."""
    with mount_disk(tmp_path / "disk", "size=16m", "nr_inodes=400") as disk:
        for number in range(380):
            write(disk / f"{number}", 0)
        done, said = do(make(disk, until=60), disk)
        left = os.statvfs(disk)
    assert 1 - left.f_ffree / left.f_files <= 0.6
    assert "inodes 95." in done.reason
    assert done.state is JobState.SUCCEEDED
    assert "inodes: 95." in said


@needs_root
def test_nothing_goes_while_there_is_room(disk: Path) -> None:
    """It was full when somebody was told, and is not any more."""
    write(disk / "old.log", MIB)
    with pytest.raises(Unwilling, match=r"6\.\d % .* nothing was removed"):
        do(make(disk), disk)
    assert (disk / "old.log").exists()


@needs_root
def test_nothing_that_may_go(disk: Path) -> None:
    """What is left is too new: it is said, and the job has failed."""
    write(disk / "new.log", 14 * MIB, days=-9)
    done, said = do(make(disk), disk)
    assert done.state is JobState.FAILED
    assert "nothing could be removed" in done.reason
    assert "not in the plan: too new: 1" in said
    assert (disk / "new.log").exists()


@needs_root
def test_only_rules_about_the_path(disk: Path, tmp_path: Path) -> None:
    """Below it, or around it; on its file system; by its mount point."""
    write(disk / "a" / "b" / "old.log", MIB)
    write(disk / "a" / "old.log", 13 * MIB)
    elsewhere = write(tmp_path / "old.log", 1_000)
    with pytest.raises(Unwilling, match=r"no rule .*\.free-disk-space\.rules"):
        do(make(disk / "c"), disk / "a")
    with pytest.raises(Unwilling, match="no rule"):
        do(make(tmp_path / "other"), disk)
    do(make(disk / "a"), disk / "a" / "b")
    assert not (disk / "a" / "b" / "old.log").exists()
    assert (disk / "a" / "old.log").exists()
    with pytest.raises(Unwilling, match="no rule"):
        do(make(tmp_path), disk)
    assert elsewhere.exists()
    done, _ = do(make(disk / "a"), disk)
    assert done.state is JobState.SUCCEEDED
    assert not (disk / "a" / "old.log").exists()


@needs_root
def test_a_root_on_another_file_system_is_left_out(disk: Path) -> None:
    """Cleaning it up would not help, so nothing there is touched."""
    write(disk / "big", 14 * MIB, days=-9)
    with mount_disk(disk / "more") as more:
        old = write(more / "old.log", MIB)
        with pytest.raises(Unwilling, match="no rule"):
            do(make(more), disk)
        assert old.exists()


@needs_root
@pytest.mark.parametrize("part", ["repo/build", "audit/old", "repo"])
def test_a_part_that_is_kept(disk: Path, part: str) -> None:
    """A path within what is kept does not make it less so."""
    write(disk / "repo" / ".git" / "HEAD", 10)
    old = write(disk / part / "sub" / "old.log", 14 * MIB)
    try:
        done, _ = do(make(disk), disk / part)
    except Unwilling:
        assert part != "repo"
    else:
        assert done.state is JobState.FAILED
    assert old.exists()


@needs_root
def test_a_link_is_no_root(disk: Path) -> None:
    """Whoever could turn it would choose what is removed."""
    old = write(disk / "real" / "old.log", 14 * MIB)
    (disk / "link").symlink_to("real")
    with pytest.raises(Unwilling, match="no rule"):
        do(make(disk / "link"), disk)
    assert old.exists()


@needs_root
def test_it_is_ended_in_the_middle(disk: Path) -> None:
    """What was removed by then is said; the rest stays."""
    for number in range(100):
        write(disk / f"{number:03}", 140 * KIB, days=40 - number / 10)
    stop = disk.parent / "stop"
    said: list[str] = []

    def hear(text: str) -> None:
        """Change a file of the plan; end it when that one is skipped."""
        said.append(text)
        if text.startswith("plan: "):
            (disk / "010").chmod(0o600)
        elif text.startswith("skipped "):
            stop.touch()

    with pytest.raises(Stopped):
        do(make(disk, until=5), disk, hear)
    assert len(list(disk.iterdir())) == 90
    assert "removed: 10 files, 1.4 MB; it was ended: it was told to" in (
        "".join(said)
    )
    assert said[-1].startswith("after: ")


@needs_root
def test_one_at_a_time(disk: Path) -> None:
    """A second clean-up would count what the first one frees."""
    write(disk / "old.log", 14 * MIB)
    deed = make(disk)
    refused: list[str] = []

    def hear(text: str) -> None:
        """Ask for a second one while the first is at work."""
        if text.startswith("plan: "):
            with pytest.raises(Unwilling) as caught:
                do(deed, disk)
            refused.append(str(caught.value))

    do(deed, disk, hear)
    assert refused == ["another clean-up is still at work here"]
    write(disk / "old.log", 14 * MIB)
    assert do(deed, disk)[0].state is JobState.SUCCEEDED


@needs_root
def test_an_ordinary_user_removes_its_own() -> None:
    """What others have stays; that not all is seen is said."""
    with (
        tempfile.TemporaryDirectory() as above,
        mount_disk(Path(above) / "disk", "size=8m", "mode=1777") as disk,
    ):
        Path(above).chmod(0o755)
        theirs = write(disk / "theirs", 2 * MIB)
        words = [sys.executable, "-c", AS_NOBODY, str(disk)]
        done = subprocess.run(
            words,
            cwd=HOME,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "removed 1 files" in done.stdout, done.stderr
        assert "not all open files are known: we may not see" in done.stdout
        assert "it cannot be told whether it is open: 1" in done.stdout, (
            done.stdout
        )
        assert theirs.exists()
        assert not (disk / "mine").exists()


@pytest.mark.parametrize("what", ["os.path.realpath", "Root"])
def test_a_path_that_hangs_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Its server is away: one thread waits for it, however often we come."""
    release = threading.Event()

    def hang(path: str) -> str:
        """Wait until the test is over."""
        if path == str(tmp_path):
            release.wait(30)
        return path

    module = "app.act.local.deeds.free_disk_space"
    monkeypatch.setattr(f"{module}.{what}", hang)
    monkeypatch.setattr(f"{module}.LOOK_SECONDS", 0.05)
    deed = make(tmp_path, "*.log")
    try:
        with pytest.raises(Unwilling, match="did not answer in"):
            do(deed, tmp_path)
        count = threading.active_count()
        with pytest.raises(Unwilling, match="an earlier look at it still"):
            do(deed, tmp_path)
        assert threading.active_count() == count
    finally:
        release.set()


def test_a_folder_with_a_size_is_cleaned_up(tmp_path: Path) -> None:
    """It is swept by its own size: the oldest go, what lies beside stays."""
    beside = write(tmp_path / "beside" / "old.log", MIB)
    folder = tmp_path / "spool"
    for number in range(8):
        write(folder / f"app.log.{number}", MIB, days=30 - number)
    done, said = do(make_allotted(folder, 8, until=55), folder)
    assert done.state is JobState.SUCCEEDED
    assert "removed 4 files" in done.reason
    left = sorted(path.name for path in folder.iterdir())
    assert left == [f"app.log.{number}" for number in range(4, 8)]
    assert beside.exists()
    assert "of 8" in said.partition("plan:")[0]


def test_a_folder_is_not_walked_through_for_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a look takes long, few are taken, and enough is removed."""
    for number in range(300):
        write(tmp_path / f"app.log.{number}", 8 * KIB)
    now, looks = [time.monotonic()], []

    def walk(path: str) -> int:
        """Take a second to say it."""
        now[0] += 1.0
        looks.append(path)
        return weigh(path)

    monkeypatch.setattr("app.act.local.sweep.space.weigh_folder", walk)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    done, _ = do(make_allotted(tmp_path, 3, until=40), tmp_path)
    assert done.state is JobState.SUCCEEDED
    # No more went than had to, though the size counts the folder, too.
    assert 0.39 <= weigh(str(tmp_path)) / (3 * MIB) <= 0.4
    assert len(looks) < 10


def test_what_went_is_told_though_nobody_knows_how_full_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others write so much meanwhile that nobody walks through it."""
    for number in range(30):
        write(tmp_path / f"app.log.{number}", 256 * KIB)

    def walk(path: str) -> int:
        """Give up once something was removed."""
        if len(list(tmp_path.iterdir())) < 20:
            raise OutgoingFailed(f"{path}: more than 20000 entries")
        return weigh(path)

    monkeypatch.setattr("app.act.local.sweep.space.weigh_folder", walk)
    told: list[str] = []
    with pytest.raises(OutgoingFailed, match="more than 20000"):
        do(make_allotted(tmp_path, 8, until=10), tmp_path, told.append)
    gone = 30 - len(list(tmp_path.iterdir()))
    assert gone > 10
    assert f"removed: {gone} files" in "".join(told)


def test_a_folder_with_room_is_left_alone(tmp_path: Path) -> None:
    """How full the disk around it is does not matter."""
    kept = write(tmp_path / "app.log.1", 64 * KIB)
    with pytest.raises(Unwilling, match="nothing was removed"):
        do(make_allotted(tmp_path, 8, until=50), tmp_path)
    assert kept.exists()
