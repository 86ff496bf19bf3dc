"""The journal: a job is started once, through crashes and full disks."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from app.act.local import journal as module
from app.act.local.journal import End, Journal, write_all
from app.core.errors import NotAccepted, OutgoingFailed
from app.models.job import JobState
from tests.programs import lack
from tests.unit.act.backends.making import order
from tests.unit.act.local.stands import HOME, wait_for

KEY = "sj-1-abc"
SUCCEEDED = End(JobState.SUCCEEDED, "it went well")
# Opens a job, says so, and waits for its end by others.
DOER = """
import sys, time
from pathlib import Path
from app.act.local.journal import Journal
from tests.unit.act.backends.making import order
lock = Journal(Path(sys.argv[1])).open(order("later"))
print("taken" if lock is not None else "late", flush=True)
sys.stdin.read()
"""
KEYS = (
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    ".hidden",
    "-rf",
    "a\x00b",
    "a\n",
    "a b",
    "é",
    "a" * 121,
    "a" * 60_000,
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return a journal whose folder is made with its first job."""
    return Journal(tmp_path / "var" / "jobs")


@contextmanager
def doer(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Lend a process that opens the job."""
    with subprocess.Popen(
        [sys.executable, "-c", DOER, str(folder)],
        cwd=HOME,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """Let no file get longer, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def open_job(journal: Journal, key: str = KEY) -> int:
    """Return the lock of a new job."""
    lock = journal.open(order("later", key))
    assert lock is not None
    return lock


def read_all(journal: Journal, key: str = KEY) -> str:
    """Return what a job wrote, read piece after piece."""
    output, cursor = "", ""
    for _ in range(100):
        said = journal.find(key, cursor)
        assert said is not None
        output += said.output
        if said.has_ended or said.cursor == cursor:
            return output
        cursor = said.cursor
    raise AssertionError("it is never at its end")


def test_a_job_is_opened_once(journal: Journal) -> None:
    """The second to open it gets nothing."""
    lock = open_job(journal)
    assert journal.open(order("later")) is None
    os.close(lock)
    assert journal.open(order("later")) is None


def test_of_two_processes_one_opens_it(tmp_path: Path) -> None:
    """Who is a moment later hears that it was started before."""
    folder = tmp_path / "jobs"
    with doer(folder) as one, doer(folder) as other, doer(folder) as third:
        said = [p.stdout.readline() for p in (one, other, third) if p.stdout]
    assert sorted(said) == ["late\n", "late\n", "taken\n"]


def test_who_is_killed_leaves_an_unknown_end(tmp_path: Path) -> None:
    """While it lives its job runs; killed, it is unknown, and stays so."""
    journal = Journal(tmp_path / "jobs")
    with doer(tmp_path / "jobs") as process:
        assert process.stdout
        assert process.stdout.readline() == "taken\n"
        said = journal.find(KEY, "")
        assert said is not None
        assert not said.has_ended
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    for _ in range(2):
        said = journal.find(KEY, "")
        assert said is not None
        assert said.state is JobState.UNKNOWN
        assert "died" in said.reason
    assert journal.open(order("later")) is None


def test_an_end_is_written_once(journal: Journal) -> None:
    """The first end stays, whoever writes another."""
    lock = open_job(journal)
    journal.end(KEY, SUCCEEDED)
    journal.end(KEY, End(JobState.UNKNOWN, "no"))
    os.close(lock)
    said = journal.find(KEY, "")
    assert said is not None
    assert (said.state, said.reason) == (JobState.SUCCEEDED, "it went well")


def test_what_was_never_opened_is_not_there(journal: Journal) -> None:
    """Neither before the folder is there, nor after."""
    assert journal.find(KEY, "") is None
    os.close(open_job(journal, "sj-2"))
    assert journal.find(KEY, "") is None


def test_what_was_never_opened_cannot_be_stopped(journal: Journal) -> None:
    """Nobody fills the folder with words to jobs that are not there."""
    os.close(open_job(journal))
    journal.stop("sj-2")
    assert not journal.stop_file("sj-2").exists()
    journal.stop(KEY)
    assert journal.stop_file(KEY).exists()


@pytest.mark.parametrize("key", KEYS)
def test_a_hostile_key_is_none(
    journal: Journal, tmp_path: Path, key: str
) -> None:
    """It is refused before any file has its name."""
    for use in (
        lambda: journal.open(order("later", key)),
        lambda: journal.find(key, ""),
        lambda: journal.stop(key),
    ):
        with pytest.raises(NotAccepted, match="the key is none"):
            use()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_starts_nothing(journal: Journal) -> None:
    """It is told, leaves nothing behind, and works once there is room."""
    with files_end_at(10), pytest.raises(NotAccepted) as refusal:
        journal.open(order("later"))
    assert refusal.value.may_retry
    assert "File too large" in str(refusal.value)
    assert journal.find(KEY, "") is None
    assert list((journal.stop_file(KEY).parent).iterdir()) == []
    os.close(open_job(journal))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_file_system_without_room_starts_nothing(tmp_path: Path) -> None:
    """A real one of 64 KiB that is full to its last byte."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    made = subprocess.run(mount, check=False, capture_output=True, timeout=60)
    if made.returncode:
        lack("this container may not mount")
    try:
        journal = Journal(tmp_path / "jobs")
        os.close(open_job(journal, "sj-0"))
        fill(tmp_path / "filler")
        with pytest.raises(NotAccepted, match="No space left"):
            journal.open(order("later"))
        assert journal.find(KEY, "") is None
    finally:
        subprocess.run(["umount", str(tmp_path)], timeout=60, check=True)


def fill(file: Path) -> None:
    """Write until there is no room."""
    with file.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"x" * 512)


def test_a_folder_of_others_is_not_written_in(tmp_path: Path) -> None:
    """Whoever can write there could say that a job was never started."""
    folder = tmp_path / "jobs"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with pytest.raises(NotAccepted, match="not ours alone"):
        Journal(folder).open(order("later"))


def test_output_is_not_followed_elsewhere(
    journal: Journal, tmp_path: Path
) -> None:
    """A link in the place of the output leads nowhere."""
    os.close(open_job(journal))
    outside = tmp_path / "outside"
    outside.write_text("")
    (journal.stop_file(KEY).with_suffix(".out")).symlink_to(outside)
    with pytest.raises(OSError, match="symbolic"), journal.writing(KEY):
        pass
    assert outside.read_text() == ""


@pytest.mark.parametrize("sign", ["a", "é", "€", "😀"])
def test_no_character_is_divided(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, sign: str
) -> None:
    """Pieces of any size give the text, whole and once."""
    text = f"x{sign * 40}y"
    lock = open_job(journal)
    with journal.writing(KEY) as file:
        write_all(file, text.encode())
    journal.end(KEY, SUCCEEDED)
    os.close(lock)
    for size in range(4, 12):
        monkeypatch.setattr(module, "PIECE_BYTES", size)
        assert read_all(journal) == text


def test_half_a_character_waits_for_its_rest(journal: Journal) -> None:
    """Who reads while it is written gets it with the next piece."""
    lock = open_job(journal)
    whole = "ab€".encode()
    with journal.writing(KEY) as file:
        write_all(file, whole[:-1])
        first = journal.find(KEY, "")
        write_all(file, whole[-1:])
    assert first is not None
    assert (first.output, first.cursor) == ("ab", "2")
    second = journal.find(KEY, first.cursor)
    assert second is not None
    assert second.output == "€"
    os.close(lock)


def test_what_is_no_text_does_not_stop_it(journal: Journal) -> None:
    """Broken bytes are marked, and nothing is read twice."""
    lock = open_job(journal)
    with journal.writing(KEY) as file:
        write_all(file, b"a\xffb\xe2\x82")
    journal.end(KEY, SUCCEEDED)
    os.close(lock)
    assert read_all(journal) == "a\ufffdb\ufffd"


@pytest.mark.parametrize(
    "cursor", ["-1", "x", "²", "1e9", " 1", "9" * 5_000, "١"]
)
def test_a_cursor_that_is_none_starts_anew(
    journal: Journal, cursor: str
) -> None:
    """Whatever stands there, it is read from the beginning."""
    lock = open_job(journal)
    with journal.writing(KEY) as file:
        write_all(file, b"line\n")
    said = journal.find(KEY, cursor)
    assert said is not None
    assert (said.output, said.cursor) == ("line\n", "5")
    os.close(lock)


def test_a_cursor_beyond_the_end_reads_nothing(journal: Journal) -> None:
    """Nothing is there, and nothing is read twice."""
    lock = open_job(journal)
    with journal.writing(KEY) as file:
        write_all(file, b"line\n")
    said = journal.find(KEY, "999999999999999")
    assert said is not None
    assert said.output == ""
    os.close(lock)


def test_a_damaged_end_is_told(journal: Journal) -> None:
    """Nobody takes it for a job that was never started."""
    os.close(open_job(journal))
    journal.stop_file(KEY).with_suffix(".end").write_text("{")
    with pytest.raises(OutgoingFailed, match="damaged"):
        journal.find(KEY, "")


def test_where_nobody_may_look_nothing_is_said(tmp_path: Path) -> None:
    """What cannot be read is not what was never started."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutgoingFailed, match="Not a directory"):
        Journal(tmp_path / "file").find(KEY, "")


def test_a_lock_is_not_handed_to_children(journal: Journal) -> None:
    """A program that a deed starts does not keep its job alive."""
    lock = open_job(journal)
    with subprocess.Popen(["sleep", "600"]) as child:
        os.close(lock)
        try:
            said = journal.find(KEY, "")
        finally:
            child.kill()
    assert said is not None
    assert said.state is JobState.UNKNOWN


def test_who_withdraws_leaves_nothing(journal: Journal) -> None:
    """What was opened and not begun may be opened once more."""
    journal.withdraw(KEY, open_job(journal))
    wait_for(lambda: journal.find(KEY, "") is None)
    os.close(open_job(journal))
