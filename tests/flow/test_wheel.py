"""The wheel: the same bytes from any clone, and it runs where it is put."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.core.version import VERSION
from scripts.wheel import PARTS, copy_parts
from tests.programs import free_port, need

HOME = Path(__file__).parents[2]
TOOLS = ("scripts/__init__.py", "scripts/wheel.py")
DATE = "1767225600 +0000"
START_SECONDS = 60.0


def git(*words: str | Path) -> None:
    """Run git, whoever the user of this machine is."""
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.net"}
    who |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.net"}
    dates = {"GIT_AUTHOR_DATE": DATE, "GIT_COMMITTER_DATE": DATE}
    environ = {**os.environ, **who, **dates}
    program = need("git", "git")
    subprocess.run([program, *words], env=environ, check=True)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with what a wheel is made of, committed."""
    folder = tmp_path_factory.mktemp("origin")
    copy_parts(HOME, folder)
    for name in (*TOOLS, ".gitignore"):
        shutil.copy(HOME / name, folder / name)
    git("-C", folder, "init", "-q")
    git("-C", folder, "add", "-A")
    git("-C", folder, "commit", "-q", "-m", "all")
    return folder


def make(origin: Path, folder: Path, **environ: str) -> Path:
    """Clone, and make the wheel there with another umask and time."""
    mask = os.umask(int(environ.pop("UMASK"), 8))
    try:
        git("clone", "-q", origin, folder)
        subprocess.run(
            [sys.executable, "-m", "scripts.wheel", folder / "out"],
            cwd=folder,
            env={**os.environ, **environ},
            check=True,
        )
    finally:
        os.umask(mask)
    (wheel,) = (folder / "out").iterdir()
    return wheel


@pytest.fixture(scope="module")
def wheel(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, as an ordinary user makes it."""
    folder = tmp_path_factory.mktemp("one") / "clone"
    return make(origin, folder, UMASK="022")


def test_two_clones_make_the_same_bytes(
    origin: Path, wheel: Path, tmp_path: Path
) -> None:
    """Another folder, umask, zone, locale, hash seed; later, and dirtier."""
    clone = tmp_path / "somewhere else"
    git("clone", "-q", origin, clone)
    (clone / "app" / "__pycache__").mkdir()
    (clone / "app" / "__pycache__" / "left.pyc").touch()
    other = make(
        clone,
        tmp_path / "again",
        UMASK="077",
        TZ="Asia/Tokyo",
        LC_ALL="C",
        PYTHONHASHSEED="7",
    )
    assert other.name == wheel.name
    assert other.read_bytes() == wheel.read_bytes()


def test_the_wheel_has_all_of_the_product_and_no_more(wheel: Path) -> None:
    """Code, pages, weights and settings; neither tests nor the simulator."""
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    there = {
        f"{path.relative_to(HOME)}"
        for path in (HOME / "app").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    settings = {
        f"app/{path.relative_to(HOME)}"
        for path in (HOME / "config").rglob("*")
        if path.is_file()
    }
    own = {name for name in names if ".dist-info/" not in name}
    assert own == there | settings


def test_the_wheel_needs_what_the_list_pins(wheel: Path) -> None:
    """An install of the wheel takes the versions that the tests ran with."""
    with zipfile.ZipFile(wheel) as packed:
        (name,) = (n for n in packed.namelist() if n.endswith("/METADATA"))
        text = packed.read(name).decode()
    found = re.findall("^Requires-Dist: (.*)$", text, re.MULTILINE)
    lines = (HOME / "requirements.txt").read_text().splitlines()
    pins = [line.partition("#")[0].strip() for line in lines]
    wanted = [re.sub("[-_.]+", "-", pin.split("=")[0]) for pin in pins if pin]
    told = [re.sub("[-_.]+", "-", need.split("=")[0]) for need in found]
    assert sorted(map(str.lower, wanted)) == sorted(map(str.lower, told))
    assert all("==" in need for need in found)


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the command, in a .venv that has the packages of the tests."""
    home = tmp_path_factory.mktemp("site") / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    words = ["install", "-q", "--no-index", "--no-deps", str(wheel)]
    subprocess.run([python, "-m", "pip", *words], check=True)
    (library,) = (home / "lib").glob("python*/site-packages")
    ours = sysconfig.get_path("purelib")
    (library / "packages_of_the_tests.pth").write_text(f"{ours}\n")
    return home / "bin" / "smokejumper"


@contextmanager
def serving(command: Path, folder: Path) -> Iterator[str]:
    """Serve from a folder, and tell the address."""
    port = free_port()
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [command, "serve", "--port", str(port)],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    try:
        while not is_ready(url):
            assert running.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield url
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 0


def is_ready(url: str) -> bool:
    """Tell whether the service says so."""
    try:
        return httpx.get(f"{url}/ready").status_code == 200
    except httpx.HTTPError:
        return False


def test_the_command_runs_from_any_folder(
    command: Path, tmp_path: Path
) -> None:
    """It needs none of the clone, and says which release it is."""
    done = subprocess.run(
        [command, "version"],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert VERSION in done.stdout


def test_it_serves_with_pages_and_a_database(
    command: Path, tmp_path: Path
) -> None:
    """Migrations, scripts and templates come along; state stays here."""
    alert = {
        "status": "firing",
        "labels": {"alertname": "FromAWheel"},
        "startsAt": "2026-11-21T02:14:02Z",
    }
    with serving(command, tmp_path) as url:
        body = {"alerts": [alert]}
        sent = httpx.post(f"{url}/webhooks/alertmanager", json=body)
        assert sent.status_code == 202, sent.text
        page = httpx.get(f"{url}/console/login")
        assets = re.findall('"(/static/[^"]+)"', page.text)
        assert assets
        for asset in assets:
            assert httpx.get(f"{url}{asset}").status_code == 200
    assert (tmp_path / "var" / "smokejumper.db").exists()
    site = command.parent.parent
    assert not list(site.rglob("smokejumper.db"))


def test_every_part_of_the_wheel_is_there() -> None:
    """The list of its parts names nothing that was moved away."""
    assert [name for name in PARTS if not (HOME / name).exists()] == []
