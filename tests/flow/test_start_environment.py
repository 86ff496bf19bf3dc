"""The one command, run in a copy of the tree whose path has a space."""

import ensurepip
import fcntl
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from scripts.fetch_pip import SHA256, WHEEL
from tests.programs import free_port, need

HOME = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "var", "tests", "bench", "docs")
# All that the script may ask of a bare machine, beside bash and Python.
PROGRAMS = (
    "bash cat cut dirname grep ln mkdir mv nohup ps readlink rm sleep tail"
)
NOT_RUNNING = 3
BOOT = Path("/proc/sys/kernel/random/boot_id")
# Takes a moment to end, as a service does that finishes what waits.
DRAINING = (
    "import signal, time; signal.signal(15, lambda *_: time.sleep(0.5));"
    "print(flush=True); signal.pause()"
)
Done = subprocess.CompletedProcess[str]


class Tree:
    """A copy of the product that uses the packages of the tests."""

    def __init__(self, folder: Path) -> None:
        """Copy what a start needs into a folder, and choose a port."""
        self.home = folder / "a copy"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("SMOKEJUMPER_") and name != "PYTHON"
        }
        shutil.copytree(HOME, self.home, ignore=LEFT_OUT)

    def add_packages(self) -> None:
        """Make a .venv that borrows ours, and call it installed."""
        python = self.home / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        script = (
            "HOME_FOLDER=$PWD; source scripts/venv.sh;"
            " checksum locks/requirements.txt >.venv/.installed-run"
        )
        subprocess.run(["bash", "-c", script], cwd=self.home, check=True)

    def launch(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command from another folder, without waiting."""
        return subprocess.Popen(
            [self.home / "start_environment.sh", *arguments],
            cwd="/",
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> Done:
        """Return what the command said, and its exit status."""
        with self.launch(*arguments) as process:
            output, _ = process.communicate(timeout=120)
        return Done(arguments, process.returncode, " ".join(output.split()))

    def start(self) -> Done:
        """Return what the command said when it had to start."""
        return self.run("--port", str(self.port))

    def use_only(self, programs: str, folder: Path) -> Path:
        """Leave nothing on the PATH but some programs; return where."""
        folder.mkdir()
        for name in programs.split():
            (folder / name).symlink_to(need(name, name))
        self.environ["PATH"] = str(folder)
        return folder


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Tree]:
    """Return a tree without packages, as after a clone."""
    tree = Tree(tmp_path)
    yield tree
    tree.environ["PATH"] = os.environ["PATH"]
    assert tree.run("--stop").returncode == 0


@pytest.fixture
def tree(bare: Tree) -> Tree:
    """Return a tree that is ready to start."""
    bare.add_packages()
    return bare


def start_of(pid: int) -> str:
    """Return when a process started, as the kernel counts it."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[19]


def pid_in(output: str) -> int:
    """Return the process id that the command told."""
    found = re.search(r"\(pid (\d+)", output)
    assert found, output
    return int(found[1])


def assert_left_nothing(tree: Tree) -> None:
    """Check that neither a process nor a trace of one was left."""
    assert not (tree.home / "var" / "smokejumper.pid").exists()
    assert tree.run("--status").returncode == NOT_RUNNING


def test_it_starts_once_and_stops(tree: Tree) -> None:
    """Two starts at once make one service; it stops when it is told to."""
    both = [tree.launch("--port", str(tree.port)) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert pid_in(said[0]) == pid_in(said[1])
    third = tree.run("--port", str(free_port()))
    assert third.returncode == 0
    assert f"It runs already: {tree.url}" in third.stdout
    assert "stop it first" in third.stdout
    status = tree.run("--status")
    assert status.returncode == 0
    assert "ready" in status.stdout
    assert httpx.get(f"{tree.url}/ready").status_code == 200
    stopped = tree.run("--stop")
    assert stopped.returncode == 0
    assert "Stopped" in stopped.stdout
    assert_left_nothing(tree)


def test_the_line_to_try_works(tree: Tree) -> None:
    """What it prints for a try does what it says, also the second time."""
    need("curl", "curl")
    with tree.launch("--port", str(tree.port)) as process:
        output, _ = process.communicate(timeout=120)
    post, look = [
        line for line in output.splitlines() if line.startswith("  curl")
    ]

    def run(line: str) -> str:
        """Return what a line prints that the script told to try."""
        words = ["bash", "-c", line]
        return subprocess.check_output(words, text=True)

    answers = [run(post), run(post), run(look)]
    deadline = time.monotonic() + 10
    while "TryMe" not in answers[2] and time.monotonic() < deadline:
        # It is folded a moment after it was acknowledged.
        answers[2] = run(look)
    assert '"accepted":1' in answers[0]
    assert '"repeat":true' in answers[1]
    assert '"problem":"TryMe"' in answers[2]
    for page in re.findall(r"http://\S+/(?:docs|metrics)", output):
        assert httpx.get(page).status_code == 200


def test_few_programs_are_enough(tree: Tree, tmp_path: Path) -> None:
    """It needs neither flock nor setsid nor curl, as on macOS."""
    tree.use_only(PROGRAMS, tmp_path / "bin")
    both = [tree.launch("--port", str(tree.port)) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert pid_in(said[0]) == pid_in(said[1])
    assert tree.run("--stop").returncode == 0
    assert_left_nothing(tree)


def test_a_port_of_others_is_left_to_them(tree: Tree) -> None:
    """A taken port is named with what to do; nothing is started."""
    with socket.create_server(("127.0.0.1", tree.port)):
        done = tree.start()
    assert done.returncode == 1
    assert f"port {tree.port} is taken" in done.stdout
    assert "--port" in done.stdout
    assert_left_nothing(tree)


def test_a_wrong_setting_is_shown(tree: Tree) -> None:
    """A wrong setting is named with its variable; nothing is started."""
    tree.environ["SMOKEJUMPER_SERVER__PROT"] = "9000"
    done = tree.start()
    assert done.returncode == 1
    assert "SMOKEJUMPER_SERVER__PROT" in done.stdout
    assert "Did you mean 'port'?" in done.stdout
    assert_left_nothing(tree)


def test_an_early_death_shows_the_log(tree: Tree) -> None:
    """A service that ends at once is reported with the end of its log."""
    server = tree.home / "app" / "api" / "server.py"
    server.write_text(
        server.read_text().replace(
            "    server = product.settings.server",
            '    raise RuntimeError("the magic smoke is out")',
        )
    )
    done = tree.start()
    assert done.returncode == 1
    assert "the magic smoke is out" in done.stdout
    assert "ended at once" in done.stdout
    assert_left_nothing(tree)


def test_a_foreign_process_is_never_taken_for_ours(tree: Tree) -> None:
    """A recycled process id is recognised, and left alone."""
    state = tree.home / "var"
    state.mkdir()
    text = f"{os.getpid()}\nanother boot 1\n{tree.url}\n"
    (state / "smokejumper.pid").write_text(text)
    assert tree.run("--status").returncode == NOT_RUNNING
    assert "does not run" in tree.run("--stop").stdout


def test_a_stop_that_had_to_wait_gives_all_its_time(tree: Tree) -> None:
    """The seconds in which another start was at work are not counted."""
    script = tree.home / "start_environment.sh"
    text = script.read_text()
    script.write_text(text.replace("STOP_SECONDS=30", "STOP_SECONDS=2"))
    state = tree.home / "var"
    state.mkdir()
    with (
        subprocess.Popen(
            [sys.executable, "-c", DRAINING], stdout=subprocess.PIPE
        ) as running,
        (state / "start.lock").open("w") as lock,
    ):
        assert running.stdout is not None
        running.stdout.readline()
        since = f"{BOOT.read_text().strip()} {start_of(running.pid)}"
        told = f"{running.pid}\n{since}\n{tree.url}\n"
        (state / "smokejumper.pid").write_text(told)
        fcntl.flock(lock, fcntl.LOCK_EX)
        stop = tree.launch("--stop")
        assert stop.stdout is not None
        assert "waiting" in stop.stdout.readline()
        time.sleep(3)  # longer than the service itself may take
        fcntl.flock(lock, fcntl.LOCK_UN)
        said, _ = stop.communicate(timeout=120)
    assert stop.returncode == 0, said
    assert "Stopped" in said
    assert running.returncode == 0


def test_a_folder_that_cannot_be_written_is_named(tree: Tree) -> None:
    """Where database and log cannot be kept, it says so."""
    state = tree.home / "var"
    state.write_text("")
    done = tree.start()
    assert done.returncode == 1
    assert f"may not write {state}" in done.stdout
    state.unlink()


def test_without_python_it_says_what_to_install(
    bare: Tree, tmp_path: Path
) -> None:
    """No Python that is new enough is a matter of one named package."""
    folder = bare.use_only(PROGRAMS, tmp_path / "bin")
    (folder / "python3").symlink_to("/bin/false")
    done = bare.start()
    assert done.returncode == 1
    assert "no Python 3.11 or newer" in done.stdout
    assert "apt-get install python3" in done.stdout
    assert_left_nothing(bare)


def test_without_venv_it_says_what_to_install(
    bare: Tree, tmp_path: Path
) -> None:
    """A Python without venv, as Debian's, leads to the package of it."""
    folder = bare.use_only(PROGRAMS, tmp_path / "bin")
    python = folder / "python3"
    python.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        '"-m venv"*) mkdir "$3" && echo no ensurepip && exit 1 ;;\n'
        "*ensurepip*) exit 1 ;;\nesac\n"
        f'exec "{sys.executable}" "$@"\n'
    )
    python.chmod(0o755)
    bare.environ["PIP_INDEX_URL"] = f"http://127.0.0.1:{free_port()}/simple"
    done = bare.start()
    assert done.returncode == 1
    assert "pip could not be fetched" in done.stdout
    assert "apt-get install python3-venv" in done.stdout
    assert not (bare.home / ".venv").exists()
    assert_left_nothing(bare)


class Index(BaseHTTPRequestHandler):
    """An index with one file: the pip that Python brings along."""

    (wheel,) = Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")
    body = wheel.read_bytes()

    def do_GET(self) -> None:
        """Answer the page about pip, and the file."""
        page = f'<a href="../files/{self.wheel.name}#sha256=x">it</a>'
        is_page = self.path == "/simple/pip/"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(page.encode() if is_page else self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def index() -> Iterator[str]:
    """Return the address of an index."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("is_right", [True, False])
def test_without_pip_it_fetches_the_pinned_one(
    bare: Tree, tmp_path: Path, index: str, is_right: bool
) -> None:
    """A Python like Debian's needs nobody's rights; another file is refused.

    The packages themselves cannot be had here: with pip it comes so far.
    """
    folder = bare.use_only(PROGRAMS, tmp_path / "bin")
    (folder / "python3").write_text(
        '#!/bin/sh\ncase "$*" in\n'
        '"-m venv --without-pip"*) ;;\n'
        '"-m venv"*) mkdir "$3" && echo no ensurepip && exit 1 ;;\n'
        "*ensurepip*) exit 1 ;;\nesac\n"
        f'exec "{sys.executable}" "$@"\n'
    )
    (folder / "python3").chmod(0o755)
    script = bare.home / "scripts" / "fetch_pip.py"
    digest = hashlib.sha256(Index.body + b"?" * (not is_right)).hexdigest()
    text = script.read_text().replace(SHA256, digest)
    script.write_text(text.replace(WHEEL, Index.wheel.name))
    bare.environ |= {"PIP_INDEX_URL": index, "PIP_NO_INDEX": "1"}
    done = bare.start()
    assert done.returncode == 1
    python = str(bare.home / ".venv" / "bin" / "python")
    pip = [python, "-m", "pip", "--version"]
    if is_right:
        assert "python3-venv" not in done.stdout
        assert "no network" in done.stdout
        assert subprocess.run(pip, check=True, capture_output=True).stdout
    else:
        assert "its hash differs" in done.stdout
        assert "apt-get install python3-venv" in done.stdout
        assert not (bare.home / ".venv").exists()
    assert_left_nothing(bare)


def test_without_network_it_says_what_to_do(tree: Tree) -> None:
    """Packages that cannot be had are reported, and asked for again."""
    tree.environ |= {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1"}
    lock = tree.home / "locks" / "requirements.txt"
    hashed = f"--hash=sha256:{64 * '0'}"
    lock.write_text(f"no-such-package-of-smokejumper==1 {hashed}\n")
    stamp = (tree.home / ".venv" / ".installed-run").read_text()
    done = tree.start()
    assert done.returncode == 1
    assert "no network" in done.stdout
    assert (tree.home / ".venv" / ".installed-run").read_text() == stamp
    assert_left_nothing(tree)


def test_help_names_every_option(bare: Tree) -> None:
    """The help is complete, and an unknown option leads to it."""
    shown = bare.run("--help")
    assert shown.returncode == 0
    for option in ("--port N", "--status", "--stop", "--help"):
        assert option in shown.stdout
    wrong = bare.run("--prot")
    assert wrong.returncode == 2
    assert "--port N" in wrong.stdout
