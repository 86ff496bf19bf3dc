"""A Docker engine of our own: its folders, its network, nobody else's.

It runs in a network namespace, so that neither bridges nor rules of packet
filters meet those of an engine that this machine may have.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pytest

from tests.programs import need

PACKAGES = {
    "dockerd": "docker.io",
    "docker-compose": "docker-compose",
    "debootstrap": "debootstrap",
    "iptables": "iptables",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
START_SECONDS = 60.0
END_SECONDS = 60.0
SET_FLAGS, UP = 0x8914, 1
Done = subprocess.CompletedProcess[str]
# Loopback is brought up by whoever enters the namespace first.
ENTER = f"""
import fcntl, os, socket, struct, sys
with socket.socket() as one:
    asked = struct.pack("16sh22x", b"lo", {UP})
    fcntl.ioctl(one, {SET_FLAGS}, asked)
os.execv(sys.argv[1], sys.argv[1:])
"""


def need_engine() -> dict[str, Path]:
    """Return the programs of an engine, or skip naming what is missing."""
    if os.geteuid() != 0:
        pytest.skip("only root can start a Docker engine")
    found = {name: need(name, of) for name, of in PACKAGES.items()}
    tried = subprocess.run(
        [found["unshare"], "--net", "--mount", "true"], check=False
    )
    if tried.returncode:
        pytest.skip("this root may make no namespaces: no engine starts here")
    return found


class Engine:
    """One dockerd, and what is asked of it."""

    def __init__(self) -> None:
        self._programs = need_engine()
        # Debian's own client, whatever else is on the PATH.
        client = Path("/usr/bin/docker")
        self.client = client if client.exists() else need("docker", "docker")
        self.folder = Path(tempfile.mkdtemp(prefix="sj-docker-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.environ = {
            **os.environ,
            "DOCKER_HOST": f"unix://{self.folder}/d.sock",
            "DOCKER_CONFIG": str(self.folder / "config"),
            "PATH": f"{self.client.parent}:{os.environ['PATH']}:/usr/sbin",
        }

    def __enter__(self) -> Self:
        """Start it, and return when it answers."""
        folder = self.folder
        words = [
            *(self._programs["unshare"], "--net"),
            *(sys.executable, "-S", "-c", ENTER),
            *(self._programs["dockerd"], "--bridge", "none"),
            *("--data-root", folder / "data", "--exec-root", folder / "x"),
            *("--host", f"unix://{folder}/d.sock"),
            *("--pidfile", folder / "pid", "--userland-proxy=true"),
        ]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(word) for word in words],
                env=self.environ,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while self.run("version", check=False).returncode:
            if self._process.poll() is not None:
                self._fail("ended at once")
            if time.monotonic() > deadline:
                self._fail("does not answer")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        """End all that it runs, itself, and remove its folders."""
        ids = self.run("ps", "--all", "--quiet", check=False).stdout.split()
        if ids:
            self.run("rm", "--force", "--volumes", *ids, check=False)
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fail(self, what: str) -> None:
        """Fail with the end of its log."""
        text = (self.folder / "log").read_text(errors="replace")
        self.__exit__()
        raise RuntimeError(f"dockerd {what}:\n{text[-3000:]}")

    def run(self, *words: str, check: bool = True, text: str = "") -> Done:
        """Return what its client says to a command."""
        done = subprocess.run(
            [str(self.client), *words],
            env=self.environ,
            input=text,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"docker {words}: {done.stderr[-3000:]}")
        return done

    def lines(self, *words: str) -> list[str]:
        """Return the lines that its client says to a command."""
        return self.run(*words).stdout.splitlines()

    def load(self, file: Path, tag: str, start: str = "") -> None:
        """Make an image of a file with a system, and what it starts."""
        change = f'ENTRYPOINT ["{start}"]' if start else 'CMD ["python3"]'
        self.run("import", "--change", change, str(file), tag)

    def inside(self, *words: str, **environ: str) -> Done:
        """Run a program in the engine's network, where its ports are."""
        if self._process is None:
            raise RuntimeError("the engine does not run")
        net = f"--net=/proc/{self._process.pid}/ns/net"
        return subprocess.run(
            [str(self._programs["nsenter"]), net, *words],
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def script(self, home: Path, *words: str, **environ: str) -> Done:
        """Run start_environment.sh of a tree against this engine."""
        return subprocess.run(
            [home / "start_environment.sh", "--docker", *words],
            env=self._with(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )

    def _with(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of its clients, and more."""
        return {**self.environ, **more}
