"""Probes at machines that are made up: what no test can do to a real one."""

import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.act.local.look.cgroups import MOST_GROUPS, groups
from app.act.local.look.sockets import reachable, read_sockets
from app.act.local.look.walking import weigh
from app.act.local.probes.network import ask_name
from app.core import program
from app.core.clock import SystemClock
from app.core.look.counters import read_counters
from app.core.look.past import Past
from tests.unit.act.local.rounds import Round, make_snapshot, write

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue ...\n"
ROW = (
    "   {n}: {local} {peer} {state} 00000000:{waiting:08X} 00:00000000"
    " 00000000     0        0 1 1 0\n"
)


def row(local: str, peer: str, state: str, waiting: int = 0) -> str:
    """Return a line of /proc/net/tcp."""
    return ROW.format(
        n=0, local=local, peer=peer, state=state, waiting=waiting
    )


NOBODY = "00000000:0000"
MYSQL, HTTP, LOCAL = "0100007F:0CEA", "00000000:0050", "0100007F:C000"


def test_sockets_are_read_as_people_write_them(tmp_path: Path) -> None:
    """Both versions of IP; a line that is cut is left out."""
    rows = row(HTTP, NOBODY, "0A", 3) + row(LOCAL, MYSQL, "02") + "   7: 01"
    write(tmp_path, "proc/net/tcp", HEAD + rows)
    six = "00000000000000000000000001000000:01BB"
    write(tmp_path, "proc/net/tcp6", HEAD + row(six, "0" * 32 + ":0000", "0A"))
    http, ours, other = read_sockets(Round("machine", root=tmp_path).lens)
    assert (http.port, http.state, http.waiting) == (80, "LISTEN", 3)
    assert reachable(http) == "127.0.0.1"
    assert (ours.peer, ours.peer_port) == ("127.0.0.1", 3306)
    assert (other.address, other.port) == ("::1", 443)


def test_databases_that_do_not_answer_stand_out(tmp_path: Path) -> None:
    """Callers that get no answer, connections that nobody closes."""
    rows = row(LOCAL, "0A00000A:1538", "02") * 3
    rows += row(LOCAL, MYSQL, "08") * 60 + row(MYSQL, LOCAL, "01") * 95
    write(tmp_path, "proc/net/tcp", HEAD + rows)
    found = Round("connections", root=tmp_path)
    assert found.first == [
        "PostgreSQL (10.0.0.10 5432) does not answer 3 callers of ours",
        "MySQL (127.0.0.1 3306): 60 connections are not closed",
        "MySQL (port 3306) has 95 connections",
    ]
    lines = found.lines("connections to databases and queues")
    assert "MySQL (port 3306): 95 ESTABLISHED" in lines


def test_a_network_in_trouble_stands_out(tmp_path: Path) -> None:
    """Full tables, full queues, no way out."""
    tracked = "proc/sys/net/netfilter/nf_conntrack_"
    write(tmp_path, f"{tracked}count", "262000\n")
    write(tmp_path, f"{tracked}max", "262144\n")
    rows = row(HTTP, NOBODY, "0A", 200) + row(HTTP, LOCAL, "08") * 250
    write(tmp_path, "proc/net/tcp", HEAD + rows)
    write(tmp_path, "proc/net/route", "Iface Destination\n")
    found = Round("network", root=tmp_path)
    assert found.first == [
        (
            "tracked connections: 262000 of 262144: new ones are dropped"
            " when it is full"
        ),
        "200 connections to port 80 wait to be accepted",
        (
            "250 connections of port 80 were closed by the other side and not"
            " by ours (CLOSE_WAIT)"
        ),
        "there is no default route (IPv4)",
    ]
    assert found.lines("name servers") == [
        "not readable: no such file or directory"
    ]


@contextmanager
def name_server(answers: bool) -> Iterator[int]:
    """Run a name server that answers each question, or none; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)

        def answer() -> None:
            """Answer one question, after a lie about another one."""
            question, asker = server.recvfrom(512)
            if answers:
                server.sendto(b"\0\0" + question[2:], asker)
                server.sendto(question, asker)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_a_name_server_is_asked() -> None:
    """How long it takes; silence is an error."""
    with name_server(answers=True) as port:
        assert 0 < ask_name("127.0.0.1", port) < 20
    with name_server(answers=False) as port, pytest.raises(TimeoutError):
        ask_name("127.0.0.1", port)


def make_cgroups(root: Path) -> Path:
    """Make groups of the second version; return the one of a daemon."""
    top = root / "sys/fs/cgroup"
    write(root, "sys/fs/cgroup/cgroup.controllers", "cpu memory\n")
    group = top / "system.slice/app.service"
    for name, text in (
        ("cpu.max", "50000 100000\n"),
        ("cpu.stat", "nr_periods 100\nnr_throttled 10\n"),
        ("memory.max", "1000000000\n"),
        ("memory.current", "990000000\n"),
        ("memory.events.local", "low 0\noom 4\noom_kill 2\n"),
    ):
        write(group, name, text)
    return group


MEMINFO = (
    "MemTotal: 1000 kB\nMemAvailable: 40 kB\nMemFree: 10 kB\n"
    "SwapTotal: 100 kB\nSwapFree: 10 kB\n"
)


def test_memory_that_runs_out_stands_out(tmp_path: Path) -> None:
    """The machine's own, swap, a group at its limit, and what was ended."""
    make_cgroups(tmp_path)
    write(tmp_path, "proc/meminfo", MEMINFO)
    write(tmp_path, "proc/vmstat", "oom_kill 5\n")
    past = Past(SystemClock())
    past.keep(make_snapshot(past_moment()), {"oom_kill": 2.0})
    found = Round("memory", root=tmp_path, past=past)
    texts = [one for one in found.first if "[" not in one]
    assert texts[0].startswith(
        "the kernel ended 3 processes for want of memory in the past 10 min"
    )
    assert texts[2].startswith("most memory: ")
    assert texts[1:] == [
        "memory used 96 %",
        texts[2],
        "/system.slice/app.service holds 990 MB of 1.0 GB (99 %)",
        "swap used 90 %",
        (
            "/system.slice/app.service: 2 processes ended at its memory limit"
            " so far"
        ),
    ]


def past_moment() -> float:
    """Return a moment of ten minutes ago."""
    return SystemClock().monotonic() - 600


def test_a_group_that_is_held_back_stands_out(tmp_path: Path) -> None:
    """By how much of the time of the window, not since it began."""
    group = make_cgroups(tmp_path)
    fifo = tmp_path / "proc/loadavg"
    fifo.parent.mkdir()
    os.mkfifo(fifo)

    def go_on() -> None:
        """Count on while the probe waits for this file."""
        stat_now = "nr_periods 200\nnr_throttled 90\n"
        with fifo.open("w", encoding="utf-8") as file:
            (group / "cpu.stat").write_text(stat_now)
            file.write("9.00 8.00 7.00 3/700 4711\n")

    # It waits for who reads: for ever, should the probe not.
    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    found = Round("cpu", root=tmp_path)
    thread.join(30)
    assert not thread.is_alive(), "nobody read the load"
    assert (
        "/system.slice/app.service is held back by its cpu limit in 80 % of"
        " time"
    ) in found.first
    assert "load 9.00 8.00 7.00, tasks 3/700" in found.lines("cpu")


def test_groups_are_bounded(tmp_path: Path) -> None:
    """A machine of ten thousand groups is not walked to its end."""
    make_cgroups(tmp_path)
    for number in range(MOST_GROUPS + 50):
        (tmp_path / f"sys/fs/cgroup/{number}").mkdir()
    lens = Round("machine", root=tmp_path).lens
    names = [name for name, _ in groups(lens)]
    assert len(names) == MOST_GROUPS
    assert names[0] == "/"


def test_a_disk_that_became_read_only_stands_out(tmp_path: Path) -> None:
    """Where fstab says writable; a sandbox's own view is not that."""
    write(tmp_path, "etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n")
    line = "1 0 8:1 / / {0} - ext4 /dev/sda1 {1}\n"
    mounts = "proc/self/mountinfo"
    write(tmp_path, mounts, line.format("ro", "rw"))
    assert not any(
        "read-only" in o for o in Round("disk", root=tmp_path).first
    )
    write(tmp_path, mounts, line.format("rw", "ro,errors=remount-ro"))
    assert Round("disk", root=tmp_path).first[0] == (
        "/ is read-only, fstab says writable"
    )
    write(tmp_path, "etc/fstab", "/dev/sda1 / ext4 ro,noatime 0 1\n")
    found = Round("disk", root=tmp_path)
    assert not any("read-only" in one for one in found.first)
    assert found.lines("file systems")[0].endswith(", read-only")


def test_hardware_in_trouble_stands_out(tmp_path: Path) -> None:
    """Heat, memory that errs, a disk that is missing."""
    write(tmp_path, "sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n")
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "97000\n")
    write(tmp_path, "sys/devices/system/edac/mc/mc0/ue_count", "2\n")
    write(
        tmp_path,
        "proc/mdstat",
        "md0 : active raid1 sdb1[1]\n      1 blocks [2/1] [_U]\n",
    )
    assert Round("hardware", root=tmp_path).first == [
        "array md0: 1 of 2 disks [_U]",
        "mc0: 2 uncorrected errors of memory",
        "x86_pkg_temp is 97 degrees hot",
    ]


def install(folder: Path, name: str, script: str) -> None:
    """Put a program where programs of the system are."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def test_the_kernel_log_is_read_for_bad_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it means comes first, with the last line of each kind."""
    monkeypatch.setattr(program, "PLACES", f"{tmp_path}:/usr/bin:/bin")
    install(
        tmp_path,
        "journalctl",
        "cat <<'.'\n"
        "02:14 web1 kernel: Out of memory: Killed process 4711 (worker)\n"
        "02:15 web1 kernel: Out of memory: Killed process 4712 (worker)\n"
        "02:16 web1 kernel: blk_update_request: I/O error, dev sda\n"
        "02:17 web1 kernel: usb 1-1: new device\n.",
    )
    found = Round("kernel")
    assert found.first == [
        (
            "a disk makes errors: last: 02:16 web1 kernel: blk_update_request:"
            " I/O error, dev sda"
        ),
        (
            "the kernel ended processes for want of memory: 2 times, last:"
            " 02:15 web1 kernel: Out of memory: Killed process 4712 (worker)"
        ),
    ]
    assert not any("usb" in line for line in found.lines("kernel log"))


def test_a_talkative_kernel_hides_no_bad_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall writes a long line for each packet that it drops."""
    monkeypatch.setattr(program, "PLACES", f"{tmp_path}:/usr/bin:/bin")
    dropped = f"web1 kernel: DROP IN=eth0 {'x' * 250}"
    install(
        tmp_path,
        "journalctl",
        f"for n in $(seq 299); do echo '{dropped}'; done\n"
        "echo 'web1 kernel: Out of memory: Killed process 4712 (worker)'",
    )
    (first,) = Round("kernel").first
    assert first.startswith("the kernel ended processes for want of memory")


def test_daemons_that_failed_come_with_their_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As systemd lists them; the end of the log has no secret."""
    monkeypatch.setattr(program, "PLACES", f"{tmp_path}:/usr/bin:/bin")
    install(
        tmp_path,
        "systemctl",
        'if [ "$1" = list-units ]; then\n'
        "  echo 'app.service loaded failed failed The app'\nelse\n"
        "  printf 'Id=app.service\\nLoadState=loaded\\nActiveState=failed\\n"
        "SubState=failed\\nResult=exit-code\\nNRestarts=5\\n'\nfi",
    )
    install(tmp_path, "journalctl", "echo 'app[1]: cannot open /etc/app'")
    found = Round("units")
    (first,) = found.first
    assert first.startswith(("app (systemd)", "app.service"))
    assert "restarted 5 times" in first
    (title,) = [s.title for s in found.sections if s.title.startswith("log")]
    assert found.lines(title) == ["app[1]: cannot open /etc/app"]


def test_the_clock_that_was_set_stands_out() -> None:
    """Against the past: by how much, and in which direction."""
    past = Past(SystemClock())
    now = read_counters()["clock_s"]
    past.keep(make_snapshot(past_moment()), {"clock_s": now - 35.0})
    found = Round("clock", past=past)
    assert any(
        line.startswith("the clock was set forward by 35.0 s in the past 10")
        for line in found.first
    )


def test_counters_that_cannot_be_read_are_not_there(tmp_path: Path) -> None:
    """Another kernel, or none: no figure, and no failure."""
    assert set(read_counters(tmp_path)) == {"clock_s", "clock.passed_s"}
    write(tmp_path, "proc/stat", "cpu what is this\n")
    write(tmp_path, "proc/vmstat", "oom_kill 3\n")
    assert read_counters(tmp_path)["oom_kill"] == 3.0


def test_a_walk_ends_in_time_and_follows_no_link(tmp_path: Path) -> None:
    """Sizes of folders with all below; a file of two names counts once."""
    (tmp_path / "a/b/c/d/e").mkdir(parents=True)
    (tmp_path / "a/b/c/d/e/big").write_bytes(b"x" * 1_000_000)
    os.link(tmp_path / "a/b/c/d/e/big", tmp_path / "a/twin")
    (tmp_path / "loop").symlink_to(tmp_path)
    found = weigh(str(tmp_path), SystemClock().monotonic() + 20)
    assert found.is_all
    sums = dict(found.folders)
    assert 1_000_000 <= sums[f"{tmp_path}/a"] < 1_100_000
    assert f"{tmp_path}/a/b/c/d" not in sums
    assert not weigh(str(tmp_path), 0.0).is_all
