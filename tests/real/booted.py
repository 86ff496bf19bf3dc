"""A machine whose first process is a real systemd, with a real D-Bus.

It has this machine's own programs, seen through a layer that is thrown away,
its own processes, control groups and journal, and this machine's network.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

import psutil

from tests.programs import lack, need
from tests.real.waiting import LOOK_SECONDS, wait_for

HOME = Path(__file__).parents[2]
BOOT = Path(__file__).with_name("boot.sh")
# What tells that all was started that is started at the beginning.
STARTED = ("running", "degraded")
NAMESPACES = ("--mount", "--pid", "--ipc", "--uts", "--cgroup")
GROUPS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
END_SECONDS = 20.0
ASK_SECONDS = 60.0
Done = subprocess.CompletedProcess[str]


def need_systemd() -> None:
    """Skip, naming what is missing, where none can be started."""
    if sys.platform != "linux" or os.geteuid() != 0:
        lack("only root of a Linux can start a machine of its own")
    need("systemctl", "systemd")
    need("dbus-daemon", "dbus")
    for name in ("unshare", "nsenter", "mount"):
        need(name, "util-linux")
    if not Path("/usr/lib/polkit-1/polkitd").is_file():
        lack("polkitd is not here: apt-get install polkitd")
    tried = subprocess.run(
        ["unshare", *NAMESPACES, "--fork", "true"], check=False, timeout=60
    )
    if tried.returncode:
        lack("this root may make no namespaces: no machine starts here")
    if _groups() is None:
        lack("this machine has no control groups of version 2")


class Booted:
    """One such machine, from its start to its end."""

    def __init__(self) -> None:
        """Start nothing yet."""
        need_systemd()
        self._folder = Path(tempfile.mkdtemp(prefix="sj-booted-"))
        self._outer: subprocess.Popen[bytes] | None = None
        self._first = 0
        groups = _groups()
        if groups is None:
            raise RuntimeError("there are no control groups")
        self._group = groups / f"sj-booted-{os.getpid()}"

    def __enter__(self) -> Self:
        """Start it; return once it has started what it starts."""
        subprocess.run(
            ["mount", "-t", "tmpfs", "none", self._folder],
            check=True,
            timeout=ASK_SECONDS,
        )
        self._group.mkdir(exist_ok=True)
        python = Path(sys.executable).resolve()
        words = ["unshare", *NAMESPACES, "--fork", "--kill-child",
                 "--propagation", "private",
                 BOOT, self._folder, HOME, python]  # fmt: skip
        # Its control groups begin where its first process is.
        enter = f'echo $$ >{self._group}/cgroup.procs && exec "$@"'
        with (self._folder / "log").open("wb") as log:
            self._outer = subprocess.Popen(
                ["sh", "-c", enter, "sh", *map(str, words)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._first = wait_for("first process", self._find_first)
            wait_for("started machine", self._has_started)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it with all of its processes, and forget its files."""
        if self._outer is not None:
            # Its child, the first process in there, ends with it; and all
            # others of that machine with the first.
            self._outer.kill()
            self._outer.wait(END_SECONDS)
        subprocess.run(
            ["umount", "--lazy", self._folder],
            check=False,
            timeout=ASK_SECONDS,
        )
        shutil.rmtree(self._folder, ignore_errors=True)
        _remove(self._group)

    def run(self, *words: str, check: bool = True, text: str = "") -> Done:
        """Return what a program in it says, started as its root."""
        done = subprocess.run(
            ["nsenter", f"--target={self._first}", "--all", "--root",
             "--wdns=/opt/smokejumper", *words],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
            input=text,
            capture_output=True,
            text=True,
            timeout=ASK_SECONDS,
            check=False,
        )  # fmt: skip
        if check and done.returncode:
            said = f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
            raise AssertionError(f"{words} in the machine: {said}")
        return done

    def write(self, place: str, text: str) -> None:
        """Write a file in it that everybody may read."""
        self.run("install", "-D", "-m", "0644", "/dev/stdin", place, text=text)

    def show(self, unit: str, name: str) -> str:
        """Return a property of a unit, as systemd shows it."""
        asked = f"--property={name}"
        return self.run("systemctl", "show", "--value", asked, unit).stdout[
            :-1
        ]

    def journal(self, unit: str) -> str:
        """Return what a unit has written."""
        return self.run("journalctl", "-u", unit, "-o", "cat").stdout

    def _find_first(self) -> int:
        """Return its first process once that is systemd, else nothing."""
        outer = self._outer
        if outer is None or outer.poll() is not None:
            log = (self._folder / "log").read_text(errors="replace")
            lack(f"no machine starts here: {log[-1000:]}")
        for child in psutil.Process(outer.pid).children():
            if child.name() == "systemd":
                return child.pid
        return 0

    def _has_started(self) -> bool:
        """Tell whether it has started all that it starts by itself."""
        done = self.run("systemctl", "is-system-running", check=False)
        return done.stdout.strip() in STARTED


def _groups() -> Path | None:
    """Return where control groups of version 2 are, or nothing."""
    for place in GROUPS:
        if (place / "cgroup.procs").is_file():
            return place
    return None


def _remove(group: Path) -> None:
    """Remove a control group and those in it, once their processes ended."""
    deadline = time.monotonic() + END_SECONDS
    while group.is_dir():
        for folder in (*sorted(group.rglob("*/"), reverse=True), group):
            try:
                folder.rmdir()
            except OSError:
                continue
        if time.monotonic() > deadline:
            raise AssertionError(f"{group} is still in use")
        time.sleep(LOOK_SECONDS)
