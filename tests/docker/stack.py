"""The default stack but for Ollama, from a copy of the tree, as a user does.

Base images come from Debian under the tags that are asked for: no registry
is reached. What takes long to make is kept in a cache of the user's.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.docker.engine import Done, Engine
from tests.programs import need

T = TypeVar("T")
HOME = Path(__file__).parents[2]
IMAGES = HOME / "tests" / "docker" / "images"
PYTHON_TAG = "python:3.11-slim-bookworm"
POSTGRES_TAG = "postgres:16.4-bookworm"
# Of Debian, in place of the images of the profile prometheus: what is
# started, and what is beside it.
MONITORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "prom/prometheus:v2.53.2": ("prometheus", ("promtool",)),
    "prom/alertmanager:v0.27.0": ("prometheus-alertmanager", ("amtool",)),
    "prom/node-exporter:v1.8.2": ("prometheus-node-exporter", ()),
    "ncabatoff/process-exporter:0.7.10": ("prometheus-process-exporter", ()),
}
NOBODY = 65534
TEMPLATES = Path("/usr/share/prometheus/alertmanager")
WEB, SIMULATOR = "api-middleware", "monitoring-agent-simulator"
PORT = 8080
PATIENCE = 240.0
PARTS = ("app", "simulator", "config", "docker", "locks", "scripts")
FILES = ("main.py", "requirements.txt", "start_environment.sh")


def cache() -> Path:
    """Return where is kept what takes long to make."""
    usual = Path.home() / ".cache"
    found = Path(os.environ.get("XDG_CACHE_HOME") or usual) / "smokejumper"
    found.mkdir(parents=True, exist_ok=True)
    return found


def cached(name: str, *made_of: Path) -> Path:
    """Return a place in the cache that changes with what it is made of."""
    digest = hashlib.sha256()
    for file in made_of:
        digest.update(file.read_bytes())
    return cache() / f"{name}-{digest.hexdigest()[:16]}"


def make_base() -> Path:
    """Return a file with the system that stands in for Python's image."""
    program = IMAGES / "make_base.sh"
    file = cached("python-base", program)
    if not file.exists():
        run(program, file)
    return file


def run(*words: str | Path, cwd: Path = HOME) -> None:
    """Run a program, or fail with what it said."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, (words, done.stdout, done.stderr[-3000:])


def copy_tree(home: Path) -> None:
    """Copy what images and scripts need into a folder."""
    left_out = shutil.ignore_patterns("__pycache__", ".*")
    home.mkdir()
    for part in PARTS:
        shutil.copytree(HOME / part, home / part, ignore=left_out)
    for file in (*FILES, ".dockerignore"):
        shutil.copy2(HOME / file, home / file)
    python = home / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)


def add_wheels(home: Path) -> None:
    """Put the pinned packages where a build looks for them."""
    script = home / "scripts" / "docker_wheels.sh"
    lock = home / "locks" / "requirements.txt"
    kept = cached("wheels", script, lock)
    if not kept.exists():
        run(script, cwd=home)
        shutil.move(home / "var" / "wheels", f"{kept}.{os.getpid()}")
        Path(f"{kept}.{os.getpid()}").rename(kept)
    (home / "var").mkdir(exist_ok=True)
    shutil.copytree(kept, home / "var" / "wheels")


def add_monitors(engine: Engine, folder: Path) -> None:
    """Make the images of the profile prometheus of Debian's programs."""
    for tag, (start, more) in MONITORS.items():
        programs = [need(name, start) for name in (start, *more)]
        file = folder / f"{start}.tar"
        make_image(programs, file)
        engine.load(file, tag, f"/bin/{start}")


def make_image(programs: list[Path], file: Path) -> None:
    """Write a system that has some programs, and what they are linked to."""
    with tarfile.open(file, "w") as system:
        for program in programs:
            system.add(program.resolve(), f"bin/{program.name}")
        for library in libraries(programs):
            system.add(library.resolve(), str(library).lstrip("/"))
        # Debian's Alertmanager has its templates beside it, not in it.
        if TEMPLATES.exists():
            system.add(TEMPLATES, str(TEMPLATES).lstrip("/"))
        # Where it keeps its state it may write.
        for place in ("prometheus", "alertmanager", "tmp"):
            made = tarfile.TarInfo(place)
            made.type, made.mode = tarfile.DIRTYPE, 0o755
            made.uid = made.gid = NOBODY
            system.addfile(made)


def libraries(programs: list[Path]) -> set[Path]:
    """Return what programs are linked to."""
    words = [str(program) for program in programs]
    said = subprocess.run(
        ["/usr/bin/ldd", *words], capture_output=True, text=True, check=True
    )
    found = re.findall(r"(/\S+) \(0x", said.stdout)
    return {Path(one) for one in found}


class Stack:
    """The containers, and what is asked of them."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self.engine = engine
        self.home = home
        self.welcome = ""

    def prepare(self) -> None:
        """Make the base images, and the copy of the tree."""
        self.engine.load(make_base(), PYTHON_TAG)
        with tempfile.TemporaryDirectory() as folder:
            programs = need("postgres", "postgresql").resolve().parent
            make = IMAGES / "make_postgres.sh"
            run(make, programs, Path(folder), PYTHON_TAG)
            self.engine.run("build", "--quiet", "-t", POSTGRES_TAG, folder)
            add_monitors(self.engine, Path(folder))
        copy_tree(self.home)
        add_wheels(self.home)

    def script(self, *words: str, **environ: str) -> Done:
        """Run start_environment.sh --docker with more words."""
        return self.engine.script(self.home, *words, **environ)

    def secret(self, name: str) -> str:
        """Return a secret that was made."""
        return (self.home / "var" / "docker" / name).read_text()

    def get(
        self, path: str, token: str | None = None, port: int = PORT
    ) -> tuple[int, str]:
        """Return status and body of a page, of the service by itself."""
        url = f"http://127.0.0.1:{port}{path}"
        ask = str(HOME / "tests" / "docker" / "ask.py")
        secret = self.secret("read_token") if token is None else token
        done = self.engine.inside(sys.executable, "-S", ask, url, secret)
        assert done.returncode == 0, done.stderr
        status, _, body = done.stdout.partition("\n")
        return int(status), body

    def api(self, path: str) -> Any:
        """Return what the API answers."""
        status, body = self.get(f"/api/v1{path}")
        assert status == 200, (path, status, body)
        return json.loads(body)

    def within(self, container: str, *words: str) -> Done:
        """Run a program in a container."""
        return self.engine.run("exec", container, *words, check=False)

    def cause(self, *words: str) -> None:
        """Cause a fault in the simulated machine."""
        done = self.within(
            SIMULATOR, "python", "-m", "simulator", "on", *words
        )
        assert done.returncode == 0, (done.stdout, done.stderr)

    def truth(self) -> list[dict[str, Any]]:
        """Return the faults that have ended, as the simulator knows them."""
        file = "/state/simulator/truth.jsonl"
        said = self.within(SIMULATOR, "cat", file).stdout
        found = [json.loads(line) for line in said.splitlines()]
        return [one for one in found if one["ended_at"]]

    def mission(self, problem: str) -> dict[str, Any] | None:
        """Return what was done about the newest of one problem."""
        for found in self.api("/incidents")["items"]:
            if found["problem"] == problem:
                return found["mission"] or None
        return None

    def over(self, problem: str) -> dict[str, Any]:
        """Return the mission about a problem once it is over."""

        def look() -> dict[str, Any] | None:
            """Return it, or nothing while it goes on."""
            found = self.mission(problem)
            is_over = found and found["stage"] in ("closed", "escalated")
            return found if is_over else None

        return self.wait_for(f"end of {problem}", look)

    def wait_for(self, what: str, look: Callable[[], T | None]) -> T:
        """Return the first true answer of a look."""
        deadline = time.monotonic() + PATIENCE
        while True:
            seen = look()
            if seen:
                return seen
            assert time.monotonic() < deadline, (what, self.told())
            time.sleep(0.3)

    def told(self) -> str:
        """Return what there is to know when something went wrong."""
        log = self.api("/log?limit=40")["items"]
        lines = [f"{one['kind']}: {one['summary']}" for one in log]
        said = self.engine.run("logs", "--tail", "30", SIMULATOR, check=False)
        return "\n".join([*reversed(lines), said.stdout, said.stderr])

    def inspect(self, thing: str) -> dict[str, Any]:
        """Return all that the engine knows of a container or an image."""
        (found,) = json.loads(self.engine.run("inspect", thing).stdout)
        return dict(found)

    def is_healthy(self, container: str) -> bool:
        """Tell whether the engine calls a container healthy."""
        state = self.inspect(container)["State"]
        return bool(
            state["Running"] and state["Health"]["Status"] == "healthy"
        )
