"""Sparing: what is left alone, whatever it does."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from pydantic import ValidationError

from app.act.local.hand import Unwilling
from app.act.local.runaway import identity
from app.act.local.runaway.identity import Identity, identify
from app.act.local.runaway.sparing import Sparing, SparingSettings, own_tree
from app.core.look import details, ours
from app.core.look.details import read_command
from app.core.look.snapshot import read_procs
from tests.unit.act.local.victims import REST, Victim, wait_for

OURS = SparingSettings(users=(os.getuid(),))
BUILT_IN = (
    "systemd",
    "systemd-journald",
    "systemd-udevd",
    "systemd-logind",
    "init",
    "sshd",
    "sshd-session",
    "dbus-daemon",
    "login",
    "agetty",
    "containerd",
    "containerd-shim-runc-v2",
    "dockerd",
    "kubelet",
    "postgres",
    "mysqld",
    "mariadbd",
    "mongod",
    "redis-server",
    "oracle",
    "etcd",
    "supervisord",
    "smokejumper",
)


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Identity]:
    """Return a process that may be ended."""
    with Victim(tmp_path, "plain-of-a-test", REST) as one:
        found = identify(one.pid)
        assert found is not None
        yield found


def test_a_plain_one_is_not_spared(victim: Identity) -> None:
    """It is ours by its user, and nobody protects it."""
    Sparing(OURS).refuse(victim)
    Sparing(OURS).refuse_name("java")


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_built_in_stays(name: str) -> None:
    """Settings add to it, and take nothing off."""
    for settings in (OURS, SparingSettings(protected=("other*",))):
        with pytest.raises(Unwilling, match="is protected"):
            Sparing(settings).refuse_name(name)


@pytest.mark.parametrize(
    "name", ["postgres", "redis-server", "payd-worker", "payd"]
)
def test_a_name_protects_a_real_process(tmp_path: Path, name: str) -> None:
    """Also when the kernel calls it so only, or its file."""
    settings = SparingSettings(users=(os.getuid(),), protected=("payd*",))
    with Victim(tmp_path, name, REST) as one:
        found = identify(one.pid)
        assert found is not None
        with pytest.raises(Unwilling, match=f"{name} is protected"):
            Sparing(settings).refuse(found)
        # It calls itself something else now; its command line tells.
        other = msgspec.structs.replace(found, name="cat")
        with pytest.raises(Unwilling, match=f"{name} is protected"):
            Sparing(settings).refuse(other)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["python3", "-S", "patroni"], "patroni is protected"),
        (["python3", "patroni"], "patroni is protected"),
        (["java", "wait", "org.apache.cassandra.X"], "cassandra.X holds"),
        (["java", "-B", "wait", "kafka.Kafka"], "kafka.Kafka holds data"),
        (["postgres: writer", "wait"], "postgres is protected"),
        (
            ["java", "wait", "-cp", "x" * 30_000, "org.elasticsearch.boot.E"],
            "org.elasticsearch.boot.E holds data",
        ),
        (
            ["java", "wait", *["-Dx=y"] * 300, "kafka/kafka.Kafka"],
            "kafka.Kafka holds data",
        ),
        (
            ["java", "wait", "-Xmx1g", "-jar", "/opt/x/bin/activemq.jar"],
            "activemq.jar holds data",
        ),
        (
            ["java", "wait", "-jar", "/opt/solr-9.1/server/start.jar"],
            "start.jar holds data",
        ),
        (
            ["java", "wait", "-Dsolr.solr.home=/var/x", "-jar", "start.jar"],
            "-Dsolr.solr.home=/var/x holds data",
        ),
        (["java", "wait", "@/etc/x.args"], "may hold data: .* the file /etc"),
    ],
)
def test_a_command_line_tells_too(
    tmp_path: Path, words: list[str], says: str
) -> None:
    """An interpreter is called by its own name."""
    for name in ("patroni", "wait"):
        (tmp_path / name).write_text("import time\ntime.sleep(20)\n")
    with subprocess.Popen(
        words,
        executable=sys.executable,
        env={"PYTHONHOME": sys.base_prefix},
        cwd=tmp_path,
    ) as child:
        # For a moment a new program has no command line.
        wait_for(lambda: read_command(child.pid))
        found = identify(child.pid)
        assert found is not None
        with pytest.raises(Unwilling, match=says):
            Sparing(OURS).refuse_program(found)
        child.kill()


def test_a_java_of_which_not_all_is_shown_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it runs stands at the end of its command line."""
    with Victim(tmp_path, "java", REST) as one:
        found = identify(one.pid)
        assert found is not None
        Sparing(OURS).refuse_program(found)
        monkeypatch.setattr(details, "MOST_COMMAND", 10)
        with pytest.raises(Unwilling, match=r"java.*may hold data: its"):
            Sparing(OURS).refuse_program(found)
    with Victim(tmp_path, "plain-of-a-test", REST) as other:
        found = identify(other.pid)
        assert found is not None
        Sparing(OURS).refuse_program(found)


def test_an_ordinary_java_may_end(tmp_path: Path) -> None:
    """One that only speaks with a database is none."""
    (tmp_path / "wait").write_text("import time\ntime.sleep(20)\n")
    words = ["java", "wait", "-cp", "/opt/kafka-clients.jar:/opt/mysql.jar"]
    words += ["-Dkafka.servers=k1:9092", "com.example.shop.Shop"]
    with subprocess.Popen(
        words,
        executable=sys.executable,
        env={"PYTHONHOME": sys.base_prefix},
        cwd=tmp_path,
    ) as child:
        wait_for(lambda: read_command(child.pid))
        found = identify(child.pid)
        assert found is not None
        Sparing(OURS).refuse_program(found)
        child.kill()


def test_a_file_that_hangs_hides_who_it_is(
    monkeypatch: pytest.MonkeyPatch, victim: Identity
) -> None:
    """Its server is away: one thread waits, and nobody is touched."""
    release = threading.Event()

    def hang(_: int) -> tuple[int, int]:
        """Wait until the test is over."""
        release.wait(30)
        return 1, 1

    monkeypatch.setattr(identity, "_stat", hang)
    monkeypatch.setattr(identity, "STAT_SECONDS", 0.05)
    before = threading.active_count()
    try:
        with pytest.raises(Unwilling, match="we are not shown who"):
            identify(victim.pid)
        assert threading.active_count() == before + 1
    finally:
        release.set()


def refuse(pid: int) -> None:
    """Find out who it is, and refuse it."""
    found = identify(pid)
    assert found is not None
    Sparing(OURS).refuse(found)


def test_our_own_tree_is_spared() -> None:
    """Ourselves, whoever we descend from, and whoever descends from us."""
    code = (
        "import subprocess, sys\n"
        "with subprocess.Popen(['sleep', '60']) as child:\n"
        "    print(child.pid, flush=True)\n"
        "    sys.stdin.readline()\n"
        "    child.kill()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
        tree = own_tree()
        assert {os.getpid(), os.getppid(), child.pid, grandchild} <= tree
        for pid in (os.getpid(), os.getppid(), child.pid, grandchild):
            # Our parent may be of another user: then it is not shown.
            says = r"our own|of the system|not shown"
            with pytest.raises(Unwilling, match=says):
                refuse(pid)
        child.communicate(b"\n")


def test_a_stranger_is_not_of_our_tree(victim: Identity) -> None:
    """It was started by us, and is nobody's child since."""
    assert victim.pid not in own_tree()


def test_the_first_process_is_spared(victim: Identity) -> None:
    """That of the machine, and that of a container."""
    first = msgspec.structs.replace(victim, pid=1)
    with pytest.raises(Unwilling, match="part of the system"):
        Sparing(OURS).refuse(first)
    inner = msgspec.structs.replace(victim, is_contained=True, inner_pid=1)
    with pytest.raises(Unwilling, match="first process of a container"):
        Sparing(OURS).refuse(inner)


def test_the_kernel_is_spared(victim: Identity) -> None:
    """Each of its threads that is shown."""
    threads = [proc for proc in read_procs().values() if proc.is_kernel]
    if not threads:
        pytest.skip("a container does not show the threads of the kernel")
    for proc in threads:
        who = msgspec.structs.replace(victim, pid=proc.pid)
        with pytest.raises(Unwilling, match="part of the system"):
            Sparing(OURS).refuse(who)
    assert threads[0].pid != os.getpid()


@pytest.mark.parametrize(
    "path",
    [
        "/system.slice/ssh.service",
        "/system.slice/postgresql@16-main.service",
        "/system.slice/systemd-logind.service",
        "/init.scope",
        "/system.slice/smokejumper-hands.service/x",
        "/bank.slice/pay.service",
    ],
)
def test_a_group_protects(victim: Identity, path: str) -> None:
    """In either kind of control groups, built in or added."""
    settings = SparingSettings(
        users=(os.getuid(),), protected_cgroups=("/bank.slice/*",)
    )
    for text in (f"0::{path}\n", f"1:name=systemd:{path}\n0::/\n"):
        who = msgspec.structs.replace(victim, cgroups=text)
        with pytest.raises(Unwilling, match="protected cgroup"):
            Sparing(settings).refuse(who)


def test_only_listed_users_lose_a_process(victim: Identity) -> None:
    """Nobody is listed: our own user only, and none when we are root."""
    stranger = msgspec.structs.replace(victim, uid=4_000_000)
    acting = msgspec.structs.replace(victim, effective_uid=4_000_000)
    for who in (stranger, acting):
        with pytest.raises(Unwilling, match="is of user 4000000: only"):
            Sparing(OURS).refuse(who)
    other = SparingSettings(users=(4_000_000,))
    with pytest.raises(Unwilling, match="only processes of user 4000000"):
        Sparing(other).refuse(victim)
    if os.geteuid() == 0:
        with pytest.raises(Unwilling, match="only processes of nobody may"):
            Sparing(SparingSettings()).refuse(victim)
    else:
        Sparing(SparingSettings()).refuse(victim)


def test_an_ordinary_user_ends_his_own(tmp_path: Path) -> None:
    """As another user: his own may go, root's may not."""
    if os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    code = REST.replace("ready()", "ready()\nos.setuid(65534)")
    with Victim(tmp_path, "theirs-of-a-test", code) as one:
        wait_for(lambda: getattr(identify(one.pid), "uid", 0) == 65534)
        found = identify(one.pid)
        assert found is not None
        assert (found.uid, found.effective_uid) == (65534, 65534)
        Sparing(SparingSettings(users=(65534,))).refuse(found)
        with pytest.raises(Unwilling, match="65534"):
            Sparing(OURS).refuse(found)


def test_users_must_be_there() -> None:
    """A name that nobody has protects nobody by mistake."""
    with pytest.raises(ValidationError, match="there is no user 'nemo"):
        SparingSettings(users=("nemo-of-a-test",))
    assert SparingSettings(users=("root", 7)).users == ("root", 7)


# Parent and child; the parent is begun as a program of ours.
PAIR = """
import subprocess, sys, time
if len(sys.argv) > 2:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1)
    print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("words", "is_of_us"),
    [
        (["main.py", "serve"], True),
        (["./main.py", "watch", "--to", "http://x"], True),
        (["-u", "main.py", "serve"], True),
        (["-I", "deep/play_one.py", "/x/sj-1"], True),
        (["-m", "app.act.local"], True),
        (["other/main.py", "serve"], False),
        (["-m", "app.act.other"], False),
        (["plain.py", "main.py"], False),
    ],
)
def test_our_other_processes_stay(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    is_of_us: bool,
) -> None:
    """The service, its hands, the watch and plays, with all they began."""
    monkeypatch.setattr(ours, "HOME", tmp_path)
    for name in (
        *("main.py", "other/main.py", "plain.py", "deep/play_one.py"),
        *("app/act/local/__main__.py", "app/act/other/__main__.py"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(PAIR)
    # Their parent is a shell, as nobody may end his own tree either.
    begin = ["/bin/sh", "-c", '"$0" "$@" one two & echo $!', sys.executable]
    with subprocess.Popen(
        [*begin, *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdout is not None
        pids = sorted(int(shell.stdout.readline()) for _ in range(2))
        try:
            for pid in pids:
                found = identify(pid)
                assert found is not None
                assert refuses(found) == is_of_us
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)


def refuses(who: Identity) -> bool:
    """Tell whether a process is spared as one of ours."""
    try:
        Sparing(OURS).refuse(who)
    except Unwilling as error:
        return "our own process" in str(error)
    return False
