"""A real supervisord with programs that die, hang, and never come up."""

import http.client
import importlib.util
import os
import socket
import sys
import textwrap
from pathlib import Path
from typing import Self

import pytest

from tests.programs import free_port
from tests.real.program import Program
from tests.real.waiting import wait_for

PAIR = ("watcher", "pa ss:w/rd%")
# Answers on a port. It may be told to answer no more, and then does not end
# when it is asked to, either.
SHOP = """
    import pathlib, signal, socket, sys

    folder = pathlib.Path(sys.argv[1])
    with (folder / "starts").open("a") as starts:
        starts.write("one\\n")
    print("shop \\x1b[31mopens\\x1b[0m", flush=True)
    if (folder / "broken").exists():
        print("no space left on device", file=sys.stderr, flush=True)
        sys.exit(3)
    is_deaf = False

    def hang(*_):
        global is_deaf
        is_deaf = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (folder / "deaf").touch()

    signal.signal(signal.SIGUSR1, hang)
    signal.alarm(600)
    held = []
    with socket.create_server(("127.0.0.1", int(sys.argv[2]))) as door:
        while True:
            caller, _ = door.accept()
            if is_deaf:
                held.append(caller)
                continue
            with caller:
                caller.sendall(b"open")
"""
# Ends when it is let to, a while after it was told.
LAZY = """
    import pathlib, signal, sys, time

    folder = pathlib.Path(sys.argv[1])

    def end(*_):
        while not (folder / "let").exists():
            time.sleep(0.01)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.alarm(600)
    (folder / "lazy").touch()
    while True:
        time.sleep(0.05)
"""
SETTINGS = """
    [supervisord]
    nodaemon=true
    user={user}
    pidfile={folder}/supervisord.pid
    logfile={folder}/supervisord.log
    childlogdir={folder}

    [unix_http_server]
    file={folder}/s.sock

    [inet_http_server]
    port=127.0.0.1:{port}
    username={name}
    password={password}

    [rpcinterface:supervisor]
    supervisor.rpcinterface_factory = {rpc}

    [program:shop]
    command={python} -I {folder}/shop.py {folder} {shop}
    startsecs=1
    startretries=1
    stopwaitsecs=1
    autorestart=false

    [program:crasher]
    command={python} -I -c "raise SystemExit(7)"
    startsecs=1
    startretries=1000

    [program:manual]
    command=/bin/sleep 600
    autostart=false

    [program:slow]
    command=/bin/sleep 600
    stopwaitsecs=600

    [program:lazy]
    command={python} -I {folder}/lazy.py {folder}
    startsecs=1
    stopwaitsecs=50

    [program:redis]
    command=/bin/sleep 600

    [program:twin]
    command=/bin/sleep 600
    process_name=%(program_name)s_%(process_num)d
    numprocs=2
"""


def need_supervisor() -> None:
    """Return when it is installed, or skip naming what would add it."""
    if importlib.util.find_spec("supervisor") is not None:
        return
    remedy = "supervisor is not here: pip install -r dev-requirements.txt"
    if os.environ.get("REAL_SYSTEMS") == "required":
        pytest.fail(remedy)
    pytest.skip(remedy)


class Supervisord:
    """One supervisord with a folder and programs of its own."""

    def __init__(self, folder: Path) -> None:
        need_supervisor()
        folder.mkdir(parents=True)
        self.folder = folder
        self.socket = folder / "s.sock"
        self.port = free_port()
        self.shop_port = free_port()
        (folder / "shop.py").write_text(textwrap.dedent(SHOP))
        (folder / "lazy.py").write_text(textwrap.dedent(LAZY))
        settings = folder / "supervisord.conf"
        text = textwrap.dedent(SETTINGS).format(
            folder=folder,
            rpc="supervisor.rpcinterface:make_main_rpcinterface",
            port=self.port,
            shop=self.shop_port,
            python=sys.executable,
            user=os.getuid(),
            name=PAIR[0],
            # It reads % as the beginning of a variable.
            password=PAIR[1].replace("%", "%%"),
        )
        settings.write_text(text)
        self._program = Program(
            [sys.executable, "-m", "supervisor.supervisord", "-n", "-c",
             settings],
            folder / "out.log",
            self._listens,
        )  # fmt: skip

    @property
    def url(self) -> str:
        """Return where it answers, on its socket file."""
        return f"unix://{self.socket}"

    @property
    def starts(self) -> int:
        """Return how often the shop was started."""
        file = self.folder / "starts"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def answers(self) -> bool:
        """Tell whether the shop answers."""
        try:
            with socket.create_connection(
                ("127.0.0.1", self.shop_port), 1.0
            ) as way:
                return way.recv(16) == b"open"
        except OSError:
            return False

    def start(self) -> Self:
        """Start it, and return when the shop answers."""
        self._program.start()
        try:
            wait_for("open shop", self.answers)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it, and with it all its programs."""
        # Whoever waits to be let would outlive it.
        (self.folder / "let").touch()
        self._program.stop()

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self.stop()

    def _listens(self) -> bool:
        """Tell whether it takes calls."""
        way = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1.0)
        try:
            way.request("GET", "/")
            return way.getresponse().status == 401
        except OSError:
            return False
        finally:
            way.close()
