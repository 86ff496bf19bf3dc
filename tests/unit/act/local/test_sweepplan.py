"""The plan: what the rules allow, and nothing that anybody needs."""

import os
import socket
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.act.local.sweep.beneath import Root, Way
from app.act.local.sweep.descent import MORE, MOST_DEPTH, Descent
from app.act.local.sweep.sweepplan import Planner, show, unite
from app.act.local.sweep.sweeprules import MARKS
from tests.unit.act.local.sweeps import (
    NOTHING_OPEN,
    WAYS,
    age,
    later,
    make_rule,
    make_way,
    mount_disk,
    mounted,
    needs_linux,
    needs_root,
    paths,
    plan,
    write,
)

pytestmark = needs_linux


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Return each way of opening."""
    return make_way(request.param)


def test_the_oldest_come_first(tmp_path: Path, way: Way) -> None:
    """Whatever their names and folders are."""
    for name, days in (("a", 20), ("sub/b", 40), ("sub/deep/c", 30)):
        write(tmp_path / name, days=days)
    found = plan(make_rule(tmp_path), way)
    assert paths(found) == ["sub/b", "sub/deep/c", "a"]
    one = found.files[0]
    said = (tmp_path / "sub/b").stat()
    assert (one.device, one.inode) == (said.st_dev, said.st_ino)
    assert (one.size, one.mtime) == (said.st_size, said.st_mtime_ns)
    assert one.room == 512 * said.st_blocks


def test_content_and_all_else_must_be_old(tmp_path: Path, way: Way) -> None:
    """A date that was set back does not make a file old."""
    write(tmp_path / "old")
    rule = make_rule(tmp_path)
    now = time.time_ns() // 1_000
    found = plan(rule, way, now)
    assert paths(found) == []
    assert found.left["too new"] == 1
    write(tmp_path / "new", days=-9)
    found = plan(rule, way, later())
    assert paths(found) == ["old"]
    assert found.left["too new"] == 1
    assert paths(plan(make_rule(tmp_path, min_age_hours=1_000), way)) == []


def test_a_rule_may_look_at_the_content_alone(tmp_path: Path) -> None:
    """What was rotated today, and written last week, is old then."""
    write(tmp_path / "app.log.1", days=8)
    write(tmp_path / "app.log")
    age(tmp_path / "app.log", 0)
    found = plan(make_rule(tmp_path, age="content"), now=later(0))
    assert paths(found) == ["app.log.1"]
    assert not paths(plan(make_rule(tmp_path), now=later(0)))


def test_only_plain_files_with_one_name(tmp_path: Path, way: Way) -> None:
    """No link, no pipe, no socket, no device, nothing of two names."""
    root = tmp_path / "root"
    write(root / "plain")
    write(root / "twice").with_name("again").hardlink_to(root / "twice")
    (root / "link").symlink_to(write(tmp_path / "outside"))
    (root / "folder-link").symlink_to(tmp_path)
    os.mkfifo(root / "pipe")
    if not os.geteuid():
        os.mknod(root / "device", 0o600 | 0o060000, os.makedev(7, 200))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "talk"))
        found = plan(make_rule(root), way)
    assert paths(found) == ["plain"]
    assert found.left == {"it has other names": 2}


@needs_root
def test_nothing_is_below_a_mount_point(tmp_path: Path, way: Way) -> None:
    """Neither of another disk nor of a folder that is shown twice."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    write(root / "mine")
    write(root / "file")
    write(outside / "theirs")
    with (
        mount_disk(root / "disk"),
        mounted(root / "bound", "--bind", str(outside)),
        mounted(root / "file", "--bind", str(outside / "theirs")),
    ):
        write(root / "disk" / "theirs")
        assert paths(plan(make_rule(root), way)) == ["mine"]
    assert paths(plan(make_rule(root), way, start="bound")) == []


def test_special_names_stay(tmp_path: Path, way: Way) -> None:
    """Locks, databases, journals, hidden files, private folders, audits."""
    for name in (
        "lost+found/a",
        "systemd-private-1-nginx.service-x/tmp/a",
        "audit/audit.log.1",
        "journal/m/system.journal",
        "daemon.pid",
        "apt/lock",
        "state.sqlite3-wal",
        "wtmp",
        "key.pem",
        ".X0-lock",
        ".ssh/known",
        "tmux-0/default",
    ):
        write(tmp_path / name)
    write(tmp_path / "rubbish")
    assert paths(plan(make_rule(tmp_path), way)) == ["rubbish"]


@pytest.mark.parametrize("mark", sorted(MARKS))
def test_marked_folders_stay(tmp_path: Path, way: Way, mark: str) -> None:
    """A database's folder, somebody's work, and what is said to be kept."""
    write(tmp_path / "data" / mark)
    write(tmp_path / "data" / "a")
    write(tmp_path / "data" / "base" / "b")
    write(tmp_path / "rubbish")
    found = plan(make_rule(tmp_path), way)
    assert paths(found) == ["rubbish"]
    assert found.left["its folder says that it is kept"] == 1


def test_the_newest_may_be_kept(tmp_path: Path, way: Way) -> None:
    """So many in each folder, whatever age they have."""
    for days in (10, 20, 30):
        write(tmp_path / "a" / f"{days}.log", days=days)
        write(tmp_path / "b" / f"{days}.log", days=days)
    write(tmp_path / "b" / "now.log", days=-9)
    write(tmp_path / "b" / "other.txt", days=-9)
    found = plan(make_rule(tmp_path, "**/*.log", keep=2), way)
    assert set(paths(found)) == {"a/30.log", "b/20.log", "b/30.log"}


def test_only_what_an_owner_has(tmp_path: Path, way: Way) -> None:
    """By number, by name, or whoever we are; an unknown name is nobody."""
    write(tmp_path / "mine")
    if not os.geteuid():
        os.chown(write(tmp_path / "theirs"), 12_345, -1)
    for owners, expected in (
        (["self"], ["mine"]),
        ([os.geteuid()], ["mine"]),
        (["no-such-user-here"], []),
        ([12_345], ["theirs"] if not os.geteuid() else []),
    ):
        rule = make_rule(tmp_path, owners=owners)
        assert paths(plan(rule, way)) == expected


def test_caps(tmp_path: Path) -> None:
    """The oldest first, until so many or so much are in it."""
    for days in range(10, 20):
        write(tmp_path / f"{days}", 8_192, days=days)
    found = plan(make_rule(tmp_path, max_files=3))
    assert paths(found) == ["19", "18", "17"]
    assert found.left["more than max_files"] == 7
    found = plan(make_rule(tmp_path, max_bytes=20_000))
    assert paths(found) == ["19", "18"]
    assert found.left["more than max_bytes"] == 8
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(10_000_000)
    age(tmp_path / "holes", 30)
    assert "holes" not in paths(plan(make_rule(tmp_path, max_bytes=20_000)))


def test_the_walk_is_bounded(tmp_path: Path) -> None:
    """In entries, in time and in depth; what was not seen is said."""
    for number in range(30):
        write(tmp_path / f"{number}")
    deep = tmp_path / "/".join("d" * (MOST_DEPTH + 3))
    write(deep / "file")
    rule = make_rule(tmp_path)
    with Root(rule.root) as root:
        for bounds, missed in (
            ((20, 60.0), MORE),
            ((9_999, -1.0), MORE),
            ((9_999, 60.0), "too deep"),
        ):
            planner = Planner(rule, root, later(), NOTHING_OPEN)
            found = planner.plan("", Descent(lambda: None, *bounds))
            assert found.left[missed] == 1
            assert len(found.files) <= bounds[0]


def test_a_file_is_planned_once(tmp_path: Path) -> None:
    """Though two rules are about it; each rule has its own caps."""
    for days in (10, 20):
        write(tmp_path / "sub" / f"{days}", days=days)
    found = unite(
        [plan(make_rule(tmp_path, max_files=1)), plan(make_rule(tmp_path))]
    )
    assert paths(found) == ["sub/20", "sub/10"]


def test_the_hash_is_about_everything(tmp_path: Path) -> None:
    """The same list has the same hash; any change gives another one."""
    file = write(tmp_path / "a")
    write(tmp_path / "b", days=30)
    rule = make_rule(tmp_path)
    first = plan(rule)
    assert plan(rule).digest == first.digest
    assert len(first.digest) == 64
    seen = {first.digest, first._replace(files=first.files[1:]).digest}
    file.chmod(0o600)
    seen.add(plan(rule).digest)
    file.rename(tmp_path / "c")
    seen.add(plan(rule).digest)
    assert len(seen) == 4


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_shown_paths_are_told_apart(one: str, other: str) -> None:
    """No name writes a line of its own, or looks like another."""
    assert show(one).isprintable()
    assert (show(one) == show(other)) is (one == other)
