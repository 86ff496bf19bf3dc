"""Snapshots: the machine as /proc says it, with real processes."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest

from app.core.errors import OutgoingFailed
from app.core.look import snapshot, totals
from app.core.look.details import (
    MOST_PROCS,
    details,
    name_cgroup,
    read_command,
)
from app.core.look.snapshot import (
    ask_psutil,
    parse,
    read_proc,
    read_procs,
    take,
)
from app.core.look.totals import Totals, read_figures
from tests.unit.act.local.victims import REST, SPIN, Victim, wait_for

LINE = (
    b"4242 (%s) S 17 4242 4242 0 -1 4194560 500 0 0 0 250 50 9 9 20 0 7 0"
    b" 123456 1000000 25 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17"
)


@pytest.mark.parametrize(
    "name",
    ["sleep", "a b", "x) R 1 (y", ") S 0 0 0", "((", "", "käse"],
)
def test_a_name_says_nothing_else(name: str) -> None:
    """Whatever a process calls itself, its other fields are its own."""
    found = parse(LINE % name.encode())
    assert found.name == name
    assert (found.pid, found.start, found.parent) == (4242, 123456, 17)
    assert (found.state, found.ticks, found.threads) == ("S", 300, 7)
    assert found.rss == 25 * os.sysconf("SC_PAGE_SIZE")
    assert not found.is_kernel


@pytest.mark.parametrize("line", [b"", b"12", b"12 (x) S 1", b"x (x) S"])
def test_what_is_no_line_is_refused(line: bytes) -> None:
    """It is half of one, or none."""
    with pytest.raises((ValueError, IndexError)):
        parse(line)


def test_this_process_is_in_it() -> None:
    """As psutil knows it."""
    own = psutil.Process()
    before = own.num_threads()
    found = take()
    # Threads of an earlier test may be ending.
    threads = sorted((before, own.num_threads()))
    (key,) = [key for key in found.procs if key[0] == os.getpid()]
    proc = found.procs[key]
    assert proc.parent == os.getppid()
    assert threads[0] <= proc.threads <= threads[1]
    assert proc.name == own.name()[:15]
    spent = own.cpu_times()
    assert abs(proc.ticks / snapshot.TICKS - spent.user - spent.system) < 5
    assert 0.5 < proc.rss / own.memory_info().rss < 2
    assert read_proc(os.getpid()) is not None
    assert found.memory_bytes == psutil.virtual_memory().total


def test_how_old_a_process_is() -> None:
    """By the clock by which it began, with what the machine slept."""
    with subprocess.Popen(["/bin/sleep", "60"]) as child:
        found = take()
        proc = read_proc(child.pid)
        child.kill()
    assert proc is not None
    assert -0.1 < found.age(proc) < 60.0
    night = msgspec.structs.replace(found, ahead=found.ahead + 3_600.0)
    assert 3_599.9 < night.age(proc) < 3_660.0


def test_every_process_of_psutil_is_in_it() -> None:
    """All that live through the look are there."""
    before = set(psutil.pids())
    found = {pid for pid, _ in read_procs()}
    after = set(psutil.pids())
    assert before & after <= found
    assert {os.getpid(), 1} <= found


def test_figures_are_shares(tmp_path: Path) -> None:
    """With an earlier snapshot also those that need a while."""
    before = take()
    assert "cpu_percent" not in before.figures
    with Victim(tmp_path, "spin-of-a-test", SPIN) as victim:
        began = read_proc(victim.pid)
        assert began is not None
        wait_for(lambda: _worked(victim.pid) >= began.ticks + 20)
        after = take(before)
    for name, value in after.figures.items():
        assert 0 <= value <= 100 or name == "load1", name
    assert after.figures["cpu_percent"] > 0
    assert after.monotonic > before.monotonic
    assert {"memory_percent", "swap_percent", "load1"} <= set(after.figures)
    assert after.figures["disk_percent:/"] == pytest.approx(
        psutil.disk_usage("/").percent, abs=2
    )
    memory = psutil.virtual_memory().percent
    assert after.figures["memory_percent"] == pytest.approx(memory, abs=5)


def _worked(pid: int) -> int:
    """Return what a process has worked."""
    found = read_proc(pid)
    assert found is not None
    return found.ticks


def test_the_cores_are_counted_between_two_moments() -> None:
    """A quarter idle of a hundred ticks is three quarters busy."""
    since = Totals(1100, 525, 110).since(Totals(1000, 500, 100))
    found = read_figures(since)
    assert found["cpu_percent"] == 75
    assert found["io_wait_percent"] == 10


def test_a_machine_without_proc_is_asked_otherwise() -> None:
    """The same processes, by the slower way."""
    found = {pid: proc for (pid, _), proc in ask_psutil().items()}
    own = found[os.getpid()]
    known = read_proc(os.getpid())
    assert known is not None
    assert own.parent == known.parent
    assert own.name == known.name
    assert own.ticks >= known.ticks - snapshot.TICKS


def test_a_machine_that_hides_proc_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is said, not taken for a machine without processes."""
    monkeypatch.setattr(snapshot, "PROC", str(tmp_path / "none"))
    with pytest.raises(OutgoingFailed, match="cannot be read: No such file"):
        take()
    monkeypatch.setattr(snapshot, "PROC", str(tmp_path))
    with pytest.raises(OutgoingFailed, match="shows no process"):
        take()


def test_half_a_proc_is_read_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Processes that end meanwhile leave empty or missing lines."""
    for pid, line in (("1", LINE % b"init"), ("2", b""), ("3", b"3 (x")):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "stat").write_bytes(line)
    (tmp_path / "4").mkdir()
    monkeypatch.setattr(snapshot, "PROC", str(tmp_path))
    assert [proc.name for proc in read_procs().values()] == ["init"]
    assert read_proc(4) is None
    assert read_proc(3) is None


def test_details_of_a_few(tmp_path: Path) -> None:
    """The second look says more, of those that are asked for."""
    with Victim(tmp_path, "rest-of-a-test", REST) as victim:
        proc = read_proc(victim.pid)
        assert proc is not None
        stranger = (victim.pid, proc.start + 1)
        found = details([proc.key, stranger, (1 << 22, 1)])
        assert set(found) == {proc.key}
        one = found[proc.key]
        exe = Path(f"/proc/{victim.pid}/exe").readlink()
    assert one.command[0] == str(tmp_path / "rest-of-a-test")
    assert one.command[1:3] == ("-S", "-c")
    assert one.exe == str(exe)
    assert one.uid == os.getuid()
    assert one.files >= 3
    assert one.read_bytes >= 0
    assert one.swap_bytes >= 0
    assert one.cgroup == name_cgroup(Path("/proc/self/cgroup").read_text())


def test_details_are_bounded() -> None:
    """In number, and in what each may say."""
    own = read_proc(os.getpid())
    assert own is not None
    keys = [(1 << 22, 1)] * MOST_PROCS + [own.key]
    assert details(keys) == {}
    code = "import sys, time; print(flush=True); time.sleep(60)"
    words = [sys.executable, "-S", "-c", code, *("x" * 100,) * 1_000]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert len(read_command(child.pid)) < 200
        child.kill()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0::/system.slice/nginx.service\n", "/system.slice/nginx.service"),
        ("1:name=systemd:/a.slice\n0::/\n", "/a.slice"),
        ("4:memory:/docker/abc\n3:cpu,cpuacct:/\n0::/\n", "/docker/abc"),
        ("0::/a:b/c.service\n", "/a:b/c.service"),
        ("", ""),
    ],
)
def test_the_group_that_says_most(text: str, name: str) -> None:
    """Of both kinds of control groups."""
    assert name_cgroup(text) == name


def test_a_machine_without_meminfo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its memory is known by psutil."""
    monkeypatch.setattr(totals, "read_meminfo", dict)
    found = read_figures(None)
    assert found["memory_percent"] == pytest.approx(
        psutil.virtual_memory().percent, abs=5
    )
