"""What stands out is clear: our own part, the past's weight, plain figures."""

import os
import runpy
import socket
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.act.local.look.looking import say_first
from app.act.local.look.probe import FIGURE, Limit, Notes, Oddity
from app.act.local.probes.cpu import OTHERS, note_odd, weigh_share
from app.act.local.probes.disk import Filled, Mount, fold, weigh_filled
from app.act.local.probes.latency import SECONDS, call_all, note_call
from app.act.local.probes.memory import weigh_growth
from app.core.look.amounts import percent
from app.core.look.ours import is_our_program
from app.core.look.past import Growth, Usual
from app.core.look.snapshot import take
from app.models.evidence import NOTHING
from tests.unit.act.local.rounds import MB, Round, make_proc, write

LOOK = Path(__file__).parents[4] / "host" / "look.py"
OWN = os.getpid()
GB = 1_000 * MB
HOUR, YOUNG = 3_480.0, 400.0


@pytest.mark.parametrize(
    ("more", "seconds", "expected"),
    [
        # A process that has just begun is no grower.
        (136 * MB, 75.0, None),
        (800 * MB, 75.0, None),
        # It takes a fifth of memory: whenever it did.
        (6 * GB, 75.0, "first"),
        (6 * GB, 1_800.0, "first"),
        (136 * MB, 1_800.0, None),
        (600 * MB, 1_800.0, "first"),
        # A short past weighs less than a limit.
        (600 * MB, 400.0, "later"),
    ],
)
def test_a_grower_is_no_noise(
    more: float, seconds: float, expected: str | None
) -> None:
    """So much, for so long; else it is only listed."""
    weight = weigh_growth(
        Growth(more, seconds), make_proc(7, rss=7 * GB // 7), 25 * GB
    )
    limit = 74.0
    if expected is None:
        assert weight == 0.0
    else:
        assert (weight > limit) == (expected == "first")
        assert weight > 20.0


def test_a_small_machine_has_a_smaller_floor() -> None:
    """A twentieth of memory is much there."""
    proc = make_proc(7, rss=100 * MB)
    assert weigh_growth(Growth(60.0 * MB, HOUR), proc, GB) > 0
    assert weigh_growth(Growth(40.0 * MB, HOUR), proc, GB) == 0


def test_a_large_process_that_breathes_is_no_grower() -> None:
    """A fifth of itself is what it takes."""
    proc = make_proc(7, rss=20 * GB)
    assert weigh_growth(Growth(1.0 * GB, HOUR), proc, 64 * GB) == 0
    assert weigh_growth(Growth(5.0 * GB, HOUR), proc, 64 * GB) > 0


LIMIT = Limit(90.0, 10.0, percent, 52.0)


@pytest.mark.parametrize("seconds", [YOUNG, HOUR])
def test_a_short_past_outranks_no_limit(seconds: float) -> None:
    """What is only unlike the past comes after plain limits."""
    notes = Notes()
    usual = Usual(12.0, 20.0, seconds, 100)
    notes.compare("cpu", 60.0, usual, LIMIT)
    notes.compare("cpu", 95.0, Usual(95.0, 96.0, seconds, 100), LIMIT)
    unlike, as_usual = (one.weight for one in notes.oddities())
    is_long = seconds == HOUR
    assert unlike == (45.0 if is_long else 30.0)
    # What began a few minutes ago is not excused by these.
    assert as_usual == (32.0 if is_long else 52.0)


@pytest.mark.parametrize(
    ("share", "usual", "weight", "says"),
    [
        (99.0, None, 82.0, ""),
        (60.0, None, 0.0, ""),
        (99.0, Usual(2.0, 5.0, HOUR, 100), 84.0, ", usually 2.0 % (median"),
        (99.0, Usual(99.0, 100.0, HOUR, 100), 40.0, " as usual"),
        # A runaway of a quarter of an hour is not usual.
        (99.0, Usual(99.0, 100.0, 900.0, 30), 82.0, ", so for 15 min"),
        (60.0, Usual(2.0, 5.0, HOUR, 100), 46.0, ", usually"),
        # Some looks of less than five minutes are no past.
        (60.0, Usual(2.0, 5.0, 200.0, 6), 0.0, ""),
        (99.0, Usual(99.0, 100.0, 200.0, 6), 82.0, ""),
        (60.0, Usual(2.0, 5.0, YOUNG, 13), 30.0, ", usually"),
    ],
)
def test_a_busy_process_is_weighed(
    share: float, usual: Usual | None, weight: float, says: str
) -> None:
    """Unlike its past, as always, or nobody knows."""
    found, words = weigh_share(share, usual, 80.0)
    assert int(found) == weight
    assert words.startswith(says)
    assert bool(words) == bool(says)


@pytest.mark.parametrize(
    ("used", "grown", "weight"),
    [
        (50.0, Growth(20.0, 1_800.0), 78.0),
        (50.0, Growth(2.0, 60.0), 0.0),
        (50.0, Growth(2.0, 400.0), 60.0),
        (50.0, Growth(25.0, 60.0), 60.0),
        (91.0, None, 65.0),
        (91.0, Growth(2.0, 60.0), 65.0),
        (98.0, None, 94.0),
    ],
)
def test_a_disk_that_fills_is_weighed(
    used: float, grown: Growth | None, weight: float
) -> None:
    """A pace of a minute is none, unless it is a fifth of the disk."""
    found, _ = weigh_filled(used, grown)
    assert found == weight


def test_that_the_past_is_short_is_said_last() -> None:
    """It qualifies what is said before it."""
    odd = [Oddity(90.0, "bad")]
    assert say_first(odd, 400.0)[-1] == (
        "a short past to compare with: this machine has been watched for 7 min"
    )
    assert say_first(odd, 30.0)[-1].startswith("no past yet to compare with")
    assert say_first(odd, 700.0) == ("bad",)


def test_plain_figures_follow_what_stands_out() -> None:
    """With nothing bad they are what a person wants to know."""
    figure = Oddity(FIGURE, "cpu 12 % of 2 cores")
    assert say_first([figure], HOUR) == (NOTHING, figure.text)
    bad = Oddity(36.0, "bad")
    assert say_first([figure, bad], HOUR) == ("bad", figure.text)


def test_the_first_lines_of_a_calm_machine_have_figures() -> None:
    """Cores, memory and the fullest disk, each in a line."""
    found = Round("cpu", "memory", "disk").first
    for beginning in (
        # Of what is full it is said that it is, and then with what.
        ("cpu ", "most cpu, in % of a core: "),
        ("memory ", "most memory: "),
        ("fullest file system: ",),
    ):
        assert any(one.startswith(beginning) for one in found), found


def test_we_are_marked_as_such() -> None:
    """Our own process is told apart from a culprit."""
    lens = Round("machine").lens
    procs = take().procs.values()
    own = next(one for one in procs if one.pid == os.getpid())
    first = next(one for one in procs if one.pid == 1)
    assert lens.is_ours(own)
    assert lens.who(own).endswith(" (this is us)")
    assert lens.mark(own) == " (this is us)"
    assert not lens.is_ours(first)
    assert lens.mark(first) == ""
    assert "(this is us)" not in lens.describe(first, 0.0)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([sys.executable, "-m", "app.act.local", "--for", "x"], True),
        ([sys.executable, "main.py", "serve", "--config", "x"], True),
        (["/srv/other/bin/python", "main.py", "serve"], False),
        ([sys.executable, "-m", "pytest"], False),
        ([sys.executable, "other.py", "serve"], False),
        ([], False),
    ],
)
def test_the_service_and_its_hands_are_known(
    words: list[str], expected: bool
) -> None:
    """By the interpreter that is ours and what it runs."""
    assert is_our_program(words) is expected


def test_we_stand_out_less_and_by_name() -> None:
    """A look that takes a whole core is told, after culprits and totals."""
    lens = Round("machine").lens
    own = next(one for one in take().procs.values() if one.pid == OWN)
    notes = Notes()
    assert note_odd(lens, notes, (own, 99.0), 20.0, 0.0)
    assert not note_odd(lens, notes, (own, 60.0), 20.0, 0.0)
    (odd,) = notes.oddities()
    assert odd.weight < 55.0
    assert f"[{OWN}] takes 99 % of a core" in odd.text
    assert " (this is us): " in odd.text


def test_the_total_comes_after_the_first_who_share_it() -> None:
    """Five that share a crowded machine are said after how busy it is."""
    lens = Round("machine").lens
    first = next(one for one in take().procs.values() if one.pid == 1)
    notes = Notes()
    note_odd(lens, notes, (first, 60.0), 20.0, 0.0)
    note_odd(lens, notes, (first, 50.0), 20.0, OTHERS)
    top, other = (one.weight for one in notes.oddities())
    assert top > 68.0 > other


def test_a_service_of_ours_is_known_by_its_group(tmp_path: Path) -> None:
    """All of one service is one; a session is shared with strangers."""
    other, alike, user = (
        make_proc(pid) for pid in (900_001, 900_002, 900_003)
    )
    for pid, group in (
        (os.getpid(), "0::/system.slice/smokejumper-hands.service"),
        (900_001, "0::/system.slice/nginx.service"),
        (900_002, "0::/system.slice/smokejumper.service"),
        (900_003, "0::/user.slice/session-1.scope"),
    ):
        write(tmp_path, f"proc/{pid}/cgroup", f"{group}\n")
        write(tmp_path, f"proc/{pid}/cmdline", "x\0")
    write(tmp_path, "proc/self/mountinfo", "")
    lens = Round(root=tmp_path).lens
    assert [lens.is_ours(one) for one in (other, alike, user)] == [
        False,
        True,
        False,
    ]


def test_a_refused_call_is_no_silent_one() -> None:
    """Its listener has ended; one that does not answer is another thing."""
    with closing(socket.socket()) as gone:
        gone.bind(("127.0.0.1", 0))
        place = gone.getsockname()
        found = call_all([place])
    (said,) = found.values()
    assert isinstance(said, OSError)
    notes = Notes()
    note_call(notes, place, said, is_there=False)
    (section,) = notes.sections(9)
    assert section.lines[0].endswith("refused: it has just ended")
    assert notes.oddities() == []
    note_call(notes, place, said, is_there=True)
    (odd,) = notes.oddities()
    assert odd.text.endswith("listens and refuses connections")
    note_call(notes, place, None, is_there=True)
    assert f"not connected in {SECONDS:.0f} s" in notes.sections(9)[0].lines[2]


def test_an_address_that_cannot_be_called_is_no_fault() -> None:
    """A link-local one needs the name of its interface."""
    place = ("fe80::1", 9)
    (said,) = call_all([place]).values()
    assert isinstance(said, OSError)
    notes = Notes()
    note_call(notes, place, said, is_there=True)
    assert notes.oddities() == []
    assert ": not called: " in notes.sections(9)[0].lines[0]


CONTAINERS = "".join(
    f"{n} 1 0:{n} / /var/lib/docker/overlay2/{n}/merged rw - overlay"
    f" overlay rw,lowerdir=/x\n"
    for n in range(100, 130)
)
SUBVOLUMES = (
    "1 0 0:30 / / rw - btrfs /dev/sda2 rw\n"
    "2 1 0:31 / /home rw - btrfs /dev/sda2 rw\n"
    "3 1 0:32 / /usr rw - btrfs /dev/sda2 rw\n"
)


@pytest.mark.parametrize("mounts", [CONTAINERS, SUBVOLUMES])
def test_one_disk_is_one_finding(tmp_path: Path, mounts: str) -> None:
    """Containers and subvolumes are of the disk that they are on."""
    root = "" if mounts == SUBVOLUMES else "1 0 8:1 / / rw - ext4 /dev/sda1 rw"
    write(tmp_path, "proc/self/mountinfo", f"{root}\n{mounts}".lstrip("\n"))
    lines = Round("disk", root=tmp_path).lines("file systems")
    assert len(lines) == 1
    found = mounts_elsewhere()(f"{root}\n{mounts}".strip("\n"))
    assert [place for place, _ in found] == ["/"]


def mounts_elsewhere() -> Any:
    """Return what finds the file systems of other hosts."""
    return runpy.run_path(str(LOOK))["find_mounts"]


def test_disks_of_one_size_are_two() -> None:
    """As tmpfs of one size are; only what a container is on is folded."""
    root = Mount("/", "overlay", "overlay", "0:9", is_read_only=False)
    hosts = Mount("/etc/hosts", "ext4", "/dev/sda1", "8:1", is_read_only=False)
    data = Mount("/data", "ext4", "/dev/sdb1", "8:2", is_read_only=False)
    filled = Filled(100 * GB, 3 * GB, 97.0, 1.0)
    other = Filled(100 * GB, 50 * GB, 50.0, 1.0)
    found = fold([(root, filled), (hosts, filled), (data, other)])
    assert [mount.place for mount, _ in found] == ["/", "/data"]
    real = Mount("/", "ext4", "/dev/sda1", "8:1", is_read_only=False)
    found = fold([(real, filled), (data, filled)])
    assert [mount.place for mount, _ in found] == ["/", "/data"]


def test_one_disk_is_one_finding_elsewhere() -> None:
    """The files that a container is given are of the disk of its root."""
    lines = (
        "1 0 0:9 / / rw - overlay overlay rw\n"
        "2 1 8:1 /x /etc/hosts rw - ext4 /dev/sda1 rw\n"
        "3 1 8:2 / /data rw - ext4 /dev/sdb1 rw"
    )
    found = mounts_elsewhere()(lines)
    assert [place for place, _ in found] == ["/", "/etc/hosts", "/data"]
    full = SimpleNamespace(f_blocks=1_000, f_frsize=4_096, f_bavail=10)
    half = SimpleNamespace(f_blocks=1_000, f_frsize=4_096, f_bavail=500)
    is_same = runpy.run_path(str(LOOK))["is_same"]
    assert is_same(full, full)
    assert not is_same(full, half)
