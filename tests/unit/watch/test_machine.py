"""The real machine: processes, disks, files, and the file of readings."""

import errno
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.core.errors import OutgoingFailed
from app.core.folders import Folder
from app.core.look import totals
from app.core.look.ours import is_ours
from app.core.look.snapshot import Proc, read_proc
from app.watch import places, textfile
from app.watch.claims import Around
from app.watch.places import read_disks, read_files, read_sensors
from app.watch.sampling import Sample, sample
from app.watch.series import UNITS, to_values
from app.watch.services import Health

SPIN = "while True: pass"
SECONDS = 20.0


@pytest.fixture
def spinner() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that takes all of a core that it gets."""
    words = ["sj-spinner", "-c", SPIN]
    child = subprocess.Popen(words, executable=sys.executable)
    yield child
    child.kill()
    child.wait()


def own() -> Proc:
    """Return the process of this test."""
    found = read_proc(os.getpid())
    assert found is not None
    return found


def busiest(child: subprocess.Popen[bytes]) -> tuple[Sample, float]:
    """Look until a child is seen at work; return what it takes."""
    found = sample(None, 1)
    assert found.shares == {}
    until = time.monotonic() + SECONDS
    taken = 0.0
    while taken < 60.0 and time.monotonic() < until:
        time.sleep(0.5)
        found = sample(found, 2)
        key = next(k for k in found.snapshot.procs if k[0] == child.pid)
        taken = found.taken(key)
    return found, taken


def test_a_spinning_process_is_seen(
    spinner: subprocess.Popen[bytes],
) -> None:
    """By its own name, though an interpreter runs it; it is ours here."""
    found, taken = busiest(spinner)
    assert taken >= 60.0
    key = next(k for k in found.snapshot.procs if k[0] == spinner.pid)
    assert found.known[key].name == "sj-spinner"
    assert found.known[key].is_ours
    values = to_values(found, Around())
    assert values["process_cpu_percent:sj-spinner"] >= 60.0
    assert 0.0 < values["cpu_percent"] <= 100.0
    assert {name.partition(":")[0] for name in values} <= set(UNITS)
    assert found.cores == os.cpu_count()


def test_strangers_are_not_ours() -> None:
    """Only what descends from us, or is a service of ours."""
    parents = {os.getpid(): 1, 5: os.getpid(), 6: 5, 7: 8, 8: 7}
    assert is_ours(6, parents)
    assert is_ours(os.getpid(), parents)
    # Two that are each other's parent lead nowhere, and end.
    assert not is_ours(7, parents)


def test_folders_with_a_size_are_disks(tmp_path: Path) -> None:
    """Half of a megabyte in one of one; what is not mounted is none."""
    (tmp_path / "big").write_bytes(b"x" * 524_288)
    folders = {str(tmp_path): Folder(mb=1)}
    found = read_disks((str(tmp_path), "/proc"), folders)
    assert found[str(tmp_path)] == pytest.approx(50, abs=5)
    assert 0 < (found["/"] or 0) < 100
    assert "/proc" in found
    assert str(tmp_path) not in read_disks((str(tmp_path),), {})


def test_a_folder_with_too_much_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are, nevertheless."""

    def refuse(_path: str, _folders: object) -> float:
        """Refuse to count."""
        raise OutgoingFailed("more than 20000 entries")

    monkeypatch.setattr(places, "read_share", refuse)
    found = read_disks((), {str(tmp_path): Folder(mb=1)})
    assert list(found)[:1] == ["/"]
    assert found["/"] is not None
    assert found[str(tmp_path)] is None


def test_a_disk_that_breaks_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there and does not say it: what was told of it is not over."""
    broken, gone = tmp_path / "broken", str(tmp_path / "gone")
    ask, look = os.statvfs, os.lstat

    def refuse(path: str | Path, call: Callable[..., Any]) -> Any:
        """Answer as the kernel does of a device that breaks."""
        if Path(path).is_relative_to(broken):
            raise OSError(errno.EIO, "Input/output error")
        return call(path)

    monkeypatch.setattr(os, "statvfs", lambda one: refuse(one, ask))
    monkeypatch.setattr(os, "lstat", lambda one, **_: refuse(one, look))
    monkeypatch.setattr(
        totals, "_read", lambda _: f"/dev/sj {broken}/one ext4 rw 0 0\n"
    )
    found = read_disks((f"{broken}/two", gone), {})
    assert found[f"{broken}/one"] is None
    assert found[f"{broken}/two"] is None
    assert gone not in found
    assert found["/"] is not None


def test_a_folder_that_is_not_there_is_no_disk(tmp_path: Path) -> None:
    """What was told of it is over."""
    gone = str(tmp_path / "gone")
    assert gone not in read_disks((), {gone: Folder(mb=1)})


def test_open_files_are_counted() -> None:
    """Ours, beside what we may have; few are not told."""
    proc = own()
    with ExitStack() as stack:
        for _ in range(places.LEAST_FILES):
            stack.enter_context(tempfile.TemporaryFile())
        found = read_files({proc.key: proc})[proc.key]
        held = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 descriptors
    assert abs(found.count - held) <= 2
    assert 0 < found.percent <= 100
    assert read_files({proc.key: proc}) == {}


def test_sensors_are_read_where_there_are_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of a machine, or a system, without them."""
    assert isinstance(read_sensors(), dict)
    monkeypatch.delattr(psutil, "sensors_temperatures", raising=False)
    assert read_sensors() == {}


def test_the_textfile_is_what_prometheus_reads(tmp_path: Path) -> None:
    """Each series with its label, odd names escaped; nothing is left."""
    values = {
        "cpu_percent": 12.5,
        'disk_percent:/a"b\\c': 80.0,
        "service_up:shop": 1.0,
    }
    textfile.write(tmp_path, values)
    file = tmp_path / textfile.NAME
    assert file.read_text().splitlines() == [
        "# TYPE smokejumper_watch_cpu_percent gauge",
        "smokejumper_watch_cpu_percent 12.5",
        "# TYPE smokejumper_watch_disk_percent gauge",
        r'smokejumper_watch_disk_percent{mountpoint="/a\"b\\c"} 80',
        "# TYPE smokejumper_watch_service_up gauge",
        'smokejumper_watch_service_up{service="shop"} 1',
    ]
    assert [one.name for one in tmp_path.iterdir()] == [textfile.NAME]
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_textfile_that_cannot_be_written_leaves_nothing(
    tmp_path: Path,
) -> None:
    """Its place is taken by a folder: the error is told, all is tidy."""
    (tmp_path / textfile.NAME / "x").mkdir(parents=True)
    with pytest.raises(OSError, match="irectory"):
        textfile.write(tmp_path, {"cpu_percent": 1.0})
    assert [one.name for one in tmp_path.iterdir()] == [textfile.NAME]


def test_what_was_seen_beside_processes_is_measured() -> None:
    """Disks, sensors and services are series with names of their own."""
    around = Around(
        disks={"/": 20.0},
        sensors={"cpu/0": 40.0},
        services={"shop": Health(is_up=False, says="down")},
    )
    values = to_values(sample(None, 1), around)
    assert values["disk_percent:/"] == 20.0
    assert values["temperature_celsius:cpu/0"] == 40.0
    assert values["service_up:shop"] == 0.0
    assert values["processes"] > 1
