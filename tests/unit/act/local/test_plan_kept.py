"""The plan of a clean-up: hashed, written down, and nothing else removed."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from app.act.local.deed import Done, read_arguments
from app.act.local.hand import Unwilling
from app.act.local.journal import Journal
from app.act.local.notes import PLAN
from app.act.local.sweep import cleaning
from app.act.local.sweep.sweeping import Sweeper
from app.act.local.sweep.sweepplan import Plan, Planned
from app.models.job import JobState
from tests.unit.act.backends.making import order
from tests.unit.act.local.disks import do, make_allotted, make_hand
from tests.unit.act.local.sweeps import (
    fingerprint,
    make_rule,
    needs_linux,
    plan,
    sweeping,
    write,
)

pytestmark = needs_linux
MIB = 1_048_576
KIB = 1_024
Files = tuple[Planned, ...]
CHANGES: dict[str, Callable[[Files], Files]] = {
    "one more": lambda files: (*files, files[-1]),
    "one less": lambda files: files[1:],
    "in another order": lambda files: files[::-1],
    "another size": lambda files: (
        msgspec.structs.replace(files[0], size=1),
        *files[1:],
    ),
    "another path": lambda files: (
        msgspec.structs.replace(files[0], path="kept"),
        *files[1:],
    ),
    "none": lambda _files: (),
}


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """Return a folder of 8 MiB with room for 300 files of 20 KiB."""
    folder = tmp_path / "spool"
    for number in range(300):
        write(folder / f"{number:03}.log", 20 * KIB, days=40 - number / 10)
    return folder


def clean(folder: Path, hear: Callable[[str], object]) -> Done:
    """Clean up a folder of a job whose journal is not there."""
    deed = make_allotted(folder, 8, until=40)
    asked: dict[str, str | int] = {"host": "web-1", "path": str(folder)}
    hand = make_hand(folder.parent / "nowhere", hear)
    return deed.do(read_arguments(deed.takes, asked), hand)


def test_the_whole_plan_is_written_down_before(spool: Path) -> None:
    """All its lines, for us alone; its hash is the one that was said."""
    seen: list[int] = []

    def hear(text: str) -> None:
        """Count the files when it is said that it is written down."""
        if "is written down" in text:
            seen.append(len(list(spool.iterdir())))

    done, said = do(make_allotted(spool, 8, until=40), spool, hear)
    (kept,) = spool.parent.glob(f"*.{PLAN}")
    assert done.state is JobState.SUCCEEDED
    assert seen == [300]
    assert f"all of the plan is written down: {kept}\n" in said
    text = kept.read_bytes()
    (digest,) = re.findall("sha256 ([0-9a-f]{64})", said)
    assert hashlib.sha256(text).hexdigest() == digest
    lines = text.decode().splitlines()
    assert [line.rpartition("/")[2] for line in lines] == [
        f"{number:03}.log" for number in range(300)
    ]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(list(spool.iterdir())) < 300


def test_what_is_written_down_is_bounded(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many whole lines as fit, the oldest; how many is said."""
    monkeypatch.setattr(cleaning, "MOST_BYTES", 1_000)
    _, said = do(make_allotted(spool, 8, until=40), spool)
    (kept,) = spool.parent.glob(f"*.{PLAN}")
    lines = kept.read_text().splitlines()
    assert 1 < len(lines) < 10
    assert kept.stat().st_size <= 1_000
    assert lines[-1].endswith(f"{len(lines) - 1:03}.log")
    assert f"the first {len(lines)} of the plan is written down" in said


def test_a_plan_that_cannot_be_written_down_stops_nothing(
    spool: Path,
) -> None:
    """It may be that very disk that is full: it is said, and goes on."""
    said: list[str] = []
    done = clean(spool, said.append)
    assert "the plan is not written down: No such file" in "".join(said)
    assert done.state is JobState.SUCCEEDED
    assert len(list(spool.iterdir())) < 300


@pytest.mark.parametrize("name", CHANGES)
def test_another_list_than_the_one_that_was_said(
    tmp_path: Path, name: str
) -> None:
    """It is refused as a whole: nothing of it is removed."""
    for days in (20, 30, 40):
        write(tmp_path / f"{days}.log", days=days)
    write(tmp_path / "kept")
    before = fingerprint(tmp_path)
    found = plan(make_rule(tmp_path, "*.log"))
    other = Plan(CHANGES[name](found.files), Counter())
    with sweeping(tmp_path) as sweeper:
        with pytest.raises(Unwilling, match="nothing was removed"):
            sweeper.sweep(other, found.digest, lambda: False, print)
        assert fingerprint(tmp_path) == before
        assert sweeper.sweep(found, found.digest, lambda: False, print) == ""
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_the_deed_refuses_what_it_did_not_say(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours between what was said and what would be removed."""
    kept = write(spool / "kept", 10)
    before = fingerprint(spool)

    class Faulty(Sweeper):
        """Has one file more in its list."""

        def sweep(
            self,
            plan: Plan,
            digest: str,
            is_enough: Callable[[], bool],
            say: Callable[[str], None],
        ) -> str:
            """Sweep them all."""
            more = msgspec.structs.replace(plan.files[0], path=kept.name)
            other = Plan((more, *plan.files), plan.left)
            return super().sweep(other, digest, is_enough, say)

    monkeypatch.setattr(cleaning, "Sweeper", Faulty)
    with pytest.raises(Unwilling, match="another was planned and said"):
        do(make_allotted(spool, 8, until=40), spool)
    assert fingerprint(spool) == before


def test_the_sentinel_tells_of_another_owner(tmp_path: Path) -> None:
    """The hash that our tests trust sees an owner, a mode and a date."""
    path = write(tmp_path / "file")
    seen = [fingerprint(tmp_path)]
    path.chmod(0o640)
    seen.append(fingerprint(tmp_path))
    os.utime(path, (1, 1))
    seen.append(fingerprint(tmp_path))
    if os.geteuid() == 0:
        os.chown(path, 12_345, -1)
        seen.append(fingerprint(tmp_path))
        os.chown(path, -1, 12_345)
        seen.append(fingerprint(tmp_path))
    assert len(set(seen)) == len(seen)


def test_the_plan_lies_beside_the_journal(tmp_path: Path) -> None:
    """Under the key of its job, where whoever looks finds the rest."""
    journal = Journal(tmp_path / "jobs")
    lock = journal.open(order("later", "sj-1-abc"))
    assert lock is not None
    folder = journal.stop_file("sj-1-abc").parent
    hand = make_hand(folder, print)
    file = hand.keep(PLAN, b"1 2 3\n")
    os.close(lock)
    assert file == tmp_path / "jobs" / "sj-1-abc.plan"
    assert {one.name for one in folder.iterdir()} == {
        "sj-1-abc.order",
        "sj-1-abc.plan",
    }
